"""Filtered spikes at the end of each sample, which readouts weigh.

The filters are linear, so their states need to be advanced only once a sample; what a spike does
between its step and the end of its sample stands in a table that the filter's own recursion fills.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.filters import Filter
from bridge.spiking.network import Channel, SpikingNetwork
from bridge.spiking.operations import NUMPY
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]
Places = NDArray[np.intp]

# Up to so many cells a factor of each costs less than one for each neuron: its rows are short.
_FEW_CELLS = 1 << 15
# Numbers below it have 16 bits.
_SHORT = 1 << 16


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


@dataclass(frozen=True)
class Filtered:
    """What a channel filters, and how.

    Attributes:
        span: The neurons it reads.
        steps: Of a sample.
        response: Of its filter.
        output: The state that is the trace.
        start: (N,) states to start from, those that are not 0.
    """

    span: slice
    steps: int
    response: _Response
    output: str
    start: Mapping[str, Array]

    def traces(self, spikes: Spikes) -> Iterator[Array]:
        """Of the spikes of B trials the trace at the end of each sample, T times (B, N).

        Each is to be looked at before the next is asked for: its memory is used again.
        """
        states = _States(self.response, (spikes.n_trials, self.span.stop - self.span.start))
        for name, value in self.start.items():
            states.values[name] += value
        for cell, place in self._arrivals(spikes):
            states.carry()
            states.arrive(cell, place)
            yield states.values[self.output]

    def _arrivals(self, spikes: Spikes) -> Iterator[tuple[Places, Places]]:
        """For each sample the cells, of (B, N), that fire, and their places in the tables."""
        trial, step, neuron = self._read(spikes)
        size, samples = self.span.stop - self.span.start, spikes.n_steps // self.steps
        sample = step // np.int32(self.steps)
        left = (sample + 1) * np.int32(self.steps) - 1 - step
        # The spikes of a cell stay in their order within a sample: it decides the rounding of sums.
        # Numbers of 16 bits are not compared but counted, which is quicker.
        short = sample.astype(np.uint16) if samples < _SHORT else sample
        order = np.argsort(short, kind="stable")
        cells, places = (_numbered(rows, neuron, size)[order] for rows in (trial, left))
        ends = np.cumsum(np.bincount(sample, minlength=samples))[:samples]
        start = 0
        for end in ends.tolist():
            yield cells[start:end], places[start:end]
            start = end

    def _read(self, spikes: Spikes) -> tuple[NDArray[np.int32], ...]:
        """Trial, step and number in the span of each spike of the neurons that are read."""
        columns = (spikes.trial, spikes.step, spikes.neuron)
        if self.span == slice(0, spikes.n_neurons):
            return columns
        read = (spikes.neuron >= self.span.start) & (spikes.neuron < self.span.stop)
        trial, step, neuron = (column[read] for column in columns)
        return trial, step, neuron - np.int32(self.span.start)


def filtered(network: SpikingNetwork, channel: Channel) -> Filtered:
    """How the spikes of the population that a channel reads are filtered."""
    span, steps = network.span(channel.source), network.sample_steps
    return Filtered(
        span=span,
        steps=steps,
        response=_response(channel.filter, span.stop - span.start, steps, network.dt_ms),
        output=channel.filter.output,
        start={name: np.asarray(value) for name, value in channel.initial_states.items()},
    )


def _numbered(rows: NDArray[np.int32], columns: NDArray[np.int32], size: int) -> Places:
    """Where rows and columns stand in a table of rows of so many numbers."""
    places = rows.astype(np.intp)
    places *= size
    places += columns
    return places


class _States:
    """The states of a filter in (B, N) cells, changed in place: fresh memory would take longer.

    Attributes:
        values: (B, N) each state, by name.
    """

    def __init__(self, response: _Response, shape: tuple[int, int]) -> None:
        self.values = {name: np.zeros(shape) for name in response.tables}
        self._tables = {name: table.reshape(-1) for name, table in response.tables.items()}
        few = shape[0] * shape[1] <= _FEW_CELLS
        kept = {
            name: {
                other: np.broadcast_to(factor, shape).copy() if few else factor
                for other, factor in shares.items()
            }
            for name, shares in response.kept.items()
        }
        self._own = {name: shares.pop(name, None) for name, shares in kept.items()}
        self._others = [
            (name, other, factor, np.empty(shape))
            for name, shares in kept.items()
            for other, factor in shares.items()
        ]

    def carry(self) -> None:
        """Go from one end of a sample to the next, as if nothing arrived."""
        for _, other, factor, share in self._others:
            np.multiply(self.values[other], factor, out=share)
        for name, own in self._own.items():
            if own is None:
                self.values[name].fill(0.0)
            else:
                self.values[name] *= own
        for name, _, _, share in self._others:
            self.values[name] += share

    def arrive(self, cells: Places, places: Places) -> None:
        """Add what the spikes of cells come to at the end of the sample."""
        if not cells.size:
            return
        for name, table in self._tables.items():
            values = self.values[name]
            arrived = np.bincount(cells, table.take(places), minlength=values.size)
            values += arrived.reshape(values.shape)
