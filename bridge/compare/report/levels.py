"""What each level of a comparison found, in words."""

import math
from dataclasses import dataclass

from bridge.compare.agreement import Agreement
from bridge.compare.exactness import ExactComparison
from bridge.compare.probes.battery import ProbeReport
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.spiking.essentials import several


@dataclass(frozen=True)
class LevelRow:
    """One level of one pair, or of one backend that was probed, in words."""

    level: str
    names: tuple[str, ...]
    tested: str
    found: str
    sure: str
    agreed: bool

    @property
    def compared(self) -> str:
        """What was compared."""
        return " and ".join(self.names)


def level_rows(agreement: Agreement) -> list[LevelRow]:
    """A row for each level and pair."""
    rows = [_exact_row(comparison) for comparison in agreement.exact]
    rows += [_probe_row(report) for report in agreement.probes]
    return rows + [_statistical_row(found) for found in agreement.statistical]


def _exact_row(comparison: ExactComparison) -> LevelRow:
    found = f"{spikes_are(comparison.differing)} on one side only"
    if comparison.identical and not comparison.agreed:
        found = f"readouts differ by {comparison.readouts_apart:.3g}"
    sure = "a single differing spike is found"
    if comparison.certified:
        sure = f"certified: {comparison.margin_mv:.2g} mV from threshold at the nearest"
    return LevelRow(
        level="exact",
        names=comparison.labels,
        tested=f"{several(comparison.trials, 'trial')} under the same noise, spike for spike",
        found=found,
        sure=sure,
        agreed=comparison.agreed,
    )


def _probe_row(report: ProbeReport) -> LevelRow:
    failed = [finding for finding in report.findings if not finding.passed]
    found = "all within tolerance"
    if failed:
        found = "wrong: " + "; ".join(finding.quantity for finding in failed)
    return LevelRow(
        level="probe",
        names=(report.label,),
        tested=f"{sum(finding.count for finding in report.findings):,} quantities by formula",
        found=found,
        sure="onset to one step, size to 0.1 %, noise to 4 standard errors",
        agreed=report.agreed,
    )


def _statistical_row(found: StatisticalComparison) -> LevelRow:
    return LevelRow(
        level="statistical",
        names=found.labels,
        tested=f"{len(found.sets)} sets of {found.trials} trials, noise of their own: "
        + listed(tuple(part.name for part in found.quantities)),
        found=f"p = {found.p:.3g}" + ("" if found.agreed else f", below {found.alpha:g}"),
        sure=promised(found),
        agreed=found.agreed,
    )


def promised(found: StatisticalComparison) -> str:
    """How small a difference a statistical comparison would have found."""
    if not math.isfinite(found.effect):
        return "nothing varies, so it is unknown how small a difference would be found"
    return (
        f"a difference of {100 * found.effect:.2g} % in every unit's rate is found with "
        f"{100 * found.power:g} %, as tried with these trials; a false alarm comes in at most "
        f"{100 * found.alpha:g} % of such comparisons"
    )


def spikes_are(count: int) -> str:
    """A number of spikes, as the beginning of what is said of them."""
    return "1 spike is" if count == 1 else f"{count:,} spikes are"


def listed(names: tuple[str, ...]) -> str:
    """Names with commas, and "and" before the last."""
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
