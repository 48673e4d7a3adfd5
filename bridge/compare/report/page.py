"""The report of a comparison: one self-contained HTML page, its pictures, and the same as JSON.

That of a fit to rate dynamics is the page alone.
"""

import json
from pathlib import Path
from typing import Any

from bridge.activity import busy_with
from bridge.arguments import before_path, flag
from bridge.compare.agreement import Agreement
from bridge.compare.report.fit_page import write_fit_report
from bridge.compare.report.machine_readable import plain
from bridge.compare.report.methods import methods_of
from bridge.compare.report.outcome import Outcome, outcome
from bridge.compare.report.panels import short_names, told_names
from bridge.compare.report.pictures import Picture, pictures_of
from bridge.compare.report.rendering import made_now, made_with, rendered
from bridge.compare.statistics.settled import from_ms_of, told
from bridge.errors import OutputError
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.methods.rate_targets.result import TargetFit
from bridge.progress import telling


def report(
    found: Agreement | TargetFit, path: str | Path, *, force: bool = False, progress: bool = True
) -> list[Path]:
    """Write an HTML report; of a comparison `<name>.json` and `<name>_figures` next to it.

    Args:
        found: What `bridge.compare` or `bridge.compare_recordings` found, or what
            `bridge.fit_targets` made: its page alone has everything.
        path: Where the page goes, NAME.html.
        force: Replace files that are there.
        progress: Show, in a terminal or notebook, that it goes on, where it takes more than two
            seconds.

    Returns:
        The files written: the page, the JSON file, the pictures.

    Raises:
        SpecError: it is neither.
        OutputError: the page exists already, or something cannot be written.
    """
    given, page = before_path(found, path, (Agreement, TargetFit))
    flag("force", force)
    wanted = flag("progress", progress)
    if isinstance(given, TargetFit):
        with telling("writing the report", wanted=wanted):
            return [write_fit_report(given, page, force=force)]
    # Before the work.
    check_report_writable(page, force=force)
    with telling("writing the report", wanted=wanted):
        return write_report(given, outcome(given), page, force=force)


def write_report(agreement: Agreement, said: Outcome, page: Path, *, force: bool) -> list[Path]:
    """Write the report of a comparison whose outcome is known, as `report` does.

    Raises:
        OutputError: the page exists already, or something cannot be written.
    """
    folder = check_report_writable(page, force=force)
    with busy_with("drawing the pictures"):
        pictures = pictures_of(agreement)
    machine = page.with_suffix(".json")
    check_writable(machine, overwrite=True)
    write_bytes(machine, json.dumps(_for_programs(agreement, said), indent=1).encode() + b"\n")
    written = [page, machine]
    for picture in pictures:
        target = folder / f"{picture.name}.svg"
        check_writable(target, overwrite=True)
        write_bytes(target, picture.svg.encode())
        written.append(target)
    write_bytes(page, _html(agreement, said, pictures).encode())
    return written


def _for_programs(agreement: Agreement, said: Outcome) -> dict[str, Any]:
    return {**plain(agreement, said), "methods": methods_of(agreement, said)}


def check_report_writable(page: Path, *, force: bool) -> Path:
    """The folder of a page's pictures; OutputError where anything exists or cannot be written."""
    check_writable(page, overwrite=force)
    if page.suffix == ".json":
        raise OutputError(f"{page}: the report is a page; call it .html, a .json comes next to it")
    check_writable(page.with_suffix(".json"), overwrite=force)
    folder = page.with_name(page.stem + "_figures")
    if folder.exists() and not force:
        raise OutputError(f"{folder} exists already; use --force (force=True) to replace it")
    return folder


def _html(agreement: Agreement, said: Outcome, pictures: list[Picture]) -> str:
    network = agreement.network
    task = network.task if network is not None else ""
    names = short_names(agreement.labels)
    return rendered(
        "page.html",
        agreement=agreement,
        title=f"{task or 'Spikes'}: {', '.join(agreement.labels)}",
        verdict=said.verdict,
        evidence=said.evidence,
        conversion=said.conversion,
        levels=said.levels,
        sample_ms=network.dt_ms * network.sample_steps if network is not None else 0.0,
        figures=pictures,
        methods=methods_of(agreement, said),
        statistics=said.statistics,
        left_out=_described_note(agreement),
        labels=list(agreement.described()),
        names=names,
        names_note=told_names(names).strip(),
        origin=_origin(agreement),
    )


def _described_note(agreement: Agreement) -> str:
    """What the table of statistics leaves out, in a sentence."""
    said = {
        label: told(from_ms_of(agreement.from_ms, recording), recording)
        for label, recording in agreement.described().items()
    }
    if not any(said.values()):
        return ""
    what = "Rates, intervals, their variability and silent neurons are given"
    if len(set(said.values())) == 1:
        return f"{what} {next(iter(said.values()))}; readouts and scores of whole trials."
    each = "; ".join(f"{label}: {text}" for label, text in said.items() if text)
    return f"{what} of all spikes, except {each}. Readouts and scores are of whole trials."


def _origin(agreement: Agreement) -> dict[str, str]:
    """Versions, seeds and times, for the foot of the page."""
    rows = {"made": made_now(), "seed": str(agreement.seed)}
    if agreement.network is not None and agreement.network.provenance:
        made = agreement.network.provenance
        rows["network"] = "; ".join(f"{name}: {value}" for name, value in made.items())
    if agreement.rate is not None:
        options = agreement.rate.provenance.get("options", {})
        rows["rate network"] = "; ".join(f"{k}: {v}" for k, v in options.items())
    for label, recording in agreement.described().items():
        made_by = {
            k: v
            for k, v in recording.provenance.items()
            if k in ("package", "dtype", "target", "device", "parameters", "file")
        }
        text = ", ".join(str(value) for value in made_by.values())
        if label in agreement.seconds:
            text += f"; {agreement.seconds[label]:.1f} s under the same noise"
        rows[label] = text
    return {**rows, **made_with()}
