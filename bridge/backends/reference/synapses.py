"""A projection in the reference: its filter, its delay, and its sums over synapses."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.delay_line import DelayLine
from bridge.backends.weighted_sums import MatrixSum, WeightedSum, input_current
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.operations import NUMPY
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]


class Synapses:
    """State of one projection in all trials.

    Arrays of the filter are (B, n_post), or (B, n_pre) where its time constants are those of the
    presynaptic side; the current is (B, n_post).
    """

    def __init__(self, network: SpikingNetwork, projection: Projection, drive: Drive) -> None:
        self.projection, self.filter = projection, projection.filter
        held = projection.shape[1 if self.filter.side == "pre" else 0]
        self.constant = SimpleNamespace(**self.filter.constants_of(held, network.dt_ms))
        self.source, self.target = (
            -1 if network.is_input(name) else [p.name for p in network.populations].index(name)
            for name in (projection.source, projection.target)
        )
        self.analog = network.is_analog(projection.source)
        self.presynaptic = self.filter.side == "pre"
        self.within_step = network.acts_within_step(projection)
        self.state: dict[str, Any] = {
            name: np.tile(projection.initial_states.get(name, np.zeros(held)), (drive.n_trials, 1))
            for name in self.filter.states
        }
        self.synapses, *factors = projection.factors
        self.weighted_sum, self.outer = WeightedSum(projection), [MatrixSum(b) for b in factors]
        self.graded = network.emits(projection.source) == "value"
        self._weighted_u: tuple[Array, Array] | None = None
        gain = drive.recurrent_gain
        scaled = self.source >= 0 and projection.scaled
        self.gain = gain[:, None] if gain is not None and scaled else None
        late, steps = projection.longest_delay_steps > 0, drive.n_steps(network)
        self.way = DelayLine(projection.delay_steps, steps) if late else None
        self.current = self._start(drive.n_trials)

    def _start(self, trials: int) -> Array:
        """The current before anything was taken: what the filter holds."""
        if self.filter.memoryless:
            return np.zeros((trials, self.projection.shape[0]))
        output: Array = self.state[self.filter.output]
        return self._scaled(self.weighted_sum(output)) if self.presynaptic else output

    def take(self, sent: NDArray[Any]) -> None:
        """Decay, then take what arrives in this step: emitted by the source, or an input u."""
        if self.presynaptic:
            trace = self._filtered(self._arriving(sent))
            self.current = self._scaled(self.weighted_sum(trace))
        else:
            weighted = self._weighted(self._arriving(sent))
            self.current = self._filtered(self._scaled(weighted))

    def _arriving(self, sent: NDArray[Any]) -> Array:
        """s, a value, or u, (B, n_pre)."""
        arriving = sent if self.way is None else self.way.arriving(sent)
        return arriving if arriving.dtype == np.float64 else arriving.astype(np.float64)

    def _weighted(self, arriving: Array) -> Array:
        """W s, or W u, summed in ascending order of the presynaptic neuron; factored B (D s)."""
        if self.analog:
            # A sample lasts for many steps.
            if self._weighted_u is None or self._weighted_u[0] is not arriving:
                self._weighted_u = (arriving, input_current(self.projection, arriving))
            return self._weighted_u[1]
        if self.graded:
            return self.weighted_sum(arriving)
        columns = self.synapses
        weighted = np.zeros((len(arriving), columns.shape[0]))
        for trial, neuron in zip(*np.nonzero(arriving), strict=True):
            first, last = columns.indptr[neuron], columns.indptr[neuron + 1]
            weighted[trial, columns.indices[first:last]] += columns.data[first:last]
        for factor in self.outer:
            weighted = factor(weighted)
        return weighted

    def _scaled(self, arrived: Array) -> Array:
        return arrived if self.gain is None else arrived * self.gain

    def _filtered(self, arrived: Array) -> Array:
        if self.filter.memoryless:
            return arrived
        self.state = self.filter.decay(NUMPY, SimpleNamespace(**self.state), self.constant)
        entry = self.filter.states[0]
        self.state[entry] = self.state[entry] + arrived * self.constant.gain
        output: Array = self.state[self.filter.output]
        return output


def filtered_input(network: SpikingNetwork, projection: Projection, drive: Drive) -> Array:
    """(K, B, n_post) current of every step over a projection from an analog input."""
    synapses = Synapses(network, projection, drive)
    steps, samples = drive.n_steps(network), len(drive.inputs)
    currents = np.empty((steps, drive.n_trials, projection.shape[0]))
    rows = list(drive.inputs[:, :, network.channels(projection.source)])
    for step in range(steps):
        u = rows[network.input_sample(step, samples)]
        if synapses.within_step:
            synapses.take(u)
        currents[step] = synapses.current
        if not synapses.within_step:
            synapses.take(u)
    return currents
