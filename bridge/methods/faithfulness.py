"""Is a spiking network still the rate network that it was made from: in answers and in output."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bridge.methods.chance import told_from_chance
from bridge.methods.measured import Measured
from bridge.methods.output_error import FAITHFUL
from bridge.methods.paired import LEVEL, mcnemar
from bridge.spiking.essentials import essentials

_TRY = (
    "try a rate network with more units (train --units) or one that is trained longer (train "
    "--min-updates 1000), or fit the readout to the spikes (convert --refit-readout)"
)


class _Counts(NamedTuple):
    correct: int
    lost: int
    gained: int


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """A spiking network compared with its rate network, on the same trials.

    Attributes:
        trials: How many.
        correct: Those that the spiking network answers rightly; None, as the two that follow, where
            nothing says which answers are right: no task, or one that gives numbers alone.
        lost: Those that only the rate network, with its noise, answers rightly.
        gained: Those that only the spiking network does.
        output_error: As in `bridge.methods.output_error`; None: not known, or the rate network's
            output never varies.
        unit_correlation: Median over the units of the correlation of filtered spikes and rate;
            None: not known.
        chance: Share of the trials answered rightly by chance, as in `bridge.methods.chance`; None:
            not known, or all trials want the same answer.
        measured: What the task's number came to; None: not known, or it gives none.
        rate_measured: The same of the rate network, with its noise.
    """

    trials: int
    correct: int | None
    lost: int | None
    gained: int | None
    output_error: float | None = None
    unit_correlation: float | None = None
    chance: float | None = None
    measured: Measured | None = None
    rate_measured: Measured | None = None

    __repr__ = essentials

    @property
    def judged(self) -> bool:
        """Whether anything says which answers are right."""
        return self._counts() is not None

    @property
    def by_output(self) -> bool:
        """Whether there is nothing but the output error to judge by."""
        return not self.judged and self.measured is None and self.output_error is not None

    @property
    def accuracy(self) -> float | None:
        """Share of the trials that the spiking network answers rightly, if anything says so."""
        return None if self.correct is None else self.correct / self.trials

    @property
    def rate_correct(self) -> int | None:
        """Trials that the rate network answers rightly, if anything says so."""
        counts = self._counts()
        return None if counts is None else counts.correct + counts.lost - counts.gained

    @property
    def p(self) -> float | None:
        """Of the paired exact test (McNemar) that both are right equally often."""
        counts = self._counts()
        return None if counts is None else mcnemar(counts.lost, counts.gained)

    @property
    def worse(self) -> bool:
        """Whether the spiking network is right less often, by more than chance explains."""
        counts, p = self._counts(), self.p
        return counts is not None and p is not None and counts.lost > counts.gained and p < LEVEL

    @property
    def at_chance(self) -> bool:
        """Whether its answers are no better than by chance."""
        if self.chance is None or self.correct is None:
            return False
        return not told_from_chance(self.correct, self.trials, self.chance)

    @property
    def failed(self) -> bool:
        """Whether the conversion has lost what the rate network can do.

        Where there is nothing else to judge by: whether the output is not kept.
        """
        return self.worse or self.at_chance or (self.by_output and not self.output_kept)

    @property
    def output_kept(self) -> bool:
        """Whether the output is the rate network's, too, as far as that is known."""
        return self.output_error is None or self.output_error <= FAITHFUL

    def accuracies(self) -> str:
        """How often both are right, in words; "" where nothing says what is right."""
        if not self.judged:
            return ""
        found = (
            f"right in {self.correct} of {self.trials} trials, its rate network in "
            f"{self.rate_correct}"
        )
        if self.lost == self.gained == 0:
            return f"{found}: the same ones"
        only = f"{self.lost} only the rate network's, {self.gained} only the spiking network's"
        return f"{found} ({only}; McNemar's exact test: p = {self.p:.2g})"

    def measures(self) -> str:
        """Output error, correlation of the units and the task's number, in words; "" for none."""
        told = []
        if self.output_error is not None and math.isfinite(self.output_error):
            told.append(f"output error {self.output_error:.2g}")
        if self.unit_correlation is not None:
            told.append(
                f"filtered spikes correlate with the rates by {self.unit_correlation:.2f} (median "
                "over units)"
            )
        if self.measured is not None:
            rate = self.rate_measured
            beside = "" if rate is None else f", its rate network's {rate.spread}"
            told.append(f"{self.measured}{beside}")
        return ", ".join(told)

    def failure(self) -> str:
        """What has failed and what to try, in a sentence; "" where nothing has."""
        if not self.failed:
            return ""
        if self.by_output:
            return (
                f"the conversion failed: the output is not the rate network's (output error "
                f"{self.output_error:.2g}, up to {FAITHFUL:g} counts as kept), and nothing says "
                f"which answers are right; {_TRY}"
            )
        if self.at_chance:
            found = (
                f"its answers are no better than chance ({self.correct} of {self.trials} right, "
                f"{self.chance:.0%} when they are taken for one another's)"
            )
        else:
            found = (
                f"it is right in {self.correct} of {self.trials} trials where its rate network is "
                f"in {self.rate_correct} (p = {self.p:.2g})"
            )
        return f"the conversion failed: {found}; {self._advice()}"

    def _advice(self) -> str:
        if (self.rate_correct or 0) < 0.9 * self.trials:
            return "the rate network itself does the task badly, so train it longer first"
        return _TRY

    def warning(self) -> str:
        """That the output is not kept although the answers are, in a sentence; "" otherwise."""
        if self.failed or self.output_kept:
            return ""
        right = f"{self.correct} of {self.trials} answers are right, but " if self.judged else ""
        return (
            f"{right}the output is not the rate network's (output error "
            f"{self.output_error:.2g}, up to {FAITHFUL:g} counts as kept): --refit-readout fits "
            "the output weights to the spikes, and a rate network that is trained longer (train "
            "--min-updates 1000) may keep it without"
        )

    def not_judged(self) -> str:
        """That nothing says whether the conversion failed, in a sentence; "" where something does.

        A number is better or worse, and not enough or too bad, unless it has a bound. Of an output
        that is kept it says by what that was judged.
        """
        if self.by_output and not self.failed:
            return (
                f"nothing says which answers are right, so the output alone is judged (an output "
                f"error up to {FAITHFUL:g} counts as kept)"
            )
        if self.judged or self.measured is None:
            return ""
        return (
            f"whether its answers are kept is yours to say: the task gives a number "
            f"({self.measured.name}) and no bound up to which a trial counts as right"
        )

    def _counts(self) -> _Counts | None:
        if self.correct is None or self.lost is None or self.gained is None:
            return None
        return _Counts(self.correct, self.lost, self.gained)


def refitted(made: Mapping[str, Any], before: Faithfulness | None) -> Faithfulness | None:
    """Of a network whose readout was refitted, from what its provenance says of fresh trials.

    Args:
        made: The provenance, with the `fresh_` numbers of `bridge.methods.conversion`.
        before: Of the network before, whose spikes are the same.

    Returns:
        None where they are not there: a provenance may hold anything.
    """
    trials: Any = made.get("fresh_trials")
    if type(trials) is not int or trials < 1:
        return None
    counts = _fresh_counts(made, trials)
    found = Measured.read(made.get("fresh_measured"))
    shares: list[Any] = [made.get(f"fresh_{name}") for name in ("output_error", "chance")]
    error, chance = (one if type(one) is float and 0 <= one < math.inf else None for one in shares)
    # Where answers were judged, an output error alone would not be the whole of it.
    alone = error is not None and "fresh_correct" not in made
    if counts is None and found is None and not alone:
        return None
    return Faithfulness(
        trials=trials,
        **(dict.fromkeys(_Counts._fields) if counts is None else counts._asdict()),
        output_error=error,
        unit_correlation=None if before is None else before.unit_correlation,
        chance=chance,
        measured=found,
        rate_measured=Measured.read(made.get("fresh_measured_rate")),
    )


def _fresh_counts(made: Mapping[str, Any], trials: int) -> _Counts | None:
    """Counts of right answers that fit each other, or nothing."""
    counts: list[Any] = [made.get(f"fresh_{name}") for name in _Counts._fields]
    if not all(type(one) is int and one >= 0 for one in counts):
        return None
    found = _Counts(*counts)
    if found.correct + found.lost > trials or found.gained > found.correct:
        return None
    return found
