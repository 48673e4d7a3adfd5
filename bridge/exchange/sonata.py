"""SONATA spike files: `/spikes/POPULATION/{timestamps,node_ids}`, times in ms.

SONATA knows no trials: they lie end to end on the axis of time, and attributes of our own on
`/spikes` tell the time step, the number of steps and of trials, and the sizes of populations. What
other tools wrote is cut into trials of a given length, or is one trial.
"""

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.links import CHECKED_LAYOUT, own_group, own_part
from bridge.exchange.spike_trains import (
    SpikeTrains,
    end_to_end,
    foreign_file,
    numbers,
    text_of,
    whole_numbers,
)
from bridge.spiking.recording import Recording

SUFFIX = ".sonata.h5"
MAGIC, VERSION = 0x0A7A, (0, 1)
_SORTED_BY_TIME = 2
_MOST_NEURONS = 10_000_000
_MOST_TRIALS = 10_000_000
# The specification wants ms; "milliseconds" is what BMTK writes, and older files say nothing.
_IN_A_SECOND = {"": 1e3, "ms": 1e3, "msec": 1e3, "milliseconds": 1e3, "s": 1.0, "seconds": 1.0}


def is_sonata(file: h5py.File) -> bool:
    """Whether an HDF5 file has the groups of a SONATA spike file."""
    path = Path(file.filename)
    spikes = own_part(file, "spikes", path)
    return isinstance(spikes, h5py.Group) and bool(_parts(spikes, path))


def read(path: Path) -> SpikeTrains:
    """The spikes of a file, populations in the order they had, else in that of their names.

    Raises:
        FormatError: missing, damaged, or no SONATA spike file.
    """
    with foreign_file(path) as file:
        if not is_sonata(file):
            raise FormatError(f"{path}: no SONATA spike file")
        spikes: h5py.Group = own_group(file, "spikes", path)
        populations: dict[str, int] = {}
        times, neurons = [], []
        for name, part in _parts(spikes, path):
            stamps, ids, size = _population(part, path)
            neurons.append(ids + sum(populations.values()))
            times.append(stamps)
            populations[name] = size
        dt_ms = _attribute(spikes, "dt_ms", 0.0, path) or None
        return SpikeTrains(
            times_s=np.concatenate(times),
            neuron=np.concatenate(neurons),
            populations=populations,
            trials_s=_trials(spikes, dt_ms, path),
            dt_ms=dt_ms,
            sizes_told=all("spikebridge_size" in part.attrs for _, part in _parts(spikes, path)),
        )


def _parts(spikes: h5py.Group, path: Path) -> list[tuple[str, h5py.Group]]:
    """Names and groups of the populations; other data sets beside them are passed over."""
    parts = [(name, own_part(spikes, name, path)) for name in spikes]
    found = [
        (name, part)
        for name, part in parts
        if isinstance(part, h5py.Group) and "timestamps" in part
    ]
    last = float(len(found))
    return sorted(found, key=lambda part: (_attribute(part[1], "place", last, path), part[0]))


def _population(part: h5py.Group, path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """(S,) times, s, (S,) neurons of one population, and its size."""
    stamps = numbers(part, "timestamps", path)
    ids = whole_numbers(part, "node_ids", path)
    if stamps.shape != ids.shape or stamps.ndim != 1:
        raise FormatError(f"{path}: {part.name} has times and nodes of different numbers")
    size = int(_attribute(part, "size", float(ids.max() + 1) if ids.size else 0.0, path))
    if not 0 <= size <= _MOST_NEURONS or (ids.size and ids.max() >= size):
        raise FormatError(f"{path}: {part.name} claims nodes that make no sense")
    # In our own files it is ms, and need not be fetched from the heap, which has no checksums.
    ours = "spikebridge_size" in part.attrs
    unit = "ms" if ours else text_of(part["timestamps"].attrs.get("units", ""))
    if unit not in _IN_A_SECOND:
        raise FormatError(f"{path}: {part.name} has times in {unit!r}, ms are expected")
    return stamps / _IN_A_SECOND[unit], ids, size


def _attribute(group: h5py.Group, name: str, missing: float, path: Path) -> float:
    value = np.asarray(group.attrs.get(f"spikebridge_{name}", missing))
    if value.shape != () or value.dtype.kind not in "fiu" or not np.isfinite(value):
        raise FormatError(f"{path}: {group.name}: spikebridge_{name} must be a number")
    return float(value)


def _trials(spikes: h5py.Group, dt_ms: float | None, path: Path) -> NDArray[np.float64] | None:
    count, steps = (int(_attribute(spikes, name, 0.0, path)) for name in ("n_trials", "n_steps"))
    if dt_ms is None or not count:
        return None
    if not 0 < count <= _MOST_TRIALS or steps < 1:
        raise FormatError(f"{path}: its trials make no sense")
    length = steps * dt_ms / 1000.0
    starts = np.arange(count) * length
    return np.stack([starts, starts + length], axis=1)


def encode(recording: Recording) -> bytes:
    """A recording as the bytes of a SONATA spike file; readouts have no place in one."""
    buffer, spikes = io.BytesIO(), recording.spikes
    times, _ = end_to_end(recording)
    order = np.argsort(times, kind="stable")
    with h5py.File(buffer, "w", libver=CHECKED_LAYOUT) as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array(VERSION, dtype=np.uint32)
        group = file.create_group("spikes")
        kept: dict[str, Any] = {
            "dt_ms": recording.dt_ms,
            "n_trials": spikes.n_trials,
            "n_steps": spikes.n_steps,
        }
        for name, value in kept.items():
            group.attrs[f"spikebridge_{name}"] = value
        start = 0
        sorting = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
        for place, (name, size) in enumerate(recording.populations.items()):
            neuron = spikes.neuron[order]
            mine = (neuron >= start) & (neuron < start + size)
            part = group.create_group(name)
            part.attrs.create("sorting", _SORTED_BY_TIME, dtype=sorting)
            part.attrs["spikebridge_size"] = size
            part.attrs["spikebridge_place"] = place
            stamps = part.create_dataset("timestamps", data=1000.0 * times[order][mine])
            stamps.attrs["units"] = "ms"
            ids = (neuron[mine] - start).astype(np.uint64)
            part.create_dataset("node_ids", data=ids)
            start += size
    return buffer.getvalue()
