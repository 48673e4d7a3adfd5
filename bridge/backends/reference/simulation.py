"""The reference simulator in NumPy: it defines what a description means, one line an equation.

The contract of a step, from the state at the start of step k, population by population:

1. current = bias + filtered projections + W u[k], summed in the order of the projections;
2. the model's step where the refractory count is zero; then noise, everywhere; then stimulation;
3. a neuron spikes where v >= threshold (or above it, as the model says), and emits;
4. projections within the step take what the population emits before a later population sums its
   current: their filters decay, then take it.

When all populations have emitted:

5. the other filters decay, then take what arrives: W s of this step (or of `delay_steps` earlier).
   Those of the presynaptic side take s itself, and W sums what they hold;
6. the states that the model resets are reset where a neuron spiked, and its refractory count
   starts.

So a spike at k enters the filters at k and moves a voltage first at k + 1 (single exponential,
direct) or k + 2 (double exponential, whose current takes the old rise state); within the step one
step earlier.

Every line is one binary operation in float64 and every sum over synapses runs in ascending order
of the presynaptic neuron: the other float64 backends repeat just these operations, and so give
bit for bit the same voltages.
"""

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.recorder import EventList, check_finite, recording
from bridge.backends.weighted_sums import WeightedSum, input_current
from bridge.errors import BackendError
from bridge.spiking.drive import Drive, NoiseStream, OwnNoise
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.operations import NUMPY
from bridge.spiking.population import Population
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
        # What overflows is told of below, in a sentence.
        with np.errstate(over="ignore", invalid="ignore"):
            _sample(network, run, events, sample)
        for population, neurons in zip(network.populations, run.populations, strict=True):
            for name, values in neurons.state.items():
                check_finite(population, name, values, (sample + 1) * network.sample_steps - 1)
        if on_progress is not None:
            on_progress((sample + 1) / len(drive.inputs))
    return recording(network, drive, events, backend="reference", dtype="float64")


def _sample(network: SpikingNetwork, run: "Stepper", events: EventList, sample: int) -> None:
    """All steps of one sample."""
    xi = None if run.noise is None else run.noise.take(network.sample_steps)
    for tick in range(network.sample_steps):
        step = sample * network.sample_steps + tick
        run.step(step, None if xi is None else xi[tick], events.note_margins)
        events.note_spikes(step, run.populations)
    events.note_voltages(sample, run.populations)


class Stepper:
    """A run in progress, to be taken step by step.

    Attributes:
        populations: State of the neurons, population by population.
        projections: State of the synapses, projection by projection.
        noise: Noise of the steps to come; None: there is none.
    """

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self._network, self._inputs = network, drive.inputs
        self._sample, self._u = -1, drive.inputs[0]
        v = drive.initial_voltages_mv(network)
        self.populations = [Neurons(network, each, v) for each in network.populations]
        self.projections = [Synapses(network, each, drive) for each in network.projections]
        self.noise = _noise(network, drive)
        self._kicks = _Kicks(network, drive)

    def step(
        self, step: int, noise_mv: Array | None, look: Callable[["Neurons"], None] | None = None
    ) -> None:
        """Take a step.

        Args:
            step: Its number.
            noise_mv: (B, N) noise, mV.
            look: Called with each population when its voltages stand, before anyone is reset.
        """
        u, kicks = self._input(step), self._kicks.at(step)
        for number, neurons in enumerate(self.populations):
            neurons.advance(self._current(number, u), noise_mv)
            self._kicks.give(kicks, neurons)
            neurons.fire()
            if look is not None:
                look(neurons)
            for synapses in self.projections:
                if synapses.source == number and synapses.within_step:
                    synapses.take(neurons.emitted, u)
        for synapses in self.projections:
            if not synapses.within_step:
                synapses.take(self._emitted(synapses), u)
        for neurons in self.populations:
            neurons.reset()

    def _input(self, step: int) -> Array:
        """(B, C) input; the very same array while a sample lasts."""
        sample = self._network.input_sample(step, len(self._inputs))
        if sample != self._sample:
            self._sample, self._u = sample, self._inputs[sample]
        u: Array = self._u
        return u

    def _current(self, number: int, u: Array) -> Array:
        """(B, n) what drives a population in this step."""
        neurons = self.populations[number]
        current = np.broadcast_to(neurons.bias, neurons.v.shape)
        for synapses in self.projections:
            if synapses.target == number:
                if synapses.source < 0 and synapses.within_step:
                    synapses.take(None, u)
                current = current + synapses.current
        summed: Array = current
        return summed

    def _emitted(self, synapses: "Synapses") -> NDArray[Any] | None:
        return None if synapses.source < 0 else self.populations[synapses.source].emitted


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
        drawn: Array = self._rng.standard_normal(shape) * self._sd_mv
        return drawn


class Neurons:
    """State of one population in all trials; arrays are (B, n).

    Attributes:
        state: Every state of the model, by name.
        spikes: Who fired in this step.
        emitted: What was handed on in this step: spikes as 0 and 1, or values.
        constant: The model's constants, (n,) each.
        refractory: Steps that each neuron still skips.
    """

    def __init__(self, network: SpikingNetwork, population: Population, v: Array) -> None:
        self.span = network.span(population.name)
        self.name = population.name
        self.model = population.neurons
        constants = self.model.constants_of(population.size, network.dt_ms)
        self.bias, self.threshold = constants["bias"], constants.get("threshold")
        self.constant = SimpleNamespace(**constants)
        self.state = population.start(v[:, self.span])
        self.spikes: NDArray[np.bool_] = np.zeros(self.v.shape, dtype=bool)
        self.emitted: NDArray[Any] | None = None
        self.refractory = np.full(self.v.shape, self.model.initial_refractory_steps)

    @property
    def v(self) -> Array:
        """(B, n) what is recorded as the voltage."""
        v: Array = self.state[self.model.voltage]
        return v

    def push(self, amount_mv: Array) -> None:
        """Add to the voltages."""
        self.state[self.model.voltage] = self.v + amount_mv

    def stepped(self, current: Array, state: dict[str, Array] | None = None) -> dict[str, Any]:
        """The states after the model's step, of all as if none were refractory.

        Of the states of this moment, or of another.
        """
        begin = SimpleNamespace(**(self.state if state is None else state))
        return self.model.step(NUMPY, begin, self.constant, current)

    def fresh(self) -> dict[str, Any]:
        """What a spike would set anew, of all as if each fired."""
        return self.model.reset(NUMPY, SimpleNamespace(**self.state), self.constant)

    def advance(self, current: Array, noise_mv: Array | None) -> None:
        """The model's step where not refractory, then noise, everywhere."""
        stepped = self.stepped(current)
        if self.model.gated:
            active = self.refractory == 0
            stepped = {
                name: np.where(active, stepped[name], old) for name, old in self.state.items()
            }
            self.refractory = np.where(active, 0, self.refractory - 1)
        self.state = stepped
        if noise_mv is not None:
            self.push(noise_mv[:, self.span])

    def fire(self) -> None:
        """Who spikes, and what is handed on."""
        if self.threshold is not None:
            met = np.greater if self.model.strictly else np.greater_equal
            self.spikes = met(self.v, self.threshold)
        if self.model.emits == "value":
            values = self.model.emitted(NUMPY, SimpleNamespace(**self.state), self.constant)
            self.emitted = values["value"]
        elif self.model.emits == "spikes":
            self.emitted = self.spikes

    def reset(self) -> None:
        """Reset and refractory count where a neuron spiked."""
        if not self.model.fires:
            return
        for name, value in self.fresh().items():
            self.state[name] = np.where(self.spikes, value, self.state[name])
        if self.model.gated:
            steps = self.model.refractory_steps
            self.refractory = np.where(self.spikes, steps, self.refractory)


class _Kicks:
    """The stimulation of a run."""

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self.chosen = drive.chosen(network.size)
        self.kicks = drive.kicks()

    def at(self, step: int) -> Array:
        """(M, B) pushes of a step, mV."""
        if not len(self.chosen):
            return np.empty((0, 0))
        pushes: Array = self.kicks.take(range(step, step + 1))[0]
        return pushes

    def give(self, kicks_mv: Array, neurons: Neurons) -> None:
        """Push the chosen neurons of a population, one stimulation after the other."""
        for chosen, kick_mv in zip(self.chosen, kicks_mv, strict=True):
            neurons.push(kick_mv[:, None] * chosen[neurons.span])


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
            [p.name for p in network.populations].index(name) if name != INPUT else -1
            for name in (projection.source, projection.target)
        )
        self.presynaptic = self.filter.side == "pre"
        self.within_step = projection.acts_within_step
        self.state: dict[str, Any] = {
            name: np.zeros((drive.n_trials, held)) for name in self.filter.states
        }
        self.current: Array = np.zeros((drive.n_trials, projection.shape[0]))
        self.synapses, self.weighted_sum = projection.synapses(), WeightedSum(projection)
        self.graded = network.emits(projection.source) == "value"
        self._weighted_u: tuple[Array, Array] | None = None
        gain = drive.recurrent_gain
        self.gain = None if gain is None or self.source < 0 else gain[:, None]
        self.delayed: deque[NDArray[Any]] = deque()
        self.nothing: Array = np.zeros((drive.n_trials, projection.shape[1]))

    def take(self, emitted: NDArray[Any] | None, u: Array) -> None:
        """Decay, then take what arrives in this step: emitted by the source, or the input `u`."""
        if self.presynaptic:
            trace = self._filtered(self._arriving(emitted, u))
            self.current = self._scaled(self.weighted_sum(trace))
        else:
            weighted = self._weighted(self._arriving(emitted, u))
            self.current = self._filtered(self._scaled(weighted))

    def _arriving(self, emitted: NDArray[Any] | None, u: Array) -> Array:
        """s, a value, or u, (B, n_pre)."""
        sent = u if self.source < 0 or emitted is None else emitted
        if not self.projection.delay_steps:
            return sent if sent.dtype == np.float64 else sent.astype(np.float64)
        self.delayed.append(sent)
        if len(self.delayed) > self.projection.delay_steps:
            late = self.delayed.popleft()
            return late if late.dtype == np.float64 else late.astype(np.float64)
        return self.nothing

    def _weighted(self, arriving: Array) -> Array:
        """W s, or W u, summed in ascending order of the presynaptic neuron."""
        if self.source < 0:
            # A sample lasts for many steps.
            if self._weighted_u is None or self._weighted_u[0] is not arriving:
                self._weighted_u = (arriving, input_current(self.projection, arriving))
            return self._weighted_u[1]
        if self.graded:
            return self.weighted_sum(arriving)
        weighted, columns = np.zeros_like(self.current), self.synapses
        for trial, neuron in zip(*np.nonzero(arriving), strict=True):
            first, last = columns.indptr[neuron], columns.indptr[neuron + 1]
            weighted[trial, columns.indices[first:last]] += columns.data[first:last]
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
    """(K, B, n_post) current of every step over a projection from the input."""
    synapses = Synapses(network, projection, drive)
    steps, samples = drive.n_steps(network), len(drive.inputs)
    currents = np.empty((steps, drive.n_trials, projection.shape[0]))
    rows = list(drive.inputs)
    for step in range(steps):
        u = rows[network.input_sample(step, samples)]
        if synapses.within_step:
            synapses.take(None, u)
        currents[step] = synapses.current
        if not synapses.within_step:
            synapses.take(None, u)
    return currents
