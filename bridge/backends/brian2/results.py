"""What the trials of a Brian2 run leave behind, gathered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.brian2.formed import variable
from bridge.backends.kept import Kept
from bridge.backends.recorder import check_finite
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Left:
    """What the monitors of one population hold of B trials side by side.

    Attributes:
        fired: (S,) neurons that fired, numbered trial after trial.
        times_s: (S,) when, s.
        samples: (T, B n) of each variable that is kept, at the start of each sample.
        final: (B n,) of the same variables and of those of all states, at the end.
        window: (W B n,) of each variable that is kept step by step.
        margins_mv: (B n,) least distances from threshold; None where they are not recorded.
    """

    fired: NDArray[Any]
    times_s: Array
    samples: Mapping[str, Array]
    final: Mapping[str, Array]
    window: Mapping[str, Array]
    margins_mv: Array | None


class Results:
    """Spikes, states and margins of all trials."""

    def __init__(self, network: SpikingNetwork, drive: Drive, kept: Kept) -> None:
        self.network, self.kept = network, kept
        self.shape = (drive.n_trials, drive.n_steps(network), network.size)
        self.margins_mv = np.full(drive.n_trials, np.inf) if kept.wanted.margins else None
        self._events: list[tuple[NDArray[Any], ...]] = []

    def take(self, number: int, first: int, trials: int, left: Left) -> None:
        """Take what population `number` left of trials `first` to `first + trials`."""
        population = self.network.populations[number]
        size, span = population.size, self.network.span(population.name)
        step = np.rint(left.times_s * 1000.0 / self.network.dt_ms).astype(np.int64)
        trial, neuron = np.divmod(left.fired, size)
        self._events.append((first + trial, step, span.start + neuron))
        cells = slice(first, first + trials)
        if self.margins_mv is not None and left.margins_mv is not None:
            margins = left.margins_mv.reshape(trials, size).min(axis=1)
            self.margins_mv[cells] = np.minimum(self.margins_mv[cells], margins)
        for name, place in self.kept.sampled(number):
            rows = np.vstack([left.samples[variable(name)][1:], left.final[variable(name)]])
            place[:, cells] = rows.reshape(-1, trials, size)
            if name in population.neurons.states:
                self._check(population, name, place[:, cells], first)
        for name, place in self.kept.stepped(number):
            place[:, cells] = left.window[variable(name)].reshape(-1, trials, size)
        for name in population.neurons.states:
            final = left.final[variable(name)].reshape(1, trials, size)
            self._check(population, name, final, first)

    def _check(self, population: Population, state: str, values: Array, first: int) -> None:
        """Raise BackendError where the (..., B, n) last of the samples of a state are not numbers.

        Brian2 shows what is recorded, sample by sample, and every state at the end.
        """
        if np.isfinite(values).all():
            return
        after = self.shape[1] // self.network.sample_steps - len(values)
        for sample, seen in enumerate(values, start=after + 1):
            check_finite(population, state, seen, sample * self.network.sample_steps - 1, first)

    def spikes(self) -> Spikes:
        """All events, sorted."""
        trial, step, neuron = (np.concatenate(part) for part in zip(*self._events, strict=True))
        return Spikes.gather(trial, step, neuron, self.shape)
