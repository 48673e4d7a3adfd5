"""Inputs of a network in NWB files: an analog time series, or the spike times of the units.

A series may be any with `data` of one or two axes, as TimeSeries and ElectricalSeries, and a rate
or timestamps that are equally far apart. Trials are those of the trials table, or all is one.
"""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange import nwb
from bridge.exchange.foreign import foreign_file, moments, numbers
from bridge.exchange.links import own_group, own_part
from bridge.exchange.nwb_conditions import conditions_of
from bridge.exchange.nwb_readouts import converted, sample_ms_of
from bridge.exchange.nwb_units import texts
from bridge.exchange.nwb_writing import READOUT
from bridge.exchange.spike_trains import SpikeTrains
from bridge.exchange.told_inputs import AnalogInput, SpikeInput
from bridge.exchange.trial_bounds import check_trials
from bridge.spiking.trains import ROUNDING

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

UNITS = "units"
SHOWN, ACQUIRED = "stimulus/presentation", "acquisition"
# How far, in intervals, a timestamp may lie from where equal intervals would have it.
_UNEVEN = 0.01
# What dividing a time by an interval may leave.
_PLACE = 1e-3


def read(path: Path, series: str | None) -> AnalogInput | SpikeInput:
    """The input that a file holds.

    Args:
        path: The file.
        series: Name of a time series, or its path in the file, or "units"; None: the only stimulus
            there is, else the only series acquired, else the units.

    Raises:
        FormatError: it holds no input, or what is damaged.
        SpecError: nothing is called so, or which is meant is not stated.
    """
    with foreign_file(path) as file:
        if "nwb_version" not in file.attrs:
            raise FormatError(f"{path}: NWB of version 1, which is not read; convert it to NWB 2")
        place = _place(file, path, series)
        told = nwb.trials_of(file, path)
        bounds = None if told is None else told.seconds.reshape(-1, 2)
        labels, conditions = _conditions(file, path, 1 if bounds is None else len(bounds))
        if place != UNITS:
            values, sample_ms, apart = _cut(file[place], path, bounds)
            return AnalogInput(
                values=values,
                sample_ms=sample_ms,
                apart=apart,
                labels=labels,
                conditions=conditions,
            )
    return _spikes(nwb.read(path), path, labels, conditions)


def _place(file: h5py.File, path: Path, series: str | None) -> str:
    """Where in a file the input lies."""
    shown, acquired = (series_in(file, group, path) for group in (SHOWN, ACQUIRED))
    units = [UNITS] if own_part(file, UNITS, path) is not None else []
    if series is not None:
        known = [*shown, *acquired, *units]
        matches = [each for each in known if series in (each, each.rpartition("/")[2])]
        if not matches and "/" in series and _is_series(own_part(file, series, path)):
            matches = [series]
        if len(matches) == 1:
            return matches[0]
        raise SpecError(f"{path}: no input {series!r}; it holds {_listed(known)}")
    for candidates in (shown, [*acquired, *units]):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise SpecError(
                f"{path}: holds {_listed(candidates)}; say which is the input, --series (series)"
            )
    raise FormatError(f"{path}: holds neither a time series nor units, so no input")


def _listed(places: list[str]) -> str:
    names = ", ".join(places[:10]) + (", ..." if len(places) > 10 else "")
    return names or "none"


def series_in(file: h5py.File, name: str, path: Path) -> list[str]:
    """Places of the time series in a group that lie in this file; readouts of ours are none."""
    group = own_group(file, name, path)
    if group is None:
        return []
    own = [each for each in group if isinstance(group.get(each, getlink=True), h5py.HardLink)]
    return [
        f"{name}/{each}" for each in own if _is_series(group[each]) and not each.startswith(READOUT)
    ]


def _is_series(item: object) -> bool:
    data = item.get("data") if isinstance(item, h5py.Group) else None
    return isinstance(data, h5py.Dataset) and data.dtype.kind in "fiu" and data.ndim in (1, 2)


def _cut(series: h5py.Group, path: Path, bounds_s: Array | None) -> tuple[Array, float, float]:
    """(T, B, C) values of a series, cut into trials, the time between two, ms, and how sure."""
    values = converted(numbers(series, "data", path), series, path)
    values = values.reshape(len(values), -1)
    start_s, sample_ms, apart = _times(series, len(values), path)
    if bounds_s is None:
        return values[:, None], sample_ms, apart
    check_trials(bounds_s, path, step_ms=sample_ms, one_axis=True)
    in_samples = (bounds_s - start_s) * 1000.0 / sample_ms
    lengths = np.diff(in_samples, axis=1)
    if np.ptp(lengths) > 1.0:
        raise FormatError(
            f"{path}: its trials must be of one length, they last "
            f"{lengths.min() * sample_ms / 1000:.6g} to {lengths.max() * sample_ms / 1000:.6g} s"
        )
    # A sample belongs to the trial in which it begins.
    first = np.ceil(in_samples[:, 0] - _PLACE)
    count = round(float(lengths.min()))
    if first.min() < 0 or first.max() + count > len(values):
        raise FormatError(f"{path}: {series.name} does not last as long as the trials")
    rows = first.astype(np.int64) + np.arange(count)[:, None]
    return values[rows], sample_ms, apart


def _times(series: h5py.Group, count: int, path: Path) -> tuple[float, float, float]:
    """Its begin, s, the time between two samples, ms, and by what share that may be off."""
    start = own_part(series, "starting_time", path)
    if start is not None:
        begins = numbers(series, "starting_time", path).reshape(-1)
        if begins.size != 1 or not np.isfinite(begins[0]):
            raise FormatError(f"{path}: {series.name}/starting_time must hold one number")
        return float(begins[0]), sample_ms_of(series, path), ROUNDING
    if own_part(series, "timestamps", path) is None:
        raise FormatError(f"{path}: {series.name} states no times of its samples")
    times = moments(series, "timestamps", path, unit="s").seconds
    if times.size != count or count < 2 or not np.isfinite(times).all():
        raise FormatError(f"{path}: {series.name}/timestamps does not fit its data")
    mean = float((times[-1] - times[0]) / (count - 1))
    even = times[0] + np.arange(count) * mean
    if mean <= 0 or np.abs(times - even).max() > _UNEVEN * mean:
        raise FormatError(
            f"{path}: {series.name}: its timestamps must ascend and be equally far apart"
        )
    return float(times[0]), mean * 1000.0, max(ROUNDING, 2 * _UNEVEN / (count - 1))


def _conditions(file: h5py.File, path: Path, trials: int) -> tuple[Labels | None, tuple[str, ...]]:
    """(B,) labels and names of conditions, as we wrote them or as a column `condition` has them."""
    known, _ = conditions_of(file, path, trials)
    if known:
        return known["labels"], known["conditions"]
    table = own_group(file, "intervals/trials", path)
    found = [] if table is None else texts(table, "condition", trials, path)
    if not found:
        return None, ()
    names = list(dict.fromkeys(found))
    return np.array([names.index(each) for each in found], dtype=np.int64), tuple(names)


def _spikes(
    trains: SpikeTrains, path: Path, labels: Labels | None, conditions: tuple[str, ...]
) -> SpikeInput:
    """Spikes of units that are channels, each in its trial."""
    size = sum(trains.populations.values())
    if not np.isfinite(trains.times_s).all():
        raise FormatError(f"{path}: a time of a spike is not a finite number")
    bounds = trains.trials_s
    if bounds is None and trains.observed_s is not None:
        bounds = np.array([trains.observed_s])
    if bounds is None:
        return SpikeInput(
            times_s=trains.times_s,
            channel=trains.neuron,
            channels=size,
            apart_s=trains.apart_s,
            notes=trains.notes,
        )
    check_trials(bounds, path, step_ms=_STEP_MS, one_axis=trains.trial is None)
    lengths = bounds[:, 1] - bounds[:, 0]
    if np.ptp(lengths) > _STEP_MS / 1000.0:
        raise FormatError(
            f"{path}: its trials must be of one length, they last {lengths.min():.6g} to "
            f"{lengths.max():.6g} s"
        )
    trial, alike_s = trains.trial, max(_ALIKE_S, trains.apart_s)
    if trial is None:
        trial = np.searchsorted(bounds[:, 0], trains.times_s + alike_s, side="right") - 1
    since = trains.times_s - bounds[np.maximum(trial, 0), 0]
    length_s = float(lengths.min())
    inside = (trial >= 0) & (since >= -alike_s) & (since < length_s - alike_s)
    outside = int(np.count_nonzero(~inside))
    notes = (f"{path}: {outside:,} spikes lie in no trial and were left out",) * bool(outside)
    return SpikeInput(
        times_s=np.maximum(since[inside], 0.0),
        channel=trains.neuron[inside],
        trial=trial[inside],
        channels=size,
        trials=len(bounds),
        trial_s=length_s,
        apart_s=trains.apart_s,
        labels=labels,
        conditions=conditions,
        notes=(*trains.notes, *notes),
    )


# Trials whose lengths differ by less are alike.
_STEP_MS = 0.1
# What the way of a time through another unit may leave.
_ALIKE_S = 1e-9
