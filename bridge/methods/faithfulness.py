"""Is a spiking network still the rate network that it was made from: in answers and in output."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.methods.chance import told_from_chance
from bridge.methods.output_error import FAITHFUL
from bridge.methods.paired import LEVEL, mcnemar
from bridge.spiking.essentials import essentials


@dataclass(frozen=True, kw_only=True)
class Faithfulness:
    """A spiking network beside its rate network, on the same trials.

    Attributes:
        trials: How many.
        correct: Those that the spiking network answers rightly.
        lost: Those that only the rate network, with its noise, answers rightly.
        gained: Those that only the spiking network does.
        output_error: As in `bridge.methods.output_error`; None: not known, or the rate network's
            output never varies.
        unit_correlation: Median over the units of the correlation of filtered spikes and rate;
            None: not known.
        chance: Share of the trials answered rightly by chance, as in `bridge.methods.chance`; None:
            not known, or all trials want the same answer.
    """

    trials: int
    correct: int
    lost: int
    gained: int
    output_error: float | None = None
    unit_correlation: float | None = None
    chance: float | None = None

    __repr__ = essentials

    @property
    def rate_correct(self) -> int:
        """Trials that the rate network answers rightly."""
        return self.correct + self.lost - self.gained

    @property
    def p(self) -> float:
        """Of the paired exact test (McNemar) that both are right equally often."""
        return mcnemar(self.lost, self.gained)

    @property
    def worse(self) -> bool:
        """Whether the spiking network is right less often, by more than chance explains."""
        return self.lost > self.gained and self.p < LEVEL

    @property
    def at_chance(self) -> bool:
        """Whether its answers are no better than by chance."""
        return self.chance is not None and not told_from_chance(
            self.correct, self.trials, self.chance
        )

    @property
    def failed(self) -> bool:
        """Whether the conversion has lost what the rate network can do."""
        return self.worse or self.at_chance

    @property
    def output_kept(self) -> bool:
        """Whether the output is the rate network's, too, as far as that is known."""
        return self.output_error is None or self.output_error <= FAITHFUL

    def accuracies(self) -> str:
        """How often both are right, in words."""
        found = (
            f"right in {self.correct} of {self.trials} trials, its rate network in "
            f"{self.rate_correct}"
        )
        if self.lost == self.gained == 0:
            return f"{found}: the same ones"
        only = f"{self.lost} only the rate network's, {self.gained} only the spiking network's"
        return f"{found} ({only}; McNemar's exact test: p = {self.p:.2g})"

    def measures(self) -> str:
        """Output error and correlation of the units, in words; "" where neither is known."""
        told = []
        if self.output_error is not None and math.isfinite(self.output_error):
            told.append(f"output error {self.output_error:.2g}")
        if self.unit_correlation is not None:
            told.append(
                f"filtered spikes correlate with the rates by {self.unit_correlation:.2f} (median "
                "over units)"
            )
        return ", ".join(told)

    def failure(self) -> str:
        """What has failed and what to try, in a sentence; "" where nothing has."""
        if not self.failed:
            return ""
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
        if self.rate_correct < 0.9 * self.trials:
            return "the rate network itself does the task badly, so train it longer first"
        return (
            "try a rate network with more units (train --units) or one that is trained longer "
            "(train --min-updates 1000), or fit the readout to the spikes (convert --refit-readout)"
        )

    def warning(self) -> str:
        """That the output is not kept although the answers are, in a sentence; "" otherwise."""
        if self.failed or self.output_kept:
            return ""
        return (
            f"{self.correct} of {self.trials} answers are right, but the output is not the rate "
            f"network's (output error {self.output_error:.2g}, up to {FAITHFUL:g} counts as "
            "kept): --refit-readout fits the output weights to the spikes, and a rate network that "
            "is trained longer (train --min-updates 1000) may keep it without"
        )


def refitted(made: Mapping[str, Any], before: Faithfulness | None) -> Faithfulness | None:
    """Of a network whose readout was refitted, from what its provenance says of fresh trials.

    Args:
        made: The provenance, with the `fresh_` numbers of `bridge.methods.conversion`.
        before: Of the network before, whose spikes are the same.

    Returns:
        None where they are not there: a provenance may hold anything.
    """
    names = ("trials", "correct", "lost", "gained")
    counts: list[Any] = [made.get(f"fresh_{name}") for name in names]
    shares: list[Any] = [made.get(f"fresh_{name}") for name in ("output_error", "chance")]
    if not all(type(one) is int and one >= 0 for one in counts) or not counts[0]:
        return None
    trials, correct, lost, gained = counts
    known = [one if type(one) is float and 0 <= one < math.inf else None for one in shares]
    if correct + lost > trials or gained > correct:
        return None
    return Faithfulness(
        trials=trials,
        correct=correct,
        lost=lost,
        gained=gained,
        output_error=known[0],
        unit_correlation=None if before is None else before.unit_correlation,
        chance=known[1],
    )
