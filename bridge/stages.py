"""The stages of a conversion, each with its progress bar, its file and what is said of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import bridge
from bridge import terminal
from bridge.errors import FormatError, OutputError, SpecError, TrainingError

if TYPE_CHECKING:
    from bridge.exchange.store import Stored
    from bridge.methods.rate_targets.plan import Plan as FitPlan
    from bridge.methods.src.plan import SrcPlan
    from bridge.rate.plan import Plan

Kind = TypeVar("Kind")


def train_to(
    plan: "Plan", out: Path, resume: "bridge.RateNetwork | None" = None
) -> "bridge.RateNetwork":
    """Train a rate network as planned into a file, or go on training one."""
    from bridge.rate.training import train_as_planned

    with terminal.progress_bar("training") as report:
        network = train_as_planned(
            plan,
            resume=resume,
            on_progress=lambda p: report(p.update / p.max_updates, p.told()),
        )
        report.fills = network.provenance["stopped"] != "interrupted"
    bridge.save(network, out, force=True)
    updates, why = network.provenance["updates"], network.provenance["stopped"]
    reasons = {
        "target": "reached its target",
        "max_updates": "gave up before its target (--resume --max-updates N goes on)",
        "interrupted": "interrupted (--resume goes on)",
    }
    terminal.say(f"{out}: rate network, {updates} updates, {reasons[why]}")
    return network


def fit_to(
    plan: "FitPlan", out: Path, resume: "bridge.TargetFit | None" = None
) -> "bridge.TargetFit":
    """Fit a network to rate dynamics as planned into a file, or go on with a fit.

    Raises:
        TrainingError: learning diverged; the file holds the last good state.
    """
    from bridge.methods.rate_targets.fitting import fit_as_planned
    from bridge.methods.rate_targets.result import FINISHED, INTERRUPTED

    with terminal.progress_bar("fitting") as report:
        fit = fit_as_planned(plan, report, resume)
        report.fills = fit.stopped == FINISHED
    bridge.save(fit, out, force=True)
    if fit.stopped not in (FINISHED, INTERRUPTED):
        raise TrainingError(f"{fit.stopped}; {out} holds what was learned before that trial")
    further = "" if fit.stopped == FINISHED else " (--resume goes on)"
    rate = f", {fit.rate_hz:.3g} Hz" if fit.errors.size else ""
    terminal.say(f"{out}: spiking network, {fit.told()}{further}{rate}")
    return fit


def draw_fit(fit: "bridge.TargetFit", path: Path) -> None:
    """Write a picture of a fit."""
    import io

    from bridge.exchange.hdf5 import write_bytes
    from bridge.plot.fits import target_fit
    from bridge.tasks.picture_kinds import check_kind

    buffer = io.BytesIO()
    target_fit(fit).savefig(buffer, format=check_kind(path.suffix), dpi=200)
    write_bytes(path, buffer.getvalue())
    terminal.say(f"{path}: picture of the fit")


def report_fit(fit: "bridge.TargetFit", path: Path) -> None:
    """Write the page of a fit."""
    from bridge.compare.report.fit_page import write_fit_report

    with terminal.waiting("writing the report"):
        write_fit_report(fit, path, force=True)
    terminal.say(f"{path}: report of the fit")


def train_src_to(
    plan: "SrcPlan", out: Path, resume: "bridge.TrainedNetwork | None" = None
) -> "bridge.TrainedNetwork":
    """Train Spiking Recurrent Cells as planned into a file, or go on training them."""
    from bridge.methods.src.training import train_src_as_planned

    with terminal.progress_bar("training") as report:
        trained = train_src_as_planned(
            plan,
            resume=resume,
            on_progress=lambda p: report(p.update / p.updates, p.told()),
        )
        report.fills = trained.checkpoint is None
    bridge.save(trained, out, force=True)
    terminal.show_table("spikes of each layer", trained.told_activity())
    state = "finished" if trained.checkpoint is None else "interrupted (--resume goes on)"
    found = trained.told_accuracy(validation=plan.options.validation)
    terminal.say(f"{out}: {'; '.join(filter(None, (f'spiking network, {state}', found)))}")
    return trained


def convert_to(
    network: "bridge.RateNetwork", out: Path, *, drive_name: str = "", **options: Any
) -> "bridge.Conversion":
    """Convert a rate network into a file; `options` are those of `bridge.convert`.

    The provenance calls the drive by `drive_name`, if there is one.
    """
    from bridge.search_tables import search_table

    with terminal.progress_bar("searching") as report:
        conversion = bridge.convert(network, on_progress=lambda f: report(f, ""), **options)
    conversion = _named(conversion, drive_name)
    bridge.save(conversion, out, force=True)
    terminal.show_columns(
        search_table(conversion.search), further=f"spikebridge info --all {out} shows them"
    )
    search = conversion.search
    terminal.say(f"{out}: spiking network at {search.told_choice()}, {search.told_best()}")
    for line in _of_conversion(conversion):
        terminal.say(line)
    return conversion


def convert_each_to(
    network: "bridge.RateNetwork",
    files: list[Path],
    neurons: list[str],
    *,
    drive_name: str = "",
    **options: Any,
) -> "bridge.Conversion":
    """Convert a rate network to several kinds of neurons, a file each, and show them in one table.

    Returns the first. Options are those of `bridge.convert_each`.
    """
    from bridge.search_tables import sides_table

    with terminal.progress_bar("searching") as report:
        made = bridge.convert_each(network, neurons, on_progress=lambda f: report(f, ""), **options)
    for one, file in zip(made, files, strict=True):
        bridge.save(_named(one.conversion, drive_name), file, force=True)
    terminal.show_columns(sides_table(made))
    for one, file in zip(made, files, strict=True):
        terminal.say(f"{file}: spiking network at {one.conversion.search.told_choice()}")
        for line in _of_conversion(one.conversion):
            terminal.say(f"{one.neuron}: {line}")
    return made[0].conversion


def _named(conversion: "bridge.Conversion", drive_name: str) -> "bridge.Conversion":
    """The conversion, whose provenance calls its drive by a name, if there is one."""
    if not drive_name:
        return conversion
    made = {**conversion.network.provenance, "drive": drive_name}
    return replace(conversion, network=replace(conversion.network, provenance=made))


def _of_conversion(conversion: "bridge.Conversion") -> Iterator[str]:
    """What a user should know of a conversion in addition to where it is, a sentence each."""
    search, made = conversion.search, conversion.network.provenance
    found = conversion.faithfulness()
    yield from search.told_further()
    if conversion.refitted:
        yield _refit(made)
    if found is None:
        return
    answers = f"the spiking network is {found.accuracies()}" if found.judged else ""
    yield "; ".join(filter(None, (answers, found.measures())))
    yield from filter(None, (found.warning(), found.failure(), found.not_judged()))
    other = conversion.network.provenance.get("scale")
    if found.failed and other and conversion.rate.activation == "relu":
        yield (
            "units of activation relu have not been kept by this mapping, here as in the paper (0 "
            "of 30 networks, 0 of 100): convert with --neuron if"
        )


def _refit(made: Mapping[str, Any]) -> str:
    """What fitting the readout has changed in fresh trials, in a sentence."""
    told = []
    if "fresh_correct" in made:
        told.append(f"{made['fresh_correct']} right, before {made['fresh_correct_before']}")
    error, before = (_error(made[f"fresh_output_error{of}"]) for of in ("", "_before"))
    told.append(f"output error {error}, before {before}")
    if "fresh_measured" in made:
        name, now = made["fresh_measured"]["name"], made["fresh_measured"]["median"]
        earlier = made["fresh_measured_before"]["median"]
        told.append(f"median {name} {now:.3g}, before {earlier:.3g}")
    of = f"of {made['fresh_trials']} fresh trials " if "fresh_correct" in made else ""
    return f"readout refitted: {of}{'; '.join(told)}"


def _error(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"


def compare_to(
    stored: "bridge.Conversion | bridge.SpikingNetwork", out: Path, **options: Any
) -> "bridge.Agreement":
    """Compare backends in a report, and say the verdict; options are those of `bridge.compare`."""
    with terminal.progress_bar("comparing", slow=True) as report:
        agreement = bridge.compare(stored, on_progress=report.of_part, **options)
    report_to(agreement, out)
    return agreement


def report_to(agreement: "bridge.Agreement", out: Path) -> None:
    """Write the report of a comparison, and say the verdict."""
    from bridge.compare.report.outcome import outcome
    from bridge.compare.report.page import write_report

    with terminal.waiting("writing the report"):
        said = outcome(agreement)
        written = write_report(agreement, said, out, force=True)
    for line in said.sentences:
        terminal.say(line)
    pictures = f"; its {len(written) - 2} pictures are in {written[-1].parent}"
    terminal.say(f"{out}: report{pictures if len(written) > 2 else ''}; {written[1]}: for programs")


def show_essentials(thing: "Stored") -> None:
    """Say what most want to know of what was made; `spikebridge info --all` has the rest."""
    from bridge.describe import describe
    from bridge.sections import essential

    with terminal.waiting("describing it"):
        title, rows = describe(thing)
    terminal.show_table(title, essential(rows))


def load_kind(path: Path, kind: type[Kind], what: str) -> Kind:
    """Read a file and insist on its kind."""
    stored = bridge.load(path)
    if not isinstance(stored, kind):
        raise _wrong_kind(path, stored, what)
    return stored


def _wrong_kind(path: Path, stored: "Stored", what: str) -> FormatError:
    from bridge.describe import describe

    return FormatError(f"{path}: {what} is needed, this file holds: {describe(stored)[0]}")


def unfinished(out: Path, kind: type[Kind], what: str, *, resume: bool, force: bool) -> Kind | None:
    """What a training is to go on with; None: it begins, and may write there.

    Raises:
        SpecError: both were asked for.
        OutputError: there is a file, and neither was asked for; or nothing can be written.
        FormatError: what is to be gone on with is something else.
    """
    if resume and force:
        raise SpecError(f"--resume goes on with {out}, --force replaces it: give one of them")
    found = load_kind(out, kind, what) if resume else None
    if not resume and out.exists() and not force:
        raise OutputError(
            f"{out} exists already; use --resume to go on with it or --force to replace it"
        )
    check_writable(out, force=force or resume)
    return found


def load_rate(path: Path) -> "bridge.RateNetwork":
    """Read a file that holds a rate network, be it inside a conversion."""
    stored = bridge.load(path)
    if isinstance(stored, bridge.Conversion):
        return stored.rate
    if not isinstance(stored, bridge.RateNetwork):
        raise _wrong_kind(path, stored, "a rate network")
    return stored


def load_spiking(path: Path) -> "bridge.Conversion | bridge.SpikingNetwork":
    """Read a file that holds a spiking network."""
    stored = bridge.load(path)
    if isinstance(stored, bridge.TargetFit | bridge.TrainedNetwork):
        return stored.network
    if not isinstance(stored, bridge.Conversion | bridge.SpikingNetwork):
        raise _wrong_kind(path, stored, "a spiking network")
    return stored


def check_writable(path: Path, *, force: bool) -> None:
    """Raise OutputError unless a result can be written there."""
    from bridge.exchange import hdf5

    hdf5.check_writable(path, overwrite=force)
