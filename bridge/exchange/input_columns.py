"""Columns of numbers, by name, as the input of a network: sorted into trials, and checked."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.spike_trains import backwards
from bridge.exchange.told_inputs import AnalogInput, SpikeInput
from bridge.spiking.trains import ROUNDING

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
# Names of conditions with their labels.
Conditions = dict[str, int]

_OF_SPIKES = ("unit", "time", "time_s", "trial", "condition")
# How far, in intervals, a time may lie from where equal intervals would have it: what rounding of
# printed times leaves.
_UNEVEN = 0.01
_LARGEST = 2**53


def check_names(names: list[str], path: Path, more: tuple[str, ...] = ()) -> None:
    """Raise FormatError for names of columns that can be misunderstood.

    A table of spikes may have `more` than the usual ones.
    """
    of_spikes = (*_OF_SPIKES, *more)
    for name in names:
        if not name:
            raise FormatError(
                f"{path}: a column has no name (pandas writes its index so: index=False leaves it "
                "out)"
            )
        if names.count(name) > 1:
            raise FormatError(f"{path}: two columns are called {name!r}")
    if "unit" in names:
        strange = [name for name in names if name not in of_spikes]
        if strange:
            raise FormatError(
                f"{path}: a table of spikes has the columns {', '.join(of_spikes)}, and "
                f"{strange[0]!r} is none of them"
            )
        if ("time" in names) + ("time_s" in names) != 1:
            raise FormatError(f"{path}: a table of spikes needs the columns unit and time")
        return
    for name in names:
        if name.startswith("time") and name != "time_s":
            raise FormatError(
                f"{path}: the column {name!r} is not a channel; times are in s and called time_s, "
                "and spikes have the columns unit and time"
            )


def analog_of(
    values: Array, told: Mapping[str, Array], conditions: tuple[str, ...], path: Path
) -> AnalogInput:
    """The input of which each row of (R, C) values is a sample.

    Args:
        values: Row by row.
        told: Columns `trial`, `time_s` and `condition` (numbers of `conditions`), as far as there
            are such.
        conditions: Names of the conditions.
        path: The file.

    Raises:
        FormatError: trials differ in length, or a column makes no sense.
    """
    if not len(values):
        raise FormatError(f"{path}: holds no samples")
    trial = whole("trial", told["trial"], path) if "trial" in told else np.zeros(len(values))
    counts = np.unique(trial, return_counts=True)[1]
    if np.ptp(counts):
        raise FormatError(
            f"{path}: its trials must be of one length, they have {counts.min()} to "
            f"{counts.max()} rows"
        )
    # Whatever order trials lie in, samples of one stay in theirs.
    rows = np.argsort(trial, kind="stable").reshape(counts.size, -1)
    sample_ms, apart = _interval(told["time_s"][rows], path) if "time_s" in told else (None, 0.0)
    labels = None
    if "condition" in told:
        labels = _of_trials(told["condition"][rows], path)
    return AnalogInput(
        values=values[rows].swapaxes(0, 1),
        sample_ms=sample_ms,
        apart=max(apart, ROUNDING),
        labels=labels,
        conditions=conditions,
    )


def spikes_of(columns: Mapping[str, Array], conditions: tuple[str, ...], path: Path) -> SpikeInput:
    """The input of which each row is a spike.

    Args:
        columns: `unit` and `time` or `time_s`, s; `trial` and `condition` as far as there are such.
        conditions: Names of the conditions.
        path: The file.

    Raises:
        FormatError: times run backwards, or a column makes no sense.
    """
    channel = whole("unit", columns["unit"], path)
    times = columns["time"] if "time" in columns else columns["time_s"]
    trial = whole("trial", columns["trial"], path) if "trial" in columns else None
    _check_forwards(times, channel, trial, path)
    labels = None
    if "condition" in columns:
        labels = labels_of(columns["condition"], trial, path)
    return SpikeInput(
        times_s=times, channel=channel, trial=trial, labels=labels, conditions=conditions
    )


def _check_forwards(times_s: Array, channel: Numbers, trial: Numbers | None, path: Path) -> None:
    within = np.zeros_like(channel) if trial is None else trial
    pairs, owner = np.unique(np.stack([within, channel], axis=1), axis=0, return_inverse=True)
    found = backwards(times_s, owner.reshape(-1))
    if found is None:
        return
    first, later, earlier, _ = found
    place = "" if trial is None else f" in trial {pairs[first, 0]}"
    raise FormatError(
        f"{path}: the times of unit {pairs[first, 1]}{place} are not sorted, {earlier:.9g} s comes "
        f"after {later:.9g} s"
    )


def _interval(times_s: Array, path: Path) -> tuple[float | None, float]:
    """Time between two samples, ms, of (B, T) times, and by what share of itself it may be off."""
    if not np.isfinite(times_s).all():
        raise FormatError(f"{path}: a time of a sample is not a finite number")
    if times_s.min() < 0:
        raise FormatError(f"{path}: the time of a sample is negative, {times_s.min():g} s")
    count = times_s.shape[1] - 1
    if not count:
        return None, 0.0
    steps = np.diff(times_s, axis=1)
    if steps.min() <= 0:
        raise FormatError(f"{path}: the times of its samples do not ascend")
    mean = float((times_s[:, -1] - times_s[:, 0]).mean() / count)
    even = times_s[:, :1] + np.arange(count + 1) * mean
    if np.abs(times_s - even).max() > _UNEVEN * mean:
        raise FormatError(
            f"{path}: its samples must be equally far apart, they are {1000 * steps.min():.6g} to "
            f"{1000 * steps.max():.6g} ms"
        )
    return mean * 1000.0, 2 * _UNEVEN / count


def _of_trials(condition: Array, path: Path) -> Numbers:
    """(B,) labels of (B, T) labels, which must be one for all rows of a trial."""
    bad = np.flatnonzero(np.ptp(condition, axis=1))
    if bad.size:
        raise FormatError(f"{path}: trial {bad[0]} (counted from 0) is of two conditions")
    return condition[:, 0].astype(np.int64)


def labels_of(condition: Array, trial: Numbers | None, path: Path) -> Numbers | None:
    """(B,) labels of trials whose spikes have these; a trial without spikes would have none."""
    if not condition.size:
        return None
    within = np.zeros(condition.size, dtype=np.int64) if trial is None else trial
    found, first = np.unique(within, return_index=True)
    labels = condition[first].astype(np.int64)
    if np.any(labels[np.searchsorted(found, within)] != condition):
        raise FormatError(f"{path}: a trial is of two conditions")
    if not np.array_equal(found, np.arange(found.size)):
        raise FormatError(
            f"{path}: a trial without spikes has no condition; leave out the column, or write the "
            "input sample by sample"
        )
    return labels


def whole(name: str, values: Array, path: Path) -> Numbers:
    """A column of numbers that must be whole and not negative."""
    fits = np.isfinite(values) & (values >= 0) & (values < _LARGEST) & (values == np.floor(values))
    if not fits.all():
        raise FormatError(
            f"{path}: the column {name!r} must hold whole numbers from 0, it holds "
            f"{values[~fits][0]:g}"
        )
    return values.astype(np.int64)
