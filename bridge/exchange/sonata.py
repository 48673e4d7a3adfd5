"""SONATA spike files: `/spikes/POPULATION/{timestamps,node_ids}`, times in ms.

SONATA knows no trials: they lie end to end on the axis of time, and attributes of our own on
`/spikes` tell the time step, the number of steps and of trials, and the sizes of populations. What
other tools wrote is cut into trials of a given length, or is one trial.
"""

import io
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.spike_trains import (
    SpikeTrains,
    end_to_end,
    foreign_file,
    numbers,
    whole_numbers,
)
from bridge.spiking.recording import Recording

SUFFIX = ".sonata.h5"
MAGIC, VERSION = 0x0A7A, (0, 1)
_SORTED_BY_TIME = 2
_MOST_NEURONS = 10_000_000


def is_sonata(file: h5py.File) -> bool:
    """Whether an HDF5 file has the groups of a SONATA spike file."""
    spikes = file.get("spikes")
    return isinstance(spikes, h5py.Group) and any(
        isinstance(part, h5py.Group) and "timestamps" in part for part in spikes.values()
    )


def read(path: Path) -> SpikeTrains:
    """The spikes of a file, population by population in the order of their names.

    Raises:
        FormatError: missing, damaged, or no SONATA spike file.
    """
    with foreign_file(path) as file:
        if not is_sonata(file):
            raise FormatError(f"{path}: no SONATA spike file")
        spikes = file["spikes"]
        found = [name for name in spikes if "timestamps" in spikes[name]]
        names = sorted(found, key=lambda name: (_attribute(spikes[name], "place", math.inf), name))
        populations: dict[str, int] = {}
        times, neurons = [], []
        for name in names:
            part = spikes[name]
            stamps = numbers(part, "timestamps", path)
            ids = whole_numbers(part, "node_ids", path)
            if stamps.shape != ids.shape or stamps.ndim != 1:
                raise FormatError(f"{path}: {part.name} has times and nodes of different numbers")
            size = int(_attribute(part, "size", ids.max() + 1 if ids.size else 0))
            if not 0 <= size <= _MOST_NEURONS or (ids.size and ids.max() >= size):
                raise FormatError(f"{path}: {part.name} claims nodes that make no sense")
            neurons.append(ids + sum(populations.values()))
            times.append(stamps / 1000.0)
            populations[name] = size
        dt_ms = _attribute(spikes, "dt_ms", 0.0) or None
        return SpikeTrains(
            times_s=np.concatenate(times),
            neuron=np.concatenate(neurons),
            populations=populations,
            trials_s=_trials(spikes, dt_ms, path),
            dt_ms=dt_ms,
        )


def _attribute(group: h5py.Group, name: str, missing: float) -> float:
    return float(group.attrs.get(f"spikebridge_{name}", missing))


def _trials(spikes: h5py.Group, dt_ms: float | None, path: Path) -> NDArray[np.float64] | None:
    count, steps = (int(_attribute(spikes, name, 0)) for name in ("n_trials", "n_steps"))
    if dt_ms is None or not count:
        return None
    if not 0 < count <= _MOST_NEURONS or steps < 1:
        raise FormatError(f"{path}: its trials make no sense")
    length = steps * dt_ms / 1000.0
    starts = np.arange(count) * length
    return np.stack([starts, starts + length], axis=1)


def encode(recording: Recording) -> bytes:
    """A recording as the bytes of a SONATA spike file; readouts have no place in one."""
    buffer, spikes = io.BytesIO(), recording.spikes
    times, _ = end_to_end(recording)
    order = np.argsort(times, kind="stable")
    with h5py.File(buffer, "w") as file:
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
