"""Are two recordings the same, spike for spike, and how sure is it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording


@dataclass(frozen=True, kw_only=True)
class FirstDifference:
    """The earliest spike that only one of two recordings holds.

    Attributes:
        trial: Its trial.
        step: Its step.
        time_ms: Its time in the trial, ms.
        neuron: Its number through all populations.
        unit: The same as "population[index]".
        fired_in: Label of the recording that holds it.
    """

    trial: int
    step: int
    time_ms: float
    neuron: int
    unit: str
    fired_in: str


@dataclass(frozen=True, kw_only=True)
class ExactComparison:
    """The spikes of two recordings of the same frozen noise, side by side.

    Attributes:
        labels: Names of the two sides.
        trials: B.
        spikes: Spikes on each side.
        differing: Spikes that only one side holds.
        first: The earliest of them, over all trials; None where there is none.
        margin_mv: Least distance of any voltage from threshold in any step, mV, on either side.
        largest_difference_mv: Largest difference of two voltages at the end of a sample, mV.
    """

    labels: tuple[str, str]
    trials: int
    spikes: tuple[int, int]
    differing: int
    first: FirstDifference | None
    margin_mv: float | None
    largest_difference_mv: float | None

    @property
    def identical(self) -> bool:
        """Whether both sides hold the same spikes."""
        return self.differing == 0

    @property
    def certified(self) -> bool:
        """Whether no voltage came so near to threshold that the difference could have decided."""
        if self.margin_mv is None or self.largest_difference_mv is None:
            return False
        return self.identical and self.largest_difference_mv < self.margin_mv


def compare_exactly(
    network: SpikingNetwork, labels: tuple[str, str], one: Recording, other: Recording
) -> ExactComparison:
    """Compare two recordings spike by spike.

    Raises:
        SpecError: they are of different trials, steps or neurons.
    """
    shapes = [(r.spikes.n_trials, r.spikes.n_steps, r.spikes.n_neurons) for r in (one, other)]
    if shapes[0] != shapes[1]:
        raise SpecError(f"recordings of different shapes cannot be compared: {shapes}")
    codes = one.spikes.codes()
    odd = np.setxor1d(codes, other.spikes.codes(), assume_unique=True)
    margins = [np.min(r.margins_mv) for r in (one, other) if r.margins_mv is not None]
    difference = None
    if one.voltages_mv is not None and other.voltages_mv is not None:
        difference = float(np.abs(one.voltages_mv - other.voltages_mv).max())
    return ExactComparison(
        labels=labels,
        trials=shapes[0][0],
        spikes=(one.spikes.count, other.spikes.count),
        differing=int(odd.size),
        first=_first(network, labels, odd, codes, shapes[0]) if odd.size else None,
        margin_mv=float(min(margins)) if margins else None,
        largest_difference_mv=difference,
    )


def _first(
    network: SpikingNetwork,
    labels: tuple[str, str],
    odd: NDArray[np.int64],
    codes: NDArray[np.int64],
    shape: tuple[int, int, int],
) -> FirstDifference:
    """The earliest in time of the odd spikes: what comes later may only follow from it."""
    trial, step, neuron = np.unravel_index(odd, shape)
    earliest = int(np.lexsort((neuron, trial, step))[0])
    population = next(
        p
        for p in network.populations
        if network.span(p.name).start <= neuron[earliest] < network.span(p.name).stop
    )
    index = int(neuron[earliest]) - network.span(population.name).start
    return FirstDifference(
        trial=int(trial[earliest]),
        step=int(step[earliest]),
        time_ms=float(step[earliest] * network.dt_ms),
        neuron=int(neuron[earliest]),
        unit=f"{population.name}[{index}]",
        fired_in=labels[0] if np.isin(odd[earliest], codes) else labels[1],
    )
