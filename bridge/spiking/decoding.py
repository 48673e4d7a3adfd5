"""Readouts from spikes: an output is a function of the spikes, not of the simulator.

The filters are linear, so their states need to be advanced only once a sample; what a spike does
between its step and the end of its sample stands in a table that the filter's own recursion fills.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from bridge.blas_threads import threads_for
from bridge.spiking.filters import Filter
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.operations import NUMPY
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]

# Trials whose filtered spikes a processor's cache holds: with more, each step waits for memory.
AT_ONCE = 128


def decode(
    network: SpikingNetwork, spikes: Spikes, recurrent_gain: Array | None = None
) -> dict[str, Array]:
    """All readouts of a network that are sums of filtered spikes, for given spikes.

    Args:
        network: The network whose readouts are wanted.
        spikes: Events of B trials of K steps, K a multiple of `network.sample_steps`.
        recurrent_gain: (B,) factor on the filtered sum of each trial; None: 1.

    Returns:
        For each readout that is decoded (T, B, O) outputs at the end of each sample.
    """
    gain = np.ones(spikes.n_trials) if recurrent_gain is None else recurrent_gain
    shape = (spikes.n_steps // network.sample_steps, spikes.n_trials)
    outputs = {readout.name: np.zeros((*shape, readout.size)) for readout in network.decoded}
    for start in range(0, spikes.n_trials, AT_ONCE):
        trials = slice(start, min(start + AT_ONCE, spikes.n_trials))
        part = spikes.between(trials.start, trials.stop)
        for readout in network.decoded:
            _add_filtered(outputs[readout.name][:, trials], network, readout, part)
    return {
        readout.name: np.asarray(readout.bias) + gain[:, None] * outputs[readout.name]
        for readout in network.decoded
    }


def _add_filtered(total: Array, network: SpikingNetwork, readout: Readout, spikes: Spikes) -> None:
    """Add what a readout weights of the spikes of B trials to (T, B, O) sums."""
    for channel in readout.channels:
        weights = channel.weights.T
        with threads_for(spikes.n_trials * weights.size):
            for sample, trace in enumerate(traces(network, channel, spikes)):
                total[sample] += trace @ weights


@dataclass(frozen=True)
class _Response:
    """A filter's answer to one spike after n = 0 .. S steps, and how its states carry over.

    Attributes:
        tables: (S + 1, N) each state n steps after a spike.
        kept: For each state the (N,) shares of states S steps before that it holds.
    """

    tables: dict[str, Array]
    kept: dict[str, dict[str, Array]]


def _response(filter_: Filter, size: int, steps: int, dt_ms: float) -> _Response:
    if filter_.memoryless:
        trace = np.zeros((steps + 1, size))
        trace[0] = 1.0
        return _Response({filter_.output: trace}, {filter_.output: {}})
    constants = filter_.constants(dt_ms)
    free = {name: _free(filter_, constants, name, size, steps) for name in filter_.states}
    entry = free[filter_.states[0]]
    kept = {
        # A state's own share first: in which order they are summed decides the rounding.
        state: {
            other: free[other][state][-1]
            for other in sorted(filter_.states, key=lambda other: other != state)
            if np.any(free[other][state])
        }
        for state in filter_.states
    }
    return _Response({name: constants["gain"] * table for name, table in entry.items()}, kept)


def _free(
    filter_: Filter, constants: dict[str, Array], begin: str, size: int, steps: int
) -> dict[str, Array]:
    """(S + 1, N) each state n steps after state `begin` was 1 and all others 0."""
    constant = SimpleNamespace(**constants)
    state = {name: np.full(size, float(name == begin)) for name in filter_.states}
    course: dict[str, Array] = {name: np.empty((steps + 1, size)) for name in filter_.states}
    for n in range(steps + 1):
        for name, value in state.items():
            course[name][n] = value
        state = filter_.decay(NUMPY, SimpleNamespace(**state), constant)
    return course


def traces(network: SpikingNetwork, channel: Channel, spikes: Spikes) -> Iterator[Array]:
    """The filtered spikes of a channel's population at the end of each sample, T times (B, N).

    Each is to be looked at before the next is asked for: its memory is used again.
    """
    span, steps = network.span(channel.source), network.sample_steps
    size = span.stop - span.start
    response = _response(channel.filter, size, steps, network.dt_ms)
    of_span = np.flatnonzero((spikes.neuron >= span.start) & (spikes.neuron < span.stop))
    sample = spikes.step[of_span] // steps
    # The spikes of a cell stay in their order within a sample: it decides the rounding of sums.
    order = np.argsort(sample, kind="stable")
    mine, sample = of_span[order], sample[order]
    ends = np.searchsorted(sample, np.arange(spikes.n_steps // steps), side="right")
    column = spikes.neuron[mine] - span.start
    left = (sample + 1) * steps - 1 - spikes.step[mine]
    place = left.astype(np.int64) * size + column
    cell = spikes.trial[mine].astype(np.int64) * size + column
    tables = {name: table.reshape(-1) for name, table in response.tables.items()}
    state = {name: np.zeros((spikes.n_trials, size)) for name in tables}
    for name, value in channel.initial_states.items():
        state[name] += np.asarray(value)
    # Fresh memory in each sample would take longer than the arithmetic.
    other = {name: np.empty_like(part) for name, part in state.items()}
    share = np.empty((spikes.n_trials, size))
    start = 0
    for end in ends.tolist():
        for name, into in other.items():
            _carry(state, response.kept[name], into, share)
        state, other = other, state
        if end > start:
            for name, table in tables.items():
                came = table.take(place[start:end])
                arrived = np.bincount(cell[start:end], came, minlength=state[name].size)
                state[name] += arrived.reshape(state[name].shape)
        start = end
        yield state[channel.filter.output]


def _carry(states: dict[str, Array], kept: dict[str, Array], into: Array, share: Array) -> None:
    """Fill `into` with what a state holds at the end of a sample of those at its beginning."""
    if not kept:
        into[...] = 0.0
    for number, (name, factor) in enumerate(kept.items()):
        product = np.multiply(states[name], factor, out=share if number else into)
        if number:
            into += product
