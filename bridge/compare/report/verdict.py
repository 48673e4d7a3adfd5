"""The outcome of a comparison in one sentence, and that of the conversion."""

from collections.abc import Sequence

from bridge.compare.agreement import Agreement
from bridge.compare.exactness import ExactComparison
from bridge.compare.report.levels import LevelRow, listed
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.spiking.essentials import several


def verdict(agreement: Agreement, levels: Sequence[LevelRow]) -> str:
    """The outcome in one sentence: who differs and in what, or what each was held to."""
    failed = [row for row in levels if not row.agreed]
    said = _disagreements(failed) if failed else _agreements(agreement)
    text = ""
    last: tuple[str, ...] = ()
    for names, what in said:
        # Whoever was named last need not be named again.
        who = "they" if names == last and len(names) > 1 else listed(names)
        text, last = f"{text}{'; ' if text else ''}{who} {what}", names
    return f"{'Disagree' if failed else 'Agree'}: {text}."


_Said = tuple[tuple[str, ...], str]


def _disagreements(failed: list[LevelRow]) -> list[_Said]:
    """Each pair, or backend, that failed, with its levels and what was found first."""
    said: list[_Said] = []
    for names in dict.fromkeys(row.names for row in failed):
        mine = [row for row in failed if row.names == names]
        levels = listed(tuple(dict.fromkeys(row.level for row in mine)))
        differ = "differ" if len(names) > 1 else "differs from formulas"
        said.append((names, f"{differ} on the {levels} level: {mine[0].found}"))
    return said


def _agreements(agreement: Agreement) -> list[_Said]:
    said: list[_Said] = []
    if agreement.exact:
        # Each fired what the first one did.
        names = (agreement.exact[0].labels[0], *(one.labels[1] for one in agreement.exact))
        said.append((names, _exact_agreement(agreement.exact[0])))
    if agreement.probes:
        names = tuple(report.label for report in agreement.probes)
        count = sum(finding.count for finding in agreement.probes[-1].findings)
        said.append((names, f"meet {count:,} numbers from formulas"))
    return said + [(one.labels, _statistical_agreement(one)) for one in agreement.statistical]


def _exact_agreement(one: ExactComparison) -> str:
    return (
        f"fired the same {several(one.spikes[0], 'spike')} in {several(one.trials, 'trial')}, "
        "none differing"
    )


def _statistical_agreement(one: StatisticalComparison) -> str:
    if one.identical:
        return f"hold the same {one.sets[0].spikes.count:,} spikes in {one.trials} trials"
    return (
        f"differ in {one.trials} trials under noise of their own by no more than chance "
        f"explains (p = {one.p:.3g})"
    )


def of_conversion(agreement: Agreement) -> list[str]:
    """Whether the spiking network is still the rate network, in sentences: the verdict first.

    Nothing where there is no rate network, or nothing it could be held against.
    """
    found = agreement.faithfulness
    if found is None:
        return []
    kept = "faithful, in its answers and in its output"
    if not found.judged:
        kept = f"faithful in its output; {found.not_judged()}"
    said = f"Conversion: {found.warning() or kept}"
    if found.failed:
        said = f"The {found.failure().removeprefix('the ')}"
    lines = [f"{said}."]
    if found.judged:
        lines.append(f"The spiking network is {found.accuracies()}.")
    measures = found.measures()
    return [*lines, f"{measures[0].upper()}{measures[1:]}."] if measures else lines
