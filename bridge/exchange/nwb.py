"""Neurodata Without Borders: a recording as a units table, a trials table and time series.

Read by h5py alone, since pynwb, which writes them (`bridge.exchange.nwb_writing`), loads the
schemas that a file brings along: from a file of unknown origin only numbers and the names of
populations are taken. In our own files these names stand in an attribute of the units too: a
column's text lies in a heap without checksums, where one damaged byte can hang the HDF5 library.

Trials lie end to end on the axis of time, and a spike stands at the start of its step. In files of
others that have a trials table all trials must be of one length; spikes between trials are left
out, and the recording's provenance says how many.
"""

import json
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.links import own_group, own_part
from bridge.exchange.nwb_writing import POPULATIONS, READOUT, encode
from bridge.exchange.spike_trains import (
    SpikeTrains,
    foreign_file,
    numbers,
    text_of,
    whole_numbers,
)

__all__ = ["SUFFIX", "encode", "is_nwb", "read"]

SUFFIX = ".nwb"
_MOST_UNITS = 10_000_000


def is_nwb(file: h5py.File) -> bool:
    """Whether an HDF5 file says that it is NWB."""
    # Not what it says: text lies in a heap without checksums, where one damaged byte can hang HDF5.
    return "nwb_version" in file.attrs


def read(path: Path) -> SpikeTrains:
    """The spikes, trials and readouts of a file.

    Raises:
        FormatError: missing, damaged, or without a units table.
    """
    with foreign_file(path) as file:
        if not is_nwb(file):
            raise FormatError(f"{path}: no NWB file")
        units = own_group(file, "units", path)
        if units is None:
            raise FormatError(f"{path}: holds no units table, so no spikes")
        times, neuron, size = _spikes(units, path)
        trials = _trials(file, path)
        readouts, sample_ms = _readouts(file, path, trials)
        return SpikeTrains(
            times_s=times,
            neuron=neuron,
            populations=_populations(units, size, path),
            trials_s=trials,
            dt_ms=_dt_ms(units),
            readouts=readouts,
            sample_ms=sample_ms,
        )


def _spikes(units: h5py.Group, path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """(S,) times, s, (S,) rows of the units table, and the number of its rows."""
    ends = whole_numbers(units, "spike_times_index", path)
    times = numbers(units, "spike_times", path)
    if ends.ndim != 1 or times.ndim != 1 or np.any(np.diff(ends) < 0):
        raise FormatError(f"{path}: its units and spike times do not fit together")
    if (ends[-1] if ends.size else 0) != times.size:
        raise FormatError(f"{path}: its units and spike times do not fit together")
    if ends.size > _MOST_UNITS:
        raise FormatError(f"{path}: claims {ends.size:,} units")
    return times, np.repeat(np.arange(ends.size), np.diff(ends, prepend=0)), ends.size


def _trials(file: h5py.File, path: Path) -> NDArray[np.float64] | None:
    table = own_group(file, "intervals/trials", path)
    if table is None:
        return None
    start, stop = (numbers(table, name, path) for name in ("start_time", "stop_time"))
    if start.ndim != 1 or start.shape != stop.shape or not start.size:
        raise FormatError(f"{path}: its trials table must hold a start and a stop for each trial")
    return np.stack([start, stop], axis=1)


def _dt_ms(units: h5py.Group) -> float | None:
    """The time step that the units tell; others may leave it out, or write NaN or -1 for that."""
    resolution = np.asarray(units["spike_times"].attrs.get("resolution", np.nan))
    if resolution.shape != () or resolution.dtype.kind not in "fiu" or not 0 < resolution < np.inf:
        return None
    exact = float(resolution) * 1000.0
    short = _decimal(exact)
    return short if short / 1000.0 == resolution else exact


def _decimal(value: float) -> float:
    """A time in ms without what the way through seconds or Hz may leave at its 16th digit."""
    return float(f"{value:.12g}")


def _populations(units: h5py.Group, size: int, path: Path) -> dict[str, int]:
    """Names and sizes of the populations: as we wrote them, or as a column tells them."""
    found = _own_populations(units)
    if sum(found.values()) == size and found:
        return found
    found = {}
    names = _texts(own_part(units, "population", path), size)
    for place, name in enumerate(names):
        if name in found and names[place - 1] != name:
            return {"units": size}
        found[name] = found.get(name, 0) + 1
    return found if names and "" not in found else {"units": size}


def _own_populations(units: h5py.Group) -> dict[str, int]:
    """What `encode` noted beside the column, whose text lies in the heap; {} where it is not."""
    if POPULATIONS not in units.attrs or units.attrs.get_id(POPULATIONS).dtype.kind != "S":
        return {}
    told = json.loads(units.attrs[POPULATIONS])
    fits = isinstance(told, dict) and all(type(size) is int and size >= 0 for size in told.values())
    return told if fits else {}


def _texts(column: h5py.Group | h5py.Dataset | None, size: int) -> list[str]:
    """A column of `size` texts; [] for a column of anything else, which others may have."""
    if not isinstance(column, h5py.Dataset) or h5py.check_string_dtype(column.dtype) is None:
        return []
    # Judged before it is read: a small file can claim a column of terabytes.
    if column.shape != (size,) or column.external or column.is_virtual:
        return []
    return [text_of(name) for name in column.asstr()[()]]


def _readouts(
    file: h5py.File, path: Path, trials: NDArray[np.float64] | None
) -> tuple[dict[str, NDArray[np.float64]], float | None]:
    """(T, B, O) readouts by name, and the time between two samples, ms."""
    found: dict[str, NDArray[np.float64]] = {}
    sample_ms = None
    acquisition = own_group(file, "acquisition", path)
    # By name first: what others acquired may well lie in another file, and is none of ours.
    for name in [] if acquisition is None else acquisition:
        if trials is None or not name.startswith(READOUT):
            continue
        series = own_group(acquisition, name, path)
        found[name.removeprefix(READOUT)] = _samples(series, path, len(trials))
        sample_ms = _sample_ms(series, path)
    return found, sample_ms


def _samples(series: h5py.Group, path: Path, trials: int) -> NDArray[np.float64]:
    """(T, B, O) values of a series that holds one trial after the other."""
    values = numbers(series, "data", path)
    if values.ndim != 2 or len(values) % trials or not np.isfinite(values).all():
        raise FormatError(f"{path}: {series.name} does not fit its trials")
    rows = values.reshape(trials, len(values) // trials, values.shape[1])
    return np.ascontiguousarray(rows.swapaxes(0, 1))


def _sample_ms(series: h5py.Group, path: Path) -> float:
    start = own_part(series, "starting_time", path)
    rate = np.asarray(np.nan if start is None else start.attrs.get("rate", np.nan))
    if rate.shape != () or rate.dtype.kind not in "fiu" or not 0 < rate < np.inf:
        raise FormatError(f"{path}: {series.name} tells no rate of its samples")
    exact = 1000.0 / float(rate)
    short = _decimal(exact)
    return short if 1000.0 / short == rate else exact
