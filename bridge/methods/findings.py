"""What searches of whatever kind have found, and how it is reported."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.measured import Measured
from bridge.methods.scoring import wilson
from bridge.spiking.arrays import frozen_array
from bridge.spiking.essentials import several
from bridge.spiking.values import number

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings(ABC):
    """What came of each of L candidates, one of which was chosen.

    What is None was not measured: files of before there was anything but accuracy lack it.

    Attributes:
        trials: Trials of the chosen one, and of each other that could win.
        best: Index of the chosen one.
        seed: Decides everything random.
        backend: Where it was run.
        seconds: Wall time.
        output_error: (L,) as in `bridge.methods.output_error`; None, too, where the rate network's
            output never varies.
        unit_correlations: (L, N) of each neuron's filtered spikes with its unit's rate, in the
            first fifth of the trials; 0 where either never varies.
        correct: (L,) trials answered rightly. `correct`, `lost`, `gained` and `chance` are None
            where nothing says which answers are right.
        lost: (L,) trials that the rate network, with its noise, answers rightly and this does not.
        gained: (L,) trials that this answers rightly and the rate network does not.
        chance: Share of the trials that the chosen one's outputs get right as answers to one
            another's trials; None, too, where all trials want the same answer.
        measured: (L,) what the task's number came to; None, too, where it gives none.
        rate_measured: The same of the rate network, with its noise, in all trials.
    """

    trials: int
    best: int
    seed: int
    backend: str
    seconds: float
    output_error: Array | None = None
    unit_correlations: Array | None = None
    correct: Counts | None = None
    lost: Counts | None = None
    gained: Counts | None = None
    chance: float | None = None
    measured: tuple[Measured, ...] | None = None
    rate_measured: Measured | None = None

    @abstractmethod
    def done(self) -> Counts:
        """(L,) trials that each has done."""

    def faithfulness(self) -> Faithfulness | None:
        """Of the network that was chosen, in the trials of the search."""
        counts = (self.correct, self.lost, self.gained)
        # Files of before there was anything but accuracy say nothing of the rate network.
        if self.correct is not None and (self.lost is None or self.gained is None):
            return None
        best = self.best
        correct, lost, gained = (None if each is None else int(each[best]) for each in counts)
        return Faithfulness(
            trials=self.trials,
            correct=correct,
            lost=lost,
            gained=gained,
            output_error=None if self.output_error is None else float(self.output_error[best]),
            unit_correlation=None
            if self.unit_correlations is None
            else float(np.median(self.unit_correlations[best])),
            chance=self.chance,
            measured=None if self.measured is None else self.measured[best],
            rate_measured=self.rate_measured,
        )

    def told_best(self) -> str:
        """How the chosen one answers, in words: "95.0% of 100 trials right"."""
        if self.correct is not None:
            return f"{self.accuracies()[self.best]:.1%} of {several(self.trials, 'trial')} right"
        if self.measured is not None:
            return str(self.measured[self.best])
        if self.output_error is None:
            return ""
        error = self.output_error[self.best]
        return f"output error {error:.2g} in {several(self.trials, 'trial')}"

    def accuracies(self) -> Array:
        """(L,) share of trials answered rightly.

        Raises:
            SpecError: nothing says which are.
        """
        return self._counted() / self.done()

    def intervals(self) -> Array:
        """(L, 2) Wilson score intervals of the accuracies, 95 %; SpecError as `accuracies`."""
        pairs = zip(self._counted().tolist(), self.done().tolist(), strict=True)
        return np.array([wilson(count, trials) for count, trials in pairs])

    def _counted(self) -> Counts:
        if self.correct is None:
            found = "its task gives numbers alone (measured)"
            if self.measured is None:
                found = "no task judged the answers (output_error)"
            raise SpecError(f"this search has no accuracy: {found}")
        return self.correct

    def _check_counts(self) -> None:
        """Right answers, and those of one network alone, within the trials done."""
        if self.correct is None:
            if any(each is not None for each in (self.lost, self.gained, self.chance)):
                raise SpecError("lost, gained and chance: they are of right answers (correct)")
            return
        done, correct = self.done(), self.correct
        if np.any(correct < 0) or np.any(correct > done):
            raise SpecError("correct: must lie between 0 and the trials tested")
        for name, most in (("lost", done - correct), ("gained", correct)):
            if getattr(self, name) is None:
                continue
            counts = frozen_array(name, getattr(self, name), correct.shape, np.int64)
            object.__setattr__(self, name, counts)
            if np.any(counts < 0) or np.any(counts > most):
                raise SpecError(f"{name}: does not fit the trials answered rightly")

    def _check_measures(self, candidates: int, of: str) -> None:
        """A number of one measure for each candidate, and for the rate network."""
        if self.measured is None:
            return
        object.__setattr__(self, "measured", tuple(self.measured))
        if len(self.measured) != candidates:
            raise SpecError(
                f"measured: expected one for each of {candidates} {of}, got {len(self.measured)}"
            )
        rate = () if self.rate_measured is None else (self.rate_measured,)
        if len({(each.name, each.unit, each.better) for each in (*self.measured, *rate)}) > 1:
            raise SpecError("measured: expected numbers of one measure")

    def _check_numbers(
        self, name: str, shape: tuple[int | None, ...], least: float, most: float
    ) -> None:
        """Numbers of a shape between two ends, where they are known."""
        given = getattr(self, name)
        if given is None:
            return
        values = frozen_array(name, given, shape) if shape else number(name, given)
        object.__setattr__(self, name, values)
        if np.any(values < least) or np.any(values > most):
            raise SpecError(f"{name}: must lie between {least:g} and {most:g}")
