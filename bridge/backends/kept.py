"""What a run keeps besides spikes: arrays that a backend fills, population by population."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be recorded besides spikes: options of a run.

    Attributes:
        voltages: The voltages of all populations at the end of each sample.
        margins: The least distance of any voltage from threshold.
    """

    voltages: bool = False
    margins: bool = False

    def sampled(self, network: SpikingNetwork, number: int) -> tuple[str, ...]:
        """Names of the states of a population that are kept at the end of each sample."""
        population = network.populations[number]
        voltage = population.neurons.voltage
        wanted = [voltage] if self.voltages else []
        for readout in network.shown_states:
            if readout.source == population.name:
                wanted.append(readout.state or voltage)
        return tuple(dict.fromkeys(wanted))


class Kept:
    """The arrays of a run.

    Attributes:
        voltages_mv: (T, B, N) at the end of each sample, mV; None where they are not wanted.
        readouts: (T, B, n) of each `StateReadout`, by its name.
    """

    def __init__(self, network: SpikingNetwork, drive: Drive, wanted: Wanted) -> None:
        self.wanted = wanted
        samples = (len(drive.inputs), drive.n_trials)
        self.voltages_mv = np.empty((*samples, network.size)) if wanted.voltages else None
        self.readouts: dict[str, Array] = {
            readout.name: np.empty((*samples, network.outputs(readout)))
            for readout in network.shown_states
        }
        self._sampled: list[list[tuple[str, Array]]] = [[] for _ in network.populations]
        for number, population in enumerate(network.populations):
            voltage = population.neurons.voltage
            if self.voltages_mv is not None:
                part = self.voltages_mv[:, :, network.span(population.name)]
                self._sampled[number].append((voltage, part))
            for readout in network.shown_states:
                if readout.source == population.name:
                    place = (readout.state or voltage, self.readouts[readout.name])
                    self._sampled[number].append(place)

    def sampled(self, number: int) -> list[tuple[str, Array]]:
        """States of a population, and the (T, B, n) arrays that take their values."""
        return self._sampled[number]

    def note(self, sample: int, number: int, look: Callable[[str], Array]) -> None:
        """Take the (B, n) states of a population at the end of a sample, which `look` shows."""
        for name, place in self._sampled[number]:
            place[sample] = look(name)
