"""Are two recordings the same, spike for spike, and how sure is it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.account import Parts
from bridge.compare.computed import (
    ComputedReadouts,
    computed_parts,
    computed_readouts,
    run_computed,
)
from bridge.compare.explanation import Explanation, explain, unit_name
from bridge.compare.sides import Side
from bridge.errors import SpecError
from bridge.spiking.drive import Drive
from bridge.spiking.essentials import essentials
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
        largest_output: Largest number of any readout on either side, and
        readout_difference: the largest difference of two, at the end of a sample.
        computed: How large the differences of readouts are that the simulators computed themselves,
            where they did.
        explanation: What differed first, where that was looked for.
    """

    labels: tuple[str, str]
    trials: int
    spikes: tuple[int, int]
    differing: int
    first: FirstDifference | None
    margin_mv: float | None
    largest_difference_mv: float | None
    largest_output: float = 0.0
    readout_difference: float = 0.0
    computed: ComputedReadouts | None = None
    explanation: Explanation | None = None

    __repr__ = essentials

    @property
    def agreed(self) -> bool:
        """Whether the spikes are identical, and the readouts except for rounding."""
        return self.identical and self.readouts_apart <= _ROUNDING * self.largest_output

    @property
    def readouts_apart(self) -> float:
        """The largest difference of two readouts, decoded or computed."""
        if self.computed is None:
            return self.readout_difference
        computed = max(self.computed.difference, self.computed.from_decoded)
        return max(self.readout_difference, computed)

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


# A readout is a sum over thousands of filtered spikes, each number of which has 16 digits.
_ROUNDING = 1e-9


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
    outputs = [
        (values, other.readouts[name])
        for name, values in one.readouts.items()
        if name in other.readouts
    ]
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
        largest_output=max((float(np.abs(pair).max()) for pair in outputs), default=0.0),
        readout_difference=max((float(np.abs(a - b).max()) for a, b in outputs), default=0.0),
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
    return FirstDifference(
        trial=int(trial[earliest]),
        step=int(step[earliest]),
        time_ms=float(step[earliest] * network.dt_ms),
        neuron=int(neuron[earliest]),
        unit=unit_name(network, int(neuron[earliest])),
        fired_in=labels[0] if np.isin(odd[earliest], codes) else labels[1],
    )


def run_exactly(
    network: SpikingNetwork,
    drive: Drive,
    sides: tuple[Side, ...],
    on_progress: Callable[[str, float], None],
) -> tuple[tuple[ExactComparison, ...], dict[str, Recording], dict[str, float]]:
    """Run all sides under the same noise, and compare the first with each other one.

    Trials are run and compared some at a time: what is kept of each is its spikes and readouts,
    so hundreds of trials need no more memory for voltages than a few.

    Args:
        network: What to run.
        drive: Its drive, with shared or frozen noise.
        sides: At least two.
        on_progress: Called with what is being done and its fraction done.

    Returns:
        A comparison for each side but the first; each side's recording, without voltages; each
        side's wall time, s.
    """
    pairs = [(sides[0], side) for side in sides[1:]]
    found: list[list[ExactComparison]] = [[] for _ in pairs]
    kept: dict[str, list[Recording]] = {side.label: [] for side in sides}
    seconds = dict.fromkeys(kept, 0.0)
    chunks = _chunks(network, drive)
    for start, stop in chunks:
        part, done = drive.trials(start, stop), {}
        for side in sides:
            began = time.monotonic()
            report = _part_report(on_progress, _run_of(side), start, stop, drive.n_trials)
            # What begins with a minute of compiling is named before.
            report(0.0)
            done[side.label] = side.run(network, part, report, voltages=True, margins=True)
            seconds[side.label] += time.monotonic() - began
        for comparisons, pair in zip(found, pairs, strict=True):
            labels = (pair[0].label, pair[1].label)
            one, other = (done[label] for label in labels)
            comparisons.append(compare_exactly(network, labels, one, other))
        for label, recording in done.items():
            kept[label].append(replace(recording, voltages_mv=None))
    starts = [start for start, _ in chunks]
    whole = tuple(
        _explained(network, drive, pair, _joined(comparisons, starts), on_progress)
        for comparisons, pair in zip(found, pairs, strict=True)
    )
    outputs = run_computed(network, drive, sides, on_progress)
    whole = tuple(
        replace(one, computed=computed_readouts(outputs[one.labels[0]], outputs[one.labels[1]]))
        for one in whole
    )
    return whole, {label: Recording.joined(parts) for label, parts in kept.items()}, seconds


def exact_parts(network: SpikingNetwork, sides: tuple[Side, ...]) -> Parts:
    """The parts that `run_exactly` reports, in its order."""
    return {_run_of(side): 1.0 for side in sides} | computed_parts(network, sides)


def _run_of(side: Side) -> str:
    return f"{side.label}, same noise"


def _part_report(
    on_progress: Callable[[str, float], None], part: str, start: int, stop: int, trials: int
) -> Callable[[float], None]:
    """What reports trials start to stop of a side's run."""
    return lambda fraction: on_progress(part, (start + fraction * (stop - start)) / trials)


def _chunks(network: SpikingNetwork, drive: Drive) -> list[tuple[int, int]]:
    """First trial, and first trial after, of parts whose voltages fit into memory together."""
    each = 8 * len(drive.inputs) * network.size
    count = max(1, min(drive.n_trials, _VOLTAGE_BYTES // each))
    starts = range(0, drive.n_trials, count)
    return [(start, min(start + count, drive.n_trials)) for start in starts]


_VOLTAGE_BYTES = 16_000_000


def _joined(parts: list[ExactComparison], starts: list[int]) -> ExactComparison:
    """The comparison of all trials from those of some at a time."""
    firsts = [
        replace(part.first, trial=part.first.trial + start)
        for part, start in zip(parts, starts, strict=True)
        if part.first is not None
    ]
    margins = [part.margin_mv for part in parts if part.margin_mv is not None]
    apart = [p.largest_difference_mv for p in parts if p.largest_difference_mv is not None]
    return ExactComparison(
        labels=parts[0].labels,
        trials=sum(part.trials for part in parts),
        spikes=(sum(part.spikes[0] for part in parts), sum(part.spikes[1] for part in parts)),
        differing=sum(part.differing for part in parts),
        first=min(firsts, key=lambda first: (first.step, first.trial), default=None),
        margin_mv=min(margins) if margins else None,
        largest_difference_mv=max(apart) if apart else None,
        largest_output=max(part.largest_output for part in parts),
        readout_difference=max(part.readout_difference for part in parts),
    )


def _explained(
    network: SpikingNetwork,
    drive: Drive,
    pair: tuple[Side, Side],
    comparison: ExactComparison,
    on_progress: Callable[[str, float], None],
) -> ExactComparison:
    """The comparison with what differed first, where spikes differ."""
    first = comparison.first
    if first is None:
        return comparison
    on_progress("looking for the first difference", 0.0)
    why = explain(network, drive, pair, first.trial, first.step)
    on_progress("looking for the first difference", 1.0)
    return replace(comparison, explanation=why)
