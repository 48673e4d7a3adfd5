"""Postsynaptic currents of lone spikes: read back from voltages, and held against the formula.

The formula of a current is the weight times the filter's response to a spike of weight 1.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bridge.compare.probes.silent_networks import currents_of
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]

# How many currents are compared at once: a processor's cache holds some arrays of them.
_NEAR = 1 << 16


def kernels_of(network: SpikingNetwork, steps: int) -> dict[str, Array]:
    """(K, n) output of the filter of each projection for an arrival of 1 in the step before."""
    parts = network.projections
    return {part.name: part.filter.response(network.dt_ms, steps) for part in parts}


def formula(part: Projection, pre: int, kernel: Array) -> Array:
    """(K, n_post) currents over a projection after a spike of its source's neuron in step 0."""
    steps = len(kernel)
    weights = part.column(pre)
    own = [pre] if part.filter.side == "pre" else slice(None)
    # A spike of this step acts in the next one, or within the step.
    first = int(part.delays[pre]) + (0 if part.within_step else 1)
    currents = np.zeros((steps, weights.size))
    currents[first:] = kernel[: max(0, steps - first), own] * weights
    return currents


def compared(
    probe: SpikingNetwork,
    start: Array,
    v: Array,
    expected: Callable[[int], Array],
    reset: NDArray[np.int64] | None = None,
) -> dict[str, Array]:
    """What is compared of the currents of B trials and those of the formula, (B, N) each.

    Args:
        probe: The silent network.
        start: (B, N) voltages before the first step, mV.
        v: (K, B, N) voltages after each step, mV.
        expected: The (K, N) currents of a trial, by the formula.
        reset: (B,) a neuron of each trial whose first step shows no current; None: there is none.
    """
    steps, trials, size = v.shape
    rows = max(1, _NEAR // (steps * size))
    found = []
    for first in range(0, trials, rows):
        mine = np.arange(first, min(first + rows, trials))
        currents = currents_of(probe.populations, probe.dt_ms, start[mine], v[:, mine])
        if reset is not None:
            currents[0, np.arange(mine.size), reset[mine]] = 0.0
        wanted = np.stack([expected(trial) for trial in mine.tolist()], axis=1)
        found.append(_compared(currents, wanted, probe.dt_ms))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _compared(currents: Array, expected: Array, dt_ms: float) -> dict[str, Array]:
    """What is compared of (K, B, N) currents and those of the formula, (B, N) each."""
    return {
        "onset": _onset(currents, expected),
        "expected_onset": _onset(expected, expected),
        "peak": _extreme(currents),
        "expected_peak": _extreme(expected),
        "area": currents.sum(axis=0) * dt_ms,
        "expected_area": expected.sum(axis=0) * dt_ms,
        # Where several filters of both signs meet, an area or a peak may vanish between them.
        "size": np.abs(expected).max(axis=0),
        "weight": np.abs(expected).sum(axis=0) * dt_ms,
    }


def _onset(currents: Array, expected: Array) -> Array:
    """(B, N) first step with a current a quarter as large as the first one of the formula."""
    there = np.abs(expected) > 0
    first = np.argmax(there, axis=0)
    level = 0.25 * np.abs(np.take_along_axis(expected, first[None], axis=0))[0]
    reached = np.abs(currents) > np.where(level > 0, level, np.inf)
    return np.where(reached.any(axis=0), np.argmax(reached, axis=0), np.nan).astype(np.float64)


def _extreme(currents: Array) -> Array:
    """(B, N) current that is largest in size, with its sign."""
    place = np.argmax(np.abs(currents), axis=0)
    return np.asarray(np.take_along_axis(currents, place[None], axis=0)[0])
