"""All that is said of a comparison, found once: page, terminal and programs say the same."""

from dataclasses import dataclass

from bridge.compare.agreement import Agreement
from bridge.compare.report.evidence import evidence
from bridge.compare.report.levels import LevelRow, level_rows
from bridge.compare.report.verdict import of_conversion, verdict


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is said of a comparison.

    Attributes:
        verdict: The outcome in one sentence.
        evidence: What it rests on, a sentence for each thing found.
        conversion: Whether the spiking network is still the rate network, in sentences, the verdict
            first; none where there is no rate network, or nothing it could be held against.
        levels: Each level of each pair, or of each backend that was probed.
        statistics: Described, not judged: statistics of each recording, by name of the statistic.
    """

    verdict: str
    evidence: tuple[str, ...]
    conversion: tuple[str, ...]
    levels: tuple[LevelRow, ...]
    statistics: dict[str, dict[str, float]]

    @property
    def sentences(self) -> list[str]:
        """The verdict, what it rests on, and what became of the conversion."""
        return [self.verdict, *self.evidence, *self.conversion]


def outcome(agreement: Agreement) -> Outcome:
    """What is said of a comparison, wherever it is said."""
    levels = tuple(level_rows(agreement))
    return Outcome(
        verdict=verdict(agreement, levels),
        evidence=tuple(evidence(agreement, levels)),
        conversion=tuple(of_conversion(agreement)),
        levels=levels,
        statistics=agreement.statistics(),
    )
