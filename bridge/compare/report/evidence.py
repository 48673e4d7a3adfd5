"""What the verdict of a comparison rests on, in sentences."""

from collections.abc import Iterator, Sequence

from bridge.compare.agreement import Agreement
from bridge.compare.exactness import ExactComparison
from bridge.compare.probes.battery import ProbeReport
from bridge.compare.report.levels import LevelRow, promised, spikes_are
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.methods.scoring import Score, score_of
from bridge.spiking.essentials import several


def evidence(agreement: Agreement, levels: Sequence[LevelRow]) -> list[str]:
    """What the verdict rests on, a sentence for each thing found."""
    lines = [f"A fault was put in on purpose: {agreement.fault}."] if agreement.fault else []
    for comparison in agreement.exact:
        lines += _exact_evidence(comparison)
    for report in agreement.probes:
        lines += _probe_evidence(report)
    for found in agreement.statistical:
        lines += [_statistical_evidence(found), *_reservations(found)]
    lines += _silence(agreement)
    return [*lines, *filter(None, (_next_step(agreement, levels),)), *_accuracies(agreement)]


def _silence(agreement: Agreement) -> Iterator[str]:
    """What a comparison without spikes rests on."""
    ran = agreement.described().values()
    if not ran or any(each.spikes.count for each in ran):
        return
    network = agreement.network
    if network is None or any(each.neurons.fires for each in network.populations):
        yield "Nothing fired: that two are silent says little of either."
        return
    yield "No neuron of this network fires: what is compared is the values that they pass on."
    for found in agreement.exact:
        apart = {"values": found.largest_difference_mv, "readouts": found.readouts_apart}
        told = [
            f"{name} {f'differ by at most {by:.2g}' if by else 'are equal bit for bit'}"
            for name, by in apart.items()
            if by is not None
        ]
        yield f"{' and '.join(found.labels)}: {' and '.join(told)}."


def _next_step(agreement: Agreement, levels: Sequence[LevelRow]) -> str:
    """What to do where simulators differ; "" where they agree."""
    failed = {row.level for row in levels if not row.agreed}
    if not failed or agreement.network is None:
        return ""
    if "probe" in failed:
        return "Next: the table of probes says which part of the simulator is off, and by how much."
    return (
        "Next: --levels probe shows which part of a simulator is off; --levels statistical, "
        "whether rates and outputs differ as well."
    )


def _exact_evidence(comparison: ExactComparison) -> Iterator[str]:
    pair = " and ".join(comparison.labels)
    if comparison.first is not None:
        first = comparison.first
        yield (
            f"{pair}: {spikes_are(comparison.differing)} on one side only, the first in trial "
            f"{first.trial} at {first.time_ms:g} ms (step {first.step}): {first.unit} fired in "
            f"{first.fired_in} only."
        )
        why = comparison.explanation
        if why is None:
            yield "No voltage differs until there: the spikes are reported differently."
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
            f"{comparison.readouts_apart:.3g} (readout filter or weights)."
        )
        yield from _computed(comparison)
    else:
        yield from _certificate(comparison)
        yield from _computed(comparison)


def _computed(comparison: ExactComparison) -> Iterator[str]:
    """Readouts that the simulators computed themselves."""
    found = comparison.computed
    if found is None:
        return
    told = (
        f"differ by up to {found.difference:.2g}" if found.difference else "are equal bit for bit"
    )
    yield (
        f"{' and '.join(comparison.labels)}: readouts that each computed step by step, in "
        f"{several(found.trials, 'trial')}, {told}, and at most {found.from_decoded:.2g} apart "
        "from what the spikes decode to."
    )


def _certificate(comparison: ExactComparison) -> Iterator[str]:
    """How near voltages came to threshold, and how far they are from each other."""
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
    promise = promised(found)
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


def _accuracies(agreement: Agreement) -> Iterator[str]:
    network, task, made = agreement.network, agreement.task, agreement.trials
    if network is None or task is None or made is None:
        return
    for label, recording in agreement.frozen.items():
        if recording.readouts:
            yield _score(label, network.task, score_of(task, made, recording))


def _score(label: str, task: str, found: Score) -> str:
    """How one side does the task, in a sentence."""
    number = "" if found.measured is None else f"{found.measured} in {found.trials} trials"
    if found.correct is None:
        return f"{label} does the task ({task}) with {number}."
    beside = f", with {found.measured}" if found.measured is not None else ""
    return f"{label} does the task ({task}) in {found.accuracy:.0%} of the trials{beside}."
