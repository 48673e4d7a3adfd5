"""Constants of a run, computed once in float64 and handed to every backend."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.filters import Direct, DoubleExponential, Filter, decay_factor, spike_gain
from bridge.spiking.network import Projection
from bridge.spiking.neurons import Lif

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Membrane:
    """Constants of the membrane step of a population, each (n,).

    euler: v = v + (current - v) factor; exact: v = current + (v - current) factor.
    """

    euler: bool
    factor: Array
    bias: Array
    threshold: Array
    reset: Array


def membrane(neurons: Lif, dt_ms: float) -> Membrane:
    """The constants of a LIF population; the resting voltage is part of the bias."""
    euler = neurons.membrane_step == "euler"
    tau_ms = np.asarray(neurons.tau_mem_ms)
    return Membrane(
        euler=euler,
        factor=dt_ms / tau_ms if euler else decay_factor(tau_ms, dt_ms),
        bias=np.asarray(neurons.bias_mv) + np.asarray(neurons.v_rest_mv),
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
    """The constants of a filter."""
    dt_s = dt_ms / 1000.0
    if isinstance(filter_, Direct):
        return Gates(None, None, None, dt_s)
    if isinstance(filter_, DoubleExponential):
        decay = decay_factor(filter_.tau_decay_ms, dt_ms)
        return Gates(decay, decay_factor(filter_.tau_rise_ms, dt_ms), spike_gain(filter_), dt_s)
    return Gates(decay_factor(filter_.tau_ms, dt_ms), None, spike_gain(filter_), dt_s)


def input_current(projection: Projection, samples: Array) -> Array:
    """W u for (..., C) input samples, (..., n_post), summed in ascending order of the channel."""
    columns = projection.synapses().toarray().T
    total = np.zeros((*samples.shape[:-1], projection.shape[0]))
    for channel, column in enumerate(columns):
        total = total + samples[..., channel, None] * column
    return total
