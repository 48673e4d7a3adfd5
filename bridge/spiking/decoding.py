"""Readouts from spikes: an output is a function of the spikes, not of the simulator.

The filters are linear, so their states need to be advanced only once a sample; what a spike does
between its step and the end of its sample stands in a table that the filter's own recursion fills.
"""

from collections.abc import Iterator
from dataclasses import dataclass

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
from bridge.spiking.network import Channel, SpikingNetwork
from bridge.spiking.recording import Spikes
from bridge.spiking.values import unknown

Array = NDArray[np.float64]


def decode(
    network: SpikingNetwork, spikes: Spikes, recurrent_gain: Array | None = None
) -> dict[str, Array]:
    """All readouts of a network for given spikes.

    Args:
        network: The network whose readouts are wanted.
        spikes: Events of B trials of K steps, K a multiple of `network.sample_steps`.
        recurrent_gain: (B,) factor on the filtered sum of each trial; None: 1.

    Returns:
        For each readout (T, B, O) outputs at the end of each sample.
    """
    gain = np.ones(spikes.n_trials) if recurrent_gain is None else recurrent_gain
    outputs = {}
    for readout in network.readouts:
        total = np.zeros((spikes.n_steps // network.sample_steps, spikes.n_trials, readout.size))
        for channel in readout.channels:
            weights = channel.weights.T
            for sample, trace in enumerate(traces(network, channel, spikes)):
                total[sample] += trace @ weights
        outputs[readout.name] = np.asarray(readout.bias) + gain[:, None] * total
    return outputs


@dataclass(frozen=True)
class _Response:
    """A filter's answer to one spike after n = 0 .. S steps, and how its states carry over."""

    trace: Array  # (S + 1, N) trace n steps after a spike
    rise: Array  # (S + 1, N) rise state n steps after a spike
    trace_kept: Array  # (N,) part of the trace left after S steps
    trace_from_rise: Array  # (N,) trace that a unit of rise state becomes in S steps
    rise_kept: Array  # (N,) part of the rise state left after S steps


def _response(filter_: Filter, size: int, steps: int, dt_ms: float) -> _Response:
    zeros = np.zeros((steps + 1, size))
    if isinstance(filter_, Direct):
        trace = zeros.copy()
        trace[0] = 1.0
        return _Response(trace, zeros, zeros[0], zeros[0], zeros[0])
    gain = spike_gain(filter_)
    if isinstance(filter_, Exponential):
        kept = _powers(decay_factor(filter_.tau_ms, dt_ms), steps)
        return _Response(gain * kept, zeros, kept[-1], zeros[0], zeros[0])
    if not isinstance(filter_, DoubleExponential):
        raise unknown("filter of a readout", filter_)
    return _double_exponential_response(filter_, gain, steps, dt_ms)


def _double_exponential_response(
    filter_: DoubleExponential, gain: Array, steps: int, dt_ms: float
) -> _Response:
    decay = decay_factor(filter_.tau_decay_ms, dt_ms)
    rise = _powers(decay_factor(filter_.tau_rise_ms, dt_ms), steps)
    trace = np.zeros_like(rise)
    for n in range(steps):
        trace[n + 1] = trace[n] * decay + rise[n] * (dt_ms / 1000.0)
    return _Response(gain * trace, gain * rise, _powers(decay, steps)[-1], trace[-1], rise[-1])


def _powers(factor: Array, steps: int) -> Array:
    """(steps + 1, N) factor ** n by repeated multiplication, as a simulator does it."""
    factors: Array = np.vstack([np.ones_like(factor), np.tile(factor, (steps, 1))])
    return factors.cumprod(axis=0)


def traces(network: SpikingNetwork, channel: Channel, spikes: Spikes) -> Iterator[Array]:
    """The filtered spikes of a channel's population at the end of each sample, T times (B, N)."""
    span, steps = network.span(channel.source), network.sample_steps
    size = span.stop - span.start
    response = _response(channel.filter, size, steps, network.dt_ms)
    step, neuron = spikes.step, spikes.neuron
    mine = np.flatnonzero((neuron >= span.start) & (neuron < span.stop))
    mine = mine[np.argsort(step[mine], kind="stable")]
    n_samples = spikes.n_steps // steps
    ends = np.searchsorted(step[mine], steps * np.arange(1, n_samples + 1))
    trace, rise = np.zeros((2, spikes.n_trials, size))
    start = 0
    for sample, end in enumerate(ends):
        trace = trace * response.trace_kept + rise * response.trace_from_rise
        rise = rise * response.rise_kept
        if end > start:
            events = mine[start:end]
            left = (sample + 1) * steps - 1 - step[events]
            column = neuron[events] - span.start
            cell = spikes.trial[events].astype(np.int64) * size + column
            for state, table in ((trace, response.trace), (rise, response.rise)):
                arrived = np.bincount(cell, table[left, column], minlength=state.size)
                state += arrived.reshape(state.shape)
        start = end
        yield trace
