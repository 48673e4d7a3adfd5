"""What a run keeps in addition to spikes: arrays that a backend fills, population by population."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive
from bridge.spiking.limits import LONGEST_TRIAL_STEPS
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.values import shown
from bridge.spiking.window import Window

Array = NDArray[np.float64]
Place = tuple[str, Array]

# Stands among the names of states for what a population passes on; no state has such a name.
EMITTED = "emitted value"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be recorded in addition to spikes: options of a run.

    Attributes:
        voltages: The voltages of all populations at the end of each sample.
        margins: The least distance of any voltage from threshold.
        values: What populations that emit values pass on, at the end of each sample.
        window: First step, and first step after, of what is recorded step by step.
    """

    voltages: bool = False
    margins: bool = False
    values: bool = False
    window: tuple[int, int] | None = None

    def check(self, network: SpikingNetwork, drive: Drive) -> None:
        """Raise SpecError where there is no such thing in a run."""
        if self.values and not any(map(_graded, network.populations)):
            raise SpecError("values: no population of this network passes on values")
        if self.window is None:
            return
        start, stop = checked_window(self.window)
        steps = drive.n_steps(network)
        if stop > steps:
            raise SpecError(
                f"window: steps {start:,} to {stop:,} reach beyond a trial of {steps:,} steps"
            )

    def sampled(self, network: SpikingNetwork, number: int) -> tuple[str, ...]:
        """Names of what is kept of a population at the end of each sample: states, `EMITTED`."""
        population = network.populations[number]
        voltage = population.neurons.voltage
        wanted = [voltage] if self.voltages else []
        for readout in network.shown_states:
            if readout.source == population.name:
                wanted.append(readout.state or voltage)
        if self.values and _graded(population):
            wanted.append(EMITTED)
        return tuple(dict.fromkeys(wanted))

    def stepped(self, network: SpikingNetwork, number: int) -> tuple[str, ...]:
        """Names of what is kept of a population in each step of the window."""
        population = network.populations[number]
        if self.window is None:
            return ()
        return (*population.neurons.states, *([EMITTED] if _graded(population) else []))


def checked_window(given: object) -> tuple[int, int]:
    """First step, and first step after, of a window; SpecError for anything else."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise SpecError(
            f"window: expected its first step and the first step after it, got {shown(given)}"
        )
    start = counted("window: first step", given[0], most=LONGEST_TRIAL_STEPS)
    stop = counted("window: first step after", given[1], most=LONGEST_TRIAL_STEPS)
    if not start < stop:
        raise SpecError(f"window: there is no step from {start:,} on before {stop:,}")
    return start, stop


def _graded(population: Population) -> bool:
    return population.neurons.emits == "value"


class Kept:
    """The arrays of a run.

    Attributes:
        wanted: What they are for.
        steps: The steps of the window; there may be none.
        voltages_mv: (T, B, N) at the end of each sample, mV; None where they are not wanted.
        readouts: (T, B, n) of each `StateReadout`, by its name.
        values: (T, B, n) of each population that emits values; None where they are not wanted.
    """

    def __init__(self, network: SpikingNetwork, drive: Drive, wanted: Wanted) -> None:
        wanted.check(network, drive)
        self.wanted = wanted
        self.steps = range(*(wanted.window or (0, 0)))
        samples = (len(drive.inputs), drive.n_trials)
        self.voltages_mv = np.empty((*samples, network.size)) if wanted.voltages else None
        self.readouts: dict[str, Array] = {
            readout.name: np.empty((*samples, network.outputs(readout)))
            for readout in network.shown_states
        }
        self.values: dict[str, Array] | None = None
        if wanted.values:
            graded = filter(_graded, network.populations)
            self.values = {each.name: np.empty((*samples, each.size)) for each in graded}
        self._names = [population.name for population in network.populations]
        self._sampled = [list(self._places(network, each)) for each in network.populations]
        self._stepped: list[list[Place]] = [
            [
                (name, np.empty((len(self.steps), drive.n_trials, population.size)))
                for name in wanted.stepped(network, number)
            ]
            for number, population in enumerate(network.populations)
        ]

    def _places(self, network: SpikingNetwork, population: Population) -> Iterator[Place]:
        voltage = population.neurons.voltage
        if self.voltages_mv is not None:
            yield voltage, self.voltages_mv[:, :, network.span(population.name)]
        for readout in network.shown_states:
            if readout.source == population.name:
                yield readout.state or voltage, self.readouts[readout.name]
        if self.values is not None and population.name in self.values:
            yield EMITTED, self.values[population.name]

    def sampled(self, number: int) -> list[Place]:
        """What is kept of a population, and the (T, B, n) arrays that take it."""
        return self._sampled[number]

    def stepped(self, number: int) -> list[Place]:
        """What is kept of a population in the window, and the (W, B, n) arrays that take it."""
        return self._stepped[number]

    def note(self, sample: int, number: int, look: Callable[[str], Array]) -> None:
        """Take what a population, as `look` shows it, (B, n), is at the end of a sample."""
        for name, place in self._sampled[number]:
            place[sample] = look(name)

    def note_step(self, step: int, number: int, look: Callable[[str], Array]) -> None:
        """The same at the end of a step of the window."""
        for name, place in self._stepped[number]:
            place[step - self.steps.start] = look(name)

    def window(self) -> Window | None:
        """Every step of the window; None where there is none."""
        if not self.steps:
            return None
        states: dict[str, dict[str, Array]] = {name: {} for name in self._names}
        values = {}
        for population, places in zip(self._names, self._stepped, strict=True):
            for name, place in places:
                if name == EMITTED:
                    values[population] = place
                else:
                    states[population][name] = place
        return Window(start_step=self.steps.start, states=states, values=values)
