"""The reference simulator in NumPy: it defines what a description means, one line an equation.

The contract of a step, from the state at the start of step k, population by population, after the
inputs that emit spikes, whose spikes are given:

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

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.kept import Kept, Wanted
from bridge.backends.recorder import EventList, check_finite, recording
from bridge.backends.reference.inputs import Inputs
from bridge.backends.reference.neurons import Neurons
from bridge.backends.reference.synapses import Synapses
from bridge.errors import BackendError
from bridge.spiking.drive import Drive, NoiseStream, OwnNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    voltages: bool = False,
    margins: bool = False,
    values: bool = False,
    window: tuple[int, int] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials in float64, all side by side.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is drawn from NumPy's PCG64.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        values: Keep what populations that emit values pass on, at the end of each sample.
        window: Keep every state, and what is passed on, in each step from the first number on and
            before the second; None: nothing.
        on_progress: Called with the fraction done after each sample.
    """
    drive.check(network)
    run = Stepper(network, drive)
    wanted = Wanted(voltages=voltages, margins=margins, values=values, window=window)
    kept = Kept(network, drive, wanted)
    events = EventList(network, drive, margins=margins)
    for sample in range(len(drive.inputs)):
        # What overflows is reported below, in a sentence.
        with np.errstate(over="ignore", invalid="ignore"):
            _sample(network, run, events, kept, sample)
        for number, neurons in enumerate(run.populations):
            kept.note(sample, number, neurons.look)
            population = network.populations[number]
            for name, state in neurons.state.items():
                check_finite(population, name, state, (sample + 1) * network.sample_steps - 1)
        if on_progress is not None:
            on_progress((sample + 1) / len(drive.inputs))
    return recording(network, drive, events, kept, backend="reference", dtype="float64")


def _sample(
    network: SpikingNetwork, run: "Stepper", events: EventList, kept: Kept, sample: int
) -> None:
    """All steps of one sample."""
    xi = None if run.noise is None else run.noise.take(network.sample_steps)
    for tick in range(network.sample_steps):
        step = sample * network.sample_steps + tick
        run.step(step, None if xi is None else xi[tick], events.note_margins)
        events.note_spikes(step, run.populations)
        for number, neurons in enumerate(run.populations if step in kept.steps else ()):
            kept.note_step(step, number, neurons.look)


class Stepper:
    """A run in progress, to be taken step by step.

    Attributes:
        populations: State of the neurons, population by population.
        projections: State of the synapses, projection by projection.
        noise: Noise of the steps to come; None: there is none.
    """

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self._network, self._inputs = network, Inputs(network, drive)
        v = drive.initial_voltages_mv(network)
        self.populations = [Neurons(network, each, v) for each in network.populations]
        self.projections = [Synapses(network, each, drive) for each in network.projections]
        self.noise = _noise(network, drive)
        self._kicks = _Kicks(network, drive)

    def step(
        self, step: int, noise_mv: Array | None, look: Callable[[Neurons], None] | None = None
    ) -> None:
        """Take a step.

        Args:
            step: Its number.
            noise_mv: (B, N) noise, mV.
            look: Called with each population when its voltages stand, before anyone is reset.
        """
        given, kicks = self._inputs.at(step), self._kicks.at(step)
        self._hand_on(-1, given)
        for number, neurons in enumerate(self.populations):
            neurons.advance(self._current(number), noise_mv)
            self._kicks.give(kicks, neurons)
            neurons.fire()
            if look is not None:
                look(neurons)
            if neurons.emitted is not None:
                given[neurons.name] = neurons.emitted
                self._hand_on(number, given)
        for synapses in self.projections:
            if not synapses.within_step:
                synapses.take(given[synapses.projection.source])
        for neurons in self.populations:
            neurons.reset()

    def _hand_on(self, source: int, sent: dict[str, NDArray[Any]]) -> None:
        """Let what acts within the step take what a population has sent; -1: the inputs."""
        for synapses in self.projections:
            if synapses.source == source and synapses.within_step:
                synapses.take(sent[synapses.projection.source])

    def _current(self, number: int) -> Array:
        """(B, n) what drives a population in this step."""
        neurons = self.populations[number]
        current = np.broadcast_to(neurons.bias, neurons.v.shape)
        for synapses in self.projections:
            if synapses.target == number:
                current = current + synapses.current
        summed: Array = current
        return summed


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
