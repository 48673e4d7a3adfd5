"""The reference simulator in NumPy: it defines what a description means, one line an equation.

The contract of a step, from the state at the start of step k:

1. current = bias + filtered projections + W u[k], summed in the order of the projections;
2. membrane step where the refractory count is zero; then noise, everywhere; then stimulation;
3. a neuron spikes where v >= threshold;
4. filters decay, then take what arrives: W s of this step (or of `delay_steps` earlier). Those of
   the presynaptic side take s itself, and W sums what they hold;
5. v = reset where a neuron spiked, and its refractory count starts.

So a spike at k enters the filters at k and moves a voltage first at k + 1 (single exponential,
direct) or k + 2 (double exponential, whose current takes the old rise state).

Every line is one binary operation in float64 and every sum over synapses runs in ascending order
of the presynaptic neuron: the other float64 backends repeat just these operations, and so give
bit for bit the same voltages.
"""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bridge.backends.constants import (
    Gates,
    Membrane,
    WeightedSum,
    gates,
    input_current,
    membrane,
)
from bridge.backends.recorder import EventList, recording
from bridge.errors import BackendError
from bridge.spiking.drive import Drive, NoiseStream, OwnNoise
from bridge.spiking.filters import Direct
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.neurons import LARGEST_MV, Population
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    voltages: bool = False,
    margins: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials in float64, all side by side.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is drawn from NumPy's PCG64.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        on_progress: Called with the fraction done after each sample.
    """
    drive.check(network)
    run = Stepper(network, drive)
    events = EventList(network, drive, voltages=voltages, margins=margins)
    for sample in range(len(drive.inputs)):
        xi = None if run.noise is None else run.noise.take(network.sample_steps)
        for tick in range(network.sample_steps):
            step = sample * network.sample_steps + tick
            run.begin(step, None if xi is None else xi[tick])
            events.note_margins(run.populations)
            run.end(step)
            events.note_spikes(step, run.populations)
        events.note_voltages(sample, run.populations)
        if on_progress is not None:
            on_progress((sample + 1) / len(drive.inputs))
    return recording(network, drive, events, backend="reference", dtype="float64")


class Stepper:
    """A run in progress, to be taken step by step.

    Attributes:
        populations: State of the neurons, population by population.
        projections: State of the synapses, projection by projection.
        noise: Noise of the steps to come; None: there is none.
    """

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self._network, self._inputs = network, drive.inputs
        v = drive.initial_voltages_mv(network)
        self.populations = [_Neurons(network, each, v) for each in network.populations]
        self.projections = [Synapses(network, each, drive) for each in network.projections]
        self.noise = _noise(network, drive)
        self._kicks = _Kicks(network, drive)

    def begin(self, step: int, noise_mv: Array | None) -> None:
        """The step until its voltages stand, before anyone spikes; (B, N) noise in mV."""
        u = self._input(step)
        for neurons in self.populations:
            neurons.current[:] = neurons.membrane.bias
        for synapses in self.projections:
            synapses.add_current(self.populations, u)
        for neurons in self.populations:
            neurons.advance(noise_mv)
        self._kicks.give(step, self.populations)

    def end(self, step: int) -> None:
        """The rest of it: spikes, filters, reset."""
        u = self._input(step)
        for neurons in self.populations:
            neurons.spikes = neurons.v >= neurons.membrane.threshold
        for synapses in self.projections:
            synapses.take(self.populations, u)
        for neurons in self.populations:
            neurons.reset()

    def _input(self, step: int) -> Array:
        u: Array = self._inputs[self._network.input_sample(step, len(self._inputs))]
        return u


def _noise(network: SpikingNetwork, drive: Drive) -> "NoiseStream | _OwnStream | None":
    if isinstance(drive.noise, OwnNoise):
        return _OwnStream(network, drive) if network.noise_mv().any() else None
    stream = NoiseStream(network, drive)
    return None if stream.silent else stream


class _OwnStream:
    """This simulator's own noise: one PCG64 stream for the whole batch."""

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        if not isinstance(drive.noise, OwnNoise):
            raise BackendError("own noise needs a seed")
        self._rng = np.random.default_rng((drive.noise.seed, drive.first_trial))
        self._sd_mv, self._trials = network.noise_mv(), drive.n_trials

    def take(self, n_steps: int) -> Array:
        shape = (n_steps, self._trials, self._sd_mv.size)
        return self._rng.standard_normal(shape) * self._sd_mv


class _Neurons:
    """State of one population in all trials; arrays are (B, n)."""

    def __init__(self, network: SpikingNetwork, population: Population, v: Array) -> None:
        self.span = network.span(population.name)
        self.name = population.name
        self.membrane: Membrane = membrane(population.neurons, network.dt_ms)
        self.v: Array = v[:, self.span].copy()
        self.current: Array = np.empty_like(self.v)
        self.spikes: NDArray[np.bool_] = np.zeros(self.v.shape, dtype=bool)
        self.refractory = np.full(self.v.shape, population.neurons.initial_refractory_steps)
        self.refractory_steps = population.neurons.refractory_steps

    def advance(self, noise_mv: Array | None) -> None:
        """Membrane step where not refractory, then noise, everywhere."""
        active = self.refractory == 0
        self.v = np.where(active, self._stepped(), self.v)
        self.refractory = np.where(active, 0, self.refractory - 1)
        if noise_mv is not None:
            self.v = self.v + noise_mv[:, self.span]

    def _stepped(self) -> Array:
        if self.membrane.step == "euler":
            change = self.current - self.v
            change = change * self.membrane.factor
            return self.v + change
        if self.membrane.step == "exact":
            change = self.v - self.current
            change = change * self.membrane.factor
            return self.current + change
        bounded = np.clip(self.v, -LARGEST_MV, LARGEST_MV)
        change = bounded * bounded
        change = change + self.current
        change = change * self.membrane.factor
        return self.v + change

    def reset(self) -> None:
        """Reset voltage and refractory count where a neuron spiked."""
        self.v = np.where(self.spikes, self.membrane.reset, self.v)
        self.refractory = np.where(self.spikes, self.refractory_steps, self.refractory)


class _Kicks:
    """The stimulation of a run."""

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self.chosen = drive.chosen(network.size)
        self.kicks = drive.kicks()

    def give(self, step: int, populations: list[_Neurons]) -> None:
        """Push the chosen neurons, one stimulation after the other."""
        if not len(self.chosen):
            return
        kicks_mv = self.kicks.take(range(step, step + 1))[0]
        for chosen, kick_mv in zip(self.chosen, kicks_mv, strict=True):
            for neurons in populations:
                neurons.v = neurons.v + kick_mv[:, None] * chosen[neurons.span]


class Synapses:
    """State of one projection in all trials.

    Arrays of the filter are (B, n_post), or (B, n_pre) where its time constants are those of the
    presynaptic side; the current is (B, n_post).
    """

    def __init__(self, network: SpikingNetwork, projection: Projection, drive: Drive) -> None:
        self.projection = projection
        self.gates: Gates = gates(projection.filter, network.dt_ms)
        self.source, self.target = (
            [p.name for p in network.populations].index(name) if name != INPUT else -1
            for name in (projection.source, projection.target)
        )
        n_post, n_pre = projection.shape
        self.presynaptic = projection.filter.side == "pre"
        self.trace: Array = np.zeros((drive.n_trials, n_pre if self.presynaptic else n_post))
        self.rise: Array = np.zeros_like(self.trace)
        self.current: Array = np.zeros((drive.n_trials, n_post))
        self.synapses, self.weighted_sum = projection.synapses(), WeightedSum(projection)
        gain = drive.recurrent_gain
        self.gain = None if gain is None or self.source < 0 else gain[:, None]
        self.delayed: deque[NDArray[np.bool_]] = deque()

    def add_current(self, populations: list[_Neurons], u: Array) -> None:
        """Add what this projection drives its target with in this step."""
        if self.source < 0 and isinstance(self.projection.filter, Direct):
            self.current = input_current(self.projection, u)
        target = populations[self.target]
        target.current = target.current + self.current

    def take(self, populations: list[_Neurons], u: Array) -> None:
        """Decay, then take what arrives in this step."""
        if self.presynaptic:
            self._filter(self._arriving(populations, u))
            self.current = self._scaled(self.weighted_sum(self.trace))
        else:
            self._filter(self._scaled(self._weighted(self._arriving(populations, u))))
            self.current = self.trace

    def _arriving(self, populations: list[_Neurons], u: Array) -> Array:
        """s, or u, (B, n_pre)."""
        if self.source < 0:
            return u
        self.delayed.append(populations[self.source].spikes)
        if len(self.delayed) > self.projection.delay_steps:
            return self.delayed.popleft().astype(np.float64)
        return np.zeros((len(self.current), self.projection.shape[1]))

    def _weighted(self, arriving: Array) -> Array:
        """W s, or W u, summed in ascending order of the presynaptic neuron."""
        if self.source < 0:
            return input_current(self.projection, arriving)
        weighted, columns = np.zeros_like(self.current), self.synapses
        for trial, neuron in zip(*np.nonzero(arriving), strict=True):
            first, last = columns.indptr[neuron], columns.indptr[neuron + 1]
            weighted[trial, columns.indices[first:last]] += columns.data[first:last]
        return weighted

    def _scaled(self, arrived: Array) -> Array:
        return arrived if self.gain is None else arrived * self.gain

    def _filter(self, arrived: Array) -> None:
        decay, rise, gain = self.gates.decay, self.gates.rise, self.gates.gain
        if decay is None or gain is None:
            self.trace = arrived
            return
        self.trace = self.trace * decay
        if rise is None:
            self.trace = self.trace + arrived * gain
        else:
            self.trace = self.trace + self.rise * self.gates.dt_s
            self.rise = self.rise * rise
            self.rise = self.rise + arrived * gain


def filtered_input(network: SpikingNetwork, projection: Projection, drive: Drive) -> Array:
    """(K, B, n_post) current of every step over a projection from the input, filtered."""
    synapses = Synapses(network, projection, drive)
    steps, samples = drive.n_steps(network), len(drive.inputs)
    currents = np.empty((steps, drive.n_trials, projection.shape[0]))
    for step in range(steps):
        currents[step] = synapses.current
        synapses.take([], drive.inputs[network.input_sample(step, samples)])
    return currents
