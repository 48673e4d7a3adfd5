"""What the trials of a Brian2 run leave behind, gathered."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.recorder import check_finite
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Left:
    """What the monitors of one population hold of B trials side by side.

    Attributes:
        fired: (S,) neurons that fired, numbered trial after trial.
        times_s: (S,) when, s.
        voltages_mv: (T, B n) at the start of each sample; None where they are not recorded.
        final_mv: (B n,) voltages at the end.
        margins_mv: (B n,) least distances from threshold; None where they are not recorded.
    """

    fired: NDArray[Any]
    times_s: Array
    voltages_mv: Array | None
    final_mv: Array
    margins_mv: Array | None


class Results:
    """Spikes, voltages and margins of all trials."""

    def __init__(
        self, network: SpikingNetwork, drive: Drive, *, voltages: bool, margins: bool
    ) -> None:
        self.network = network
        self.shape = (drive.n_trials, drive.n_steps(network), network.size)
        shape = (len(drive.inputs), drive.n_trials, network.size)
        self.voltages_mv = np.empty(shape) if voltages else None
        self.margins_mv = np.full(drive.n_trials, np.inf) if margins else None
        self._events: list[tuple[NDArray[Any], ...]] = []

    def take(self, number: int, first: int, trials: int, left: Left) -> None:
        """Take what population `number` left of trials `first` to `first + trials`."""
        population = self.network.populations[number]
        final = left.final_mv.reshape(trials, population.size)
        check_finite(population, population.neurons.voltage, final, self.shape[1] - 1)
        size, span = population.size, self.network.span(population.name)
        step = np.rint(left.times_s * 1000.0 / self.network.dt_ms).astype(np.int64)
        trial, neuron = np.divmod(left.fired, size)
        self._events.append((first + trial, step, span.start + neuron))
        cells = slice(first, first + trials)
        if self.margins_mv is not None and left.margins_mv is not None:
            margins = left.margins_mv.reshape(trials, size).min(axis=1)
            self.margins_mv[cells] = np.minimum(self.margins_mv[cells], margins)
        if self.voltages_mv is not None and left.voltages_mv is not None:
            v_mv = np.vstack([left.voltages_mv[1:], left.final_mv])
            self.voltages_mv[:, cells, span] = v_mv.reshape(-1, trials, size)

    def spikes(self) -> Spikes:
        """All events, sorted."""
        trial, step, neuron = (np.concatenate(part) for part in zip(*self._events, strict=True))
        return Spikes.gather(trial, step, neuron, self.shape)
