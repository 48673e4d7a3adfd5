"""What a kernel is handed: the arrays and whole numbers of the C++ loop, as a GPU takes them.

Rows have a power of two of numbers, all weights are kept, and spikes of inputs are sorted by when
they arrive over each projection.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.compiled.form import Form
from bridge.backends.compiled.gpu.projections import is_train
from bridge.backends.compiled.values import Arrays, arrays_of, numbers_of, rows_of
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection
from bridge.spiking.weights import matrices_of

_LEAST_BLOCK = 16


def block(size: int) -> int:
    """The numbers in a row for so many neurons."""
    return max(_LEAST_BLOCK, 1 << (size - 1).bit_length())


def blocks_of(network: SpikingNetwork) -> dict[str, int]:
    """The sizes of rows, by the names that a kernel may have for them."""
    blocks = {f"BLOCK_{p}": block(each.size) for p, each in enumerate(network.populations)}
    for q, projection in enumerate(network.projections):
        blocks[f"BLOCK_c{q}"] = block(projection.shape[1])
    return blocks


def kernel_numbers(network: SpikingNetwork, drive: Drive, window: range) -> dict[str, int]:
    """The whole numbers, by name, those of a launch left out."""
    numbers = numbers_of(network, drive, window) | {"neurons": network.size}
    for q in range(len(network.projections)):
        # One row more than the longest delay needs.
        numbers[f"ring_turns_{q}"] = numbers[f"turns_{q}"] + 1
    return numbers


def kernel_arrays(network: SpikingNetwork, drive: Drive, form: Form) -> Arrays:
    """The arrays, by name, in the kernel's precision."""
    arrays = arrays_of(network, drive, form, block)
    for q, projection in enumerate(network.projections):
        (matrix,) = matrices_of(projection.weights)
        if not isinstance(matrix, np.ndarray):
            arrays[f"weights_{q}"] = rows_of(matrix.toarray(), block).astype(form.dtype)
            del arrays[f"synapses_{q}"], arrays[f"post_{q}"]
        if is_train(form, form.projections[q]):
            arrays |= _arriving(projection, drive, q)
    return arrays


def _arriving(projection: Projection, drive: Drive, q: int) -> Arrays:
    """Spikes of an input in the order in which they arrive: by trial, step, then unit."""
    spikes = drive.spikes[projection.source]
    steps = spikes.step + projection.delays[spikes.neuron].astype(np.int64)
    order = np.lexsort((spikes.neuron, steps, spikes.trial))
    # One more, so that there is always a next one to look at.
    return {
        f"arriving_steps_{q}": np.append(steps[order], -1),
        f"arriving_units_{q}": np.append(spikes.neuron[order], 0).astype(np.int32),
        f"arriving_first_{q}": np.searchsorted(
            spikes.trial[order], np.arange(drive.n_trials + 1)
        ).astype(np.int64),
    }


def trial_axes(form: Form) -> dict[str, int]:
    """The axis of the trials, of each array that has one."""
    axes = {"inputs": 1, "gains": 0, "noise_keys": 0}
    axes |= {f"push_keys_{m}": 0 for m in range(form.stimulations)}
    for p, mine in enumerate(form.populations):
        axes |= {f"start_{p}_{mine.voltage}": 0, f"noise_{p}": 1}
    return axes


def of_trials(
    arrays: Mapping[str, NDArray[Any]], form: Form, start: int, stop: int
) -> dict[str, NDArray[Any]]:
    """Of the arrays that differ from trial to trial, the part of trials `start` to `stop`."""
    part = {
        name: arrays[name].take(range(start, stop), axis)
        for name, axis in trial_axes(form).items()
        if name in arrays
    }
    for q in range(len(form.projections)):
        if (name := f"arriving_first_{q}") in arrays:
            part[name] = arrays[name][start : stop + 1]
    return part
