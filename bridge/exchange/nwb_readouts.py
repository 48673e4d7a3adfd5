"""The time series of an NWB file that hold readouts, one trial after the other."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.attributes import number
from bridge.exchange.foreign import numbers
from bridge.exchange.links import own_group, own_part
from bridge.exchange.nwb_writing import READOUT

Array = NDArray[np.float64]

_ALIKE_S = 1e-6


def decimal(value: float) -> float:
    """A time in ms without what the way through seconds or Hz may leave at its 16th digit."""
    return float(f"{value:.12g}")


def readouts_of(
    file: h5py.File, path: Path, bounds_s: Array | None, *, ours: bool
) -> tuple[dict[str, Array], float | None, tuple[str, ...]]:
    """(T, B, O) readouts by name, the time between two samples, ms, and what a user should know.

    Args:
        file: The file.
        path: Its path.
        bounds_s: (B, 2) its trials, s; None: it has none.
        ours: Whether we have written it. Others may call a series of any form a readout.

    Raises:
        FormatError: a series of our own file is damaged, or does not fit its trials.
    """
    acquisition = own_group(file, "acquisition", path)
    # By name first: what others acquired may well lie in another file, and is none of ours.
    names = [name for name in acquisition or () if name.startswith(READOUT)]
    if bounds_s is None:
        return {}, None, ("readouts: left out, there are no trials to cut them into",) * bool(names)
    # NaN is among what does not pass; the trials themselves are judged later.
    if names and not np.ptp(bounds_s[:, 1] - bounds_s[:, 0]) < _ALIKE_S:
        return {}, None, ("readouts: left out, the trials are not of one length",)
    try:
        return *_readouts(acquisition, names, path, bounds_s), ()
    except FormatError as error:
        if ours:
            raise
        return {}, None, (f"readouts: left out ({str(error).removeprefix(f'{path}: ')})",)


def _readouts(
    acquisition: h5py.Group, names: list[str], path: Path, bounds_s: Array
) -> tuple[dict[str, Array], float | None]:
    found: dict[str, Array] = {}
    steps_ms = set()
    for name in names:
        series = own_group(acquisition, name, path)
        sample_ms = sample_ms_of(series, path)
        found[name.removeprefix(READOUT)] = _samples(series, path, bounds_s, sample_ms)
        steps_ms.add(sample_ms)
    if len(steps_ms) > 1:
        raise FormatError(f"{path}: its readouts are sampled at different rates")
    return found, next(iter(steps_ms), None)


def _samples(series: h5py.Group, path: Path, bounds_s: Array, sample_ms: float) -> Array:
    """(T, B, O) values of a series that holds one trial after the other."""
    values = numbers(series, "data", path)
    trials = len(bounds_s)
    if values.ndim != 2 or len(values) % trials:
        raise FormatError(f"{path}: {series.name} does not fit its trials")
    _check_place(series, path, bounds_s, sample_ms, len(values) // trials)
    values = converted(values, series, path)
    if not np.isfinite(values).all():
        raise FormatError(f"{path}: {series.name} holds NaN or infinite values")
    rows = values.reshape(trials, len(values) // trials, values.shape[1])
    return np.ascontiguousarray(rows.swapaxes(0, 1))


def _check_place(
    series: h5py.Group, path: Path, bounds_s: Array, sample_ms: float, samples: int
) -> None:
    """Raise FormatError unless the samples of a trial lie in it."""
    begins = numbers(series, "starting_time", path)
    if begins.size != 1:
        raise FormatError(f"{path}: {series.name}/starting_time must hold one value")
    sample_s = sample_ms / 1000.0
    # A sample stands at its end, the first one a sample after the start of the first trial.
    early = float(begins.reshape(-1)[0]) - sample_s - bounds_s[0, 0]
    gaps = bounds_s[1:, 0] - bounds_s[:-1, 1]
    lengths = bounds_s[:, 1] - bounds_s[:, 0]
    off = np.concatenate([[early], gaps, lengths - samples * sample_s])
    if not np.all(np.abs(off) < 0.5 * sample_s):
        raise FormatError(
            f"{path}: {series.name} does not fit its trials: {samples} samples of {sample_ms:g} ms "
            "must fill each, the first one a sample after its start"
        )


def converted(values: Array, series: h5py.Group, path: Path) -> Array:
    """The values as the file wants them taken: times its conversion, plus its offset."""
    if own_part(series, "channel_conversion", path) is not None:
        raise FormatError(f"{path}: {series.name}/channel_conversion is not understood")
    data = series["data"]
    factor, offset = (number(data, name, path) for name in ("conversion", "offset"))
    for name, value in (("conversion", factor), ("offset", offset)):
        if value is not None and not np.isfinite(value):
            raise FormatError(f"{path}: {data.name}: {name} must be a number, it is {value:g}")
    if factor == 0.0:
        raise FormatError(f"{path}: {data.name}: a conversion of 0 leaves nothing of the data")
    # One and none are left out: recorded values stay what they are to the last bit.
    values = values if factor in (None, 1.0) else values * factor
    return values if offset in (None, 0.0) else values + offset


def sample_ms_of(series: h5py.Group, path: Path) -> float:
    """The time between two samples of a series, ms; FormatError where it states none."""
    start = own_part(series, "starting_time", path)
    rate = None if start is None else number(start, "rate", path)
    if rate is None or not 0 < rate < np.inf:
        raise FormatError(f"{path}: {series.name} states no rate of its samples")
    exact = 1000.0 / rate
    short = decimal(exact)
    return short if 1000.0 / short == rate else exact
