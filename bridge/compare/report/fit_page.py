"""The report of a fit to rate dynamics: one self-contained HTML page."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bridge.activity import busy_with
from bridge.compare.report.fit_figures import fit_pictures
from bridge.compare.report.rendering import made_now, made_with, rendered
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.methods.rate_targets.result import FINISHED, TargetFit
from bridge.spiking.essentials import several

# The error of so many trials says where learning ended.
_LAST = 20


def write_fit_report(fit: TargetFit, page: Path, *, force: bool) -> Path:
    """Write the page.

    Raises:
        OutputError: the page exists already, or cannot be written.
    """
    # Before the work.
    check_writable(page, overwrite=force)
    with busy_with("drawing the pictures"):
        figures = fit_pictures(fit)
    made = rendered(
        "fit.html",
        title=f"{fit.network.task or 'A task'}: a fit to rate dynamics",
        mark=_mark(fit),
        verdict=_verdict(fit),
        evidence=list(_evidence(fit)),
        facts=_facts(fit),
        figures=figures,
        origin=_origin(fit),
    )
    write_bytes(page, made.encode())
    return page


def _mark(fit: TargetFit) -> str:
    """The verdict's colour: no error makes a network good, but from one on it fails."""
    if not fit.errors.size:
        return "fair"
    return "bad" if fit.error >= 1 else "plain"


def _verdict(fit: TargetFit) -> str:
    rate = f", {fit.rate_hz:.3g} Hz" if fit.errors.size else ""
    told = fit.told()
    return f"{told[0].upper()}{told[1:]}{rate}."


def _evidence(fit: TargetFit) -> Iterator[str]:
    if fit.errors.size:
        smallest, largest = fit.errors.min(), fit.errors.max()
        yield (
            f"nMSE is the median of {several(len(fit.errors), 'trial')}, which were between "
            f"{smallest:.2g} and {largest:.2g}. It is 0 where the output is the target, and 1 for "
            "an output that is 0 throughout."
        )
        worse = int(np.sum(fit.errors >= 1))
        if worse:
            yield f"It was 1 or more in {several(worse, 'trial')}."
    if fit.learning_errors.size:
        last, it = fit.learning_errors[-_LAST:], "it" if fit.errors.size else "nMSE"
        yield (
            f"While learning {it} was {np.median(last):.2g} in the last "
            f"{several(len(last), 'trial')}, where each step is corrected. That error is small "
            "long before the network works on its own."
        )
    # Of a network that is not judged the verdict says it.
    if fit.judged and fit.stopped != FINISHED:
        yield f"Learning did not reach its end: {fit.stopped}."


def _facts(fit: TargetFit) -> dict[str, str]:
    """Its sizes, and how it was judged."""
    network, made = fit.network, fit.network.provenance
    rows = {"neurons": f"{network.size:,} {network.populations[0].neurons.title}"}
    if fit.checkpoint is not None:
        rows["of them with learned connections"] = f"{len(fit.checkpoint.traces) // 2:,}"
    rows |= {
        "time step": f"{network.dt_ms:g} ms",
        "trials of learning": f"{len(fit.learning_errors):,}",
        "trials on its own": f"{len(fit.errors):,}, {_how_judged(fit)}" if fit.judged else "none",
    }
    if "components" in made:
        rows["components followed"] = f"{made['components']:,}"
    if fit.teacher is not None:
        rows["teacher"] = f"a trained rate network of {several(fit.teacher.size, 'unit')}"
    if "dale" in made:
        rows["Dale's law"] = "; ".join(f"{name}: {value}" for name, value in made["dale"].items())
    return rows


def _how_judged(fit: TargetFit) -> str:
    if fit.trial is None:
        return "fresh ones, each from rest"
    return "one after the other, from the end of learning on"


def _origin(fit: TargetFit) -> dict[str, str]:
    """Options, versions and times, for the foot of the page."""
    made = fit.network.provenance
    rows = {"made": made_now()}
    if "method" in made:
        rows["method"] = str(made["method"])
    options = made.get("options", {})
    rows["options"] = "; ".join(f"{name}: {value}" for name, value in options.items())
    return {**rows, **made_with()}
