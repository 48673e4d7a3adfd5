"""The outcome of a comparison in sentences, and level by level in a table."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.compare.agreement import Agreement
from bridge.compare.exactness import ExactComparison
from bridge.compare.probes.battery import ProbeReport
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.methods.scoring import accuracy


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


def verdict(agreement: Agreement) -> str:
    """The outcome in one sentence: who differs and in what, or what each was held to."""
    failed = [row for row in level_rows(agreement) if not row.agreed]
    said = _disagreements(failed) if failed else _agreements(agreement)
    text = ""
    last: tuple[str, ...] = ()
    for names, what in said:
        # Whoever was named last need not be named again.
        who = "they" if names == last and len(names) > 1 else _listed(names)
        text, last = f"{text}{'; ' if text else ''}{who} {what}", names
    return f"{'Disagree' if failed else 'Agree'}: {text}."


_Said = tuple[tuple[str, ...], str]


def _disagreements(failed: list[LevelRow]) -> list[_Said]:
    """Each pair, or backend, that failed, with its levels and what was found first."""
    said: list[_Said] = []
    for names in dict.fromkeys(row.names for row in failed):
        mine = [row for row in failed if row.names == names]
        levels = _listed(tuple(dict.fromkeys(row.level for row in mine)))
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
        said.append((names, f"meet {count:,} numbers that formulas tell"))
    return said + [(one.labels, _statistical_agreement(one)) for one in agreement.statistical]


def _exact_agreement(one: ExactComparison) -> str:
    return f"fired the same {one.spikes[0]:,} spikes in {one.trials} trials, none differing"


def _statistical_agreement(one: StatisticalComparison) -> str:
    if one.identical:
        return f"hold the same {one.sets[0].spikes.count:,} spikes in {one.trials} trials"
    return (
        f"differ in {one.trials} trials under noise of their own by no more than chance "
        f"explains (p = {one.p:.3g})"
    )


def evidence(agreement: Agreement) -> list[str]:
    """What the verdict rests on, a sentence for each thing found."""
    lines = [f"A fault was put in on purpose: {agreement.fault}."] if agreement.fault else []
    for comparison in agreement.exact:
        lines += _exact_evidence(comparison)
    for report in agreement.probes:
        lines += _probe_evidence(report)
    for found in agreement.statistical:
        lines += [_statistical_evidence(found), *_reservations(found)]
    ran = agreement.described().values()
    if ran and not any(each.spikes.count for each in ran):
        lines.append("Nothing fired: that two are silent says little of either.")
    return [*lines, *filter(None, (next_step(agreement),)), *_accuracies(agreement)]


def of_conversion(agreement: Agreement) -> list[str]:
    """Whether the spiking network is still the rate network, in sentences: the verdict first.

    Nothing where there is no rate network, or nothing it could be held against.
    """
    found = agreement.faithfulness
    if found is None:
        return []
    said = f"Conversion: {found.warning() or 'faithful, in its answers and in its output'}"
    if found.failed:
        said = f"The {found.failure().removeprefix('the ')}"
    lines = [f"{said}.", f"The spiking network is {found.accuracies()}."]
    measures = found.measures()
    return [*lines, f"{measures[0].upper()}{measures[1:]}."] if measures else lines


def next_step(agreement: Agreement) -> str:
    """What to do where simulators differ; "" where they agree."""
    failed = {row.level for row in level_rows(agreement) if not row.agreed}
    if not failed or agreement.network is None:
        return ""
    if "probe" in failed:
        return "Next: the table of probes says which part of the simulator is off, and by how much."
    return (
        "Next: --levels probe tells which part of a simulator is off; --levels statistical, "
        "whether rates and outputs differ as well."
    )


def level_rows(agreement: Agreement) -> list[LevelRow]:
    """A row for each level and pair."""
    rows = [_exact_row(comparison) for comparison in agreement.exact]
    rows += [_probe_row(report) for report in agreement.probes]
    return rows + [_statistical_row(found) for found in agreement.statistical]


def _exact_evidence(comparison: ExactComparison) -> Iterator[str]:
    pair = " and ".join(comparison.labels)
    if comparison.first is not None:
        first = comparison.first
        yield (
            f"{pair}: {_spikes(comparison.differing)} on one side only, the first in trial "
            f"{first.trial} at {first.time_ms:g} ms (step {first.step}): {first.unit} fired in "
            f"{first.fired_in} only."
        )
        why = comparison.explanation
        if why is None:
            yield "No voltage differs until there: the same spikes are told differently."
        else:
            yield (
                f"What differed first: the voltage of {why.unit} in step {why.step}, "
                f"{why.values_mv[0]:.9g} and {why.values_mv[1]:.9g} mV (reference: "
                f"{why.values_mv[2]:.9g} mV). {why.quantity}"
            )
        yield from _certificate(comparison)
    elif not comparison.agreed:
        yield (
            f"{pair}: the same spikes, but readouts that differ by up to "
            f"{comparison.readout_difference:.3g} (readout filter or weights)."
        )
    else:
        yield from _certificate(comparison)


def _certificate(comparison: ExactComparison) -> Iterator[str]:
    """How near voltages came to threshold, beside how far they are from each other."""
    apart = comparison.largest_difference_mv
    if comparison.margin_mv is None or apart is None:
        return
    told = f"differ by at most {apart:.2g} mV" if apart else "are equal bit for bit"
    end = "" if comparison.certified else ": that nothing is decided by rounding is not certified"
    yield (
        f"{' and '.join(comparison.labels)}: no voltage came nearer to threshold than "
        f"{comparison.margin_mv:.2g} mV, and the voltages {told}{end}."
    )


def _probe_evidence(report: ProbeReport) -> Iterator[str]:
    for finding in report.findings:
        if not finding.passed:
            yield (
                f"{report.label}: {finding.quantity}, at {finding.where}: {finding.found:.6g} "
                f"instead of {finding.expected:.6g} (off by {finding.error:.3g} "
                f"{finding.measure}, {finding.tolerance:g} allowed)."
            )


def _statistical_evidence(found: StatisticalComparison) -> str:
    pair = " and ".join(found.labels)
    promise = _promise(found)
    if found.agreed:
        return (
            f"{pair}: no statistical difference in {found.trials} trials (p = {found.p:.3g}); "
            f"{promise}."
        )
    largest = min(found.quantities, key=lambda part: min(part.p_spread, part.p_single))
    return (
        f"{pair}: {largest.name} differs (p = {found.p:.2g} for all tests together): "
        f"{largest.notable:.0%} of the units beyond 1.96 standard errors, largest "
        f"{largest.largest_z:.1f}; {promise}."
    )


def _reservations(found: StatisticalComparison) -> Iterator[str]:
    """What was compared otherwise than one would think, or not at all."""
    pair = " and ".join(found.labels)
    steps = sorted({each.dt_ms for each in found.sets})
    if len(steps) > 1:
        told = " and ".join(f"{step:g}" for step in steps)
        yield (
            f"{pair} have time steps of {told} ms: intervals and rates in bins are compared in the "
            f"longest, {found.step_ms:g} ms."
        )
    for sentence in found.left_out:
        yield f"{pair}: {sentence}."


def _promise(found: StatisticalComparison) -> str:
    if not math.isfinite(found.effect):
        return "how small a difference would be found cannot be told, nothing varies"
    return (
        f"a difference of {100 * found.effect:.2g} % in every unit's rate is found with "
        f"{100 * found.power:g} %, as tried with these trials; a false alarm comes in at most "
        f"{100 * found.alpha:g} % of such comparisons"
    )


def _exact_row(comparison: ExactComparison) -> LevelRow:
    found = f"{_spikes(comparison.differing)} on one side only"
    if comparison.identical and not comparison.agreed:
        found = f"readouts differ by {comparison.readout_difference:.3g}"
    sure = "a single differing spike is found"
    if comparison.certified:
        sure = f"certified: {comparison.margin_mv:.2g} mV from threshold at the nearest"
    return LevelRow(
        level="exact",
        names=comparison.labels,
        tested=f"{comparison.trials} trials under the same noise, spike for spike",
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
        + _listed(tuple(part.name for part in found.quantities)),
        found=f"p = {found.p:.3g}" + ("" if found.agreed else f", below {found.alpha:g}"),
        sure=_promise(found),
        agreed=found.agreed,
    )


def _accuracies(agreement: Agreement) -> Iterator[str]:
    network, made = agreement.network, agreement.trials
    if network is None or made is None:
        return
    for label, recording in agreement.frozen.items():
        if recording.readouts:
            share = accuracy(network, made, recording)
            yield f"{label} does the task ({network.task}) in {share:.0%} of the trials."


def _spikes(count: int) -> str:
    return "1 spike is" if count == 1 else f"{count:,} spikes are"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
