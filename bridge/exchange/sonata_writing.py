"""Writing a recording as a SONATA spike file."""

import io
from typing import Any

import h5py
import numpy as np

from bridge.exchange.links import CHECKED_LAYOUT
from bridge.exchange.spike_trains import end_to_end
from bridge.spiking.recording import Recording

MAGIC, VERSION = 0x0A7A, (0, 1)
SORTINGS = {"none": 0, "by_id": 1, "by_time": 2}
"""What the attribute `sorting` says, and the numbers it is kept as."""

OURS = "spikebridge_"
"""How the names of our own attributes begin."""


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
            group.attrs[f"{OURS}{name}"] = value
        start = 0
        sorting = h5py.enum_dtype(SORTINGS, basetype=np.uint8)
        for place, (name, size) in enumerate(recording.populations.items()):
            neuron = spikes.neuron[order]
            mine = (neuron >= start) & (neuron < start + size)
            part = group.create_group(name)
            part.attrs.create("sorting", SORTINGS["by_time"], dtype=sorting)
            part.attrs[f"{OURS}size"] = size
            part.attrs[f"{OURS}place"] = place
            stamps = part.create_dataset("timestamps", data=1000.0 * times[order][mine])
            stamps.attrs["units"] = "ms"
            ids = (neuron[mine] - start).astype(np.uint64)
            part.create_dataset("node_ids", data=ids)
            start += size
    return buffer.getvalue()
