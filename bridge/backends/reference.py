"""The reference simulator in NumPy: it defines what a description means, one line an equation.

The contract of a step, from the state at the start of step k:

1. current = bias + filtered projections + W u[k], summed in the order of the projections;
2. membrane step where the refractory count is zero; then noise, everywhere;
3. a neuron spikes where v >= threshold;
4. filters decay, then take what arrives: W s of this step (or of `delay_steps` earlier);
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

from bridge.backends.constants import Gates, Membrane, gates, input_current, membrane
from bridge.backends.recorder import EventList, recording
from bridge.errors import BackendError
from bridge.spiking.drive import Drive, NoiseStream, OwnNoise
from bridge.spiking.filters import Direct
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.neurons import Population
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
    inputs = drive.inputs
    v = drive.initial_voltages_mv(network)
    populations = [_Neurons(network, population, v) for population in network.populations]
    projections = [_Synapses(network, projection, drive) for projection in network.projections]
    noise = _noise(network, drive)
    events = EventList(network, drive, voltages=voltages, margins=margins)
    for sample in range(len(inputs)):
        xi = None if noise is None else noise.take(network.sample_steps)
        for tick in range(network.sample_steps):
            step = sample * network.sample_steps + tick
            u = inputs[network.input_sample(step, len(inputs))]
            for neurons in populations:
                neurons.current[:] = neurons.membrane.bias
            for synapses in projections:
                synapses.add_current(populations, u)
            for neurons in populations:
                neurons.advance(None if xi is None else xi[tick])
            events.note_margins(populations)
            for neurons in populations:
                neurons.spikes = neurons.v >= neurons.membrane.threshold
            for synapses in projections:
                synapses.take(populations, u)
            for neurons in populations:
                neurons.reset()
            events.note_spikes(step, populations)
        events.note_voltages(sample, populations)
        if on_progress is not None:
            on_progress((sample + 1) / len(inputs))
    return recording(network, drive, events, backend="reference", dtype="float64")


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
        if self.membrane.euler:
            change = self.current - self.v
            change = change * self.membrane.factor
            stepped = self.v + change
        else:
            change = self.v - self.current
            change = change * self.membrane.factor
            stepped = self.current + change
        self.v = np.where(active, stepped, self.v)
        self.refractory = np.where(active, 0, self.refractory - 1)
        if noise_mv is not None:
            self.v = self.v + noise_mv[:, self.span]

    def reset(self) -> None:
        """Reset voltage and refractory count where a neuron spiked."""
        self.v = np.where(self.spikes, self.membrane.reset, self.v)
        self.refractory = np.where(self.spikes, self.refractory_steps, self.refractory)


class _Synapses:
    """State of one projection in all trials; arrays are (B, n_post)."""

    def __init__(self, network: SpikingNetwork, projection: Projection, drive: Drive) -> None:
        self.projection = projection
        self.gates: Gates = gates(projection.filter, network.dt_ms)
        self.source, self.target = (
            [p.name for p in network.populations].index(name) if name != INPUT else -1
            for name in (projection.source, projection.target)
        )
        shape = (drive.n_trials, projection.shape[0])
        self.current: Array = np.zeros(shape)
        self.rise: Array = np.zeros(shape)
        self.synapses = projection.synapses()
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
        arrived = self._arrivals(populations, u)
        decay, rise, gain = self.gates.decay, self.gates.rise, self.gates.gain
        if decay is None or gain is None:
            self.current = arrived
            return
        self.current = self.current * decay
        if rise is None:
            self.current = self.current + arrived * gain
        else:
            self.current = self.current + self.rise * self.gates.dt_s
            self.rise = self.rise * rise
            self.rise = self.rise + arrived * gain

    def _arrivals(self, populations: list[_Neurons], u: Array) -> Array:
        """W s (or W u), summed in ascending order of the presynaptic neuron."""
        if self.source < 0:
            return input_current(self.projection, u)
        self.delayed.append(populations[self.source].spikes)
        arrived = np.zeros_like(self.current)
        if len(self.delayed) > self.projection.delay_steps:
            columns = self.synapses
            for trial, neuron in zip(*np.nonzero(self.delayed.popleft()), strict=True):
                first, last = columns.indptr[neuron], columns.indptr[neuron + 1]
                arrived[trial, columns.indices[first:last]] += columns.data[first:last]
        return arrived if self.gain is None else arrived * self.gain
