"""Constants of a run, computed once in float64 and handed to every backend."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.filters import (
    Direct,
    DoubleExponential,
    Exponential,
    Filter,
    decay_factor,
    spike_gain,
)
from bridge.spiking.network import Projection
from bridge.spiking.neurons import Lif, NeuronModel, Qif
from bridge.spiking.values import unknown

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Membrane:
    """Constants of the membrane step of a population, each (n,).

    euler: v = v + (current - v) factor; exact: v = current + (v - current) factor;
    quadratic: v = v + (v^2 + current) factor.
    """

    step: Literal["euler", "exact", "quadratic"]
    factor: Array
    bias: Array
    threshold: Array
    reset: Array


def membrane(neurons: NeuronModel, dt_ms: float) -> Membrane:
    """The constants of a population; the resting voltage of a LIF neuron is part of the bias.

    Raises:
        SpecError: backends know no such model.
    """
    tau_ms, bias = np.asarray(neurons.tau_mem_ms), np.asarray(neurons.bias_mv)
    step: Literal["euler", "exact", "quadratic"] = "quadratic"
    if isinstance(neurons, Lif):
        step = neurons.membrane_step
        bias = bias + np.asarray(neurons.v_rest_mv)
    elif not isinstance(neurons, Qif):
        raise unknown("neuron model", neurons)
    return Membrane(
        step=step,
        factor=decay_factor(tau_ms, dt_ms) if step == "exact" else dt_ms / tau_ms,
        bias=bias,
        threshold=np.asarray(neurons.v_threshold_mv),
        reset=np.asarray(neurons.v_reset_mv),
    )


@dataclass(frozen=True)
class Gates:
    """Constants of a filter, each (n,).

    Double exponential: x = x decay + h dt_s, h = h rise + arrived gain. Single: rise is None and
    x = x decay + arrived gain. Direct: all None and x = arrived.
    """

    decay: Array | None
    rise: Array | None
    gain: Array | None
    dt_s: float


def gates(filter_: Filter, dt_ms: float) -> Gates:
    """The constants of a filter; SpecError where backends know no such filter."""
    dt_s = dt_ms / 1000.0
    if isinstance(filter_, Direct):
        return Gates(None, None, None, dt_s)
    if isinstance(filter_, DoubleExponential):
        decay = decay_factor(filter_.tau_decay_ms, dt_ms)
        return Gates(decay, decay_factor(filter_.tau_rise_ms, dt_ms), spike_gain(filter_), dt_s)
    if not isinstance(filter_, Exponential):
        raise unknown("filter", filter_)
    return Gates(decay_factor(filter_.tau_ms, dt_ms), None, spike_gain(filter_), dt_s)


def input_current(projection: Projection, samples: Array) -> Array:
    """W u for (..., C) input samples, (..., n_post), summed in ascending order of the channel."""
    columns = projection.synapses().toarray().T
    total = np.zeros((*samples.shape[:-1], projection.shape[0]))
    for channel, column in enumerate(columns):
        total = total + samples[..., channel, None] * column
    return total


class WeightedSum:
    """W x summed in ascending order of the presynaptic neuron.

    Every product and every sum is rounded once; synapses of weight 0 are left out.
    """

    def __init__(self, projection: Projection) -> None:
        columns = projection.synapses()
        self._size = projection.shape[0]
        self._pre = np.repeat(np.arange(projection.shape[1]), np.diff(columns.indptr))
        self._post, self._weights = columns.indices, columns.data

    def __call__(self, x: Array) -> Array:
        """(B, n_post) sums of (B, n_pre) numbers."""
        # bincount adds one after the other, in the order it is given.
        sums = [np.bincount(self._post, row[self._pre] * self._weights, self._size) for row in x]
        return np.stack(sums)
