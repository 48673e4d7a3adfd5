"""The report of a comparison: one self-contained HTML page, its pictures, and the same as JSON."""

import base64
import io
import json
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2
from matplotlib.figure import Figure

from bridge.arguments import before_path, flag
from bridge.compare.agreement import Agreement
from bridge.compare.report import conversion_figures, spike_figures, statistical_figures
from bridge.compare.report.machine_readable import plain, versions
from bridge.compare.report.outcome import Outcome, outcome
from bridge.compare.report.stimulus import stretches_shown_s
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.compare.statistics.quantities import shared_readouts
from bridge.compare.statistics.settled import from_ms_of, told
from bridge.errors import OutputError
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.methods.output_error import FAITHFUL
from bridge.methods.scale_search import ScaleSearch
from bridge.spiking.recording import Recording


@dataclass(frozen=True)
class _Picture:
    name: str
    title: str
    caption: str
    content: bytes
    width: int

    @property
    def png(self) -> str:
        """The picture as base64 text."""
        return base64.b64encode(self.content).decode()


_Drawn = tuple[str, str, str, Figure]


def report(agreement: Agreement, path: str | Path, *, force: bool = False) -> list[Path]:
    """Write an HTML report, `<name>.json` beside it, and its pictures into `<name>_figures`.

    Args:
        agreement: What `bridge.compare` or `bridge.compare_recordings` found.
        path: Where the page goes, NAME.html.
        force: Replace files that are there.

    Returns:
        The files written: the page, the JSON file, the pictures.

    Raises:
        SpecError: it is no agreement.
        OutputError: the page exists already, or something cannot be written.
    """
    agreement, page = before_path(agreement, path, (Agreement,))
    flag("force", force)
    # Before the work.
    check_report_writable(page, force=force)
    return write_report(agreement, outcome(agreement), page, force=force)


def write_report(agreement: Agreement, said: Outcome, page: Path, *, force: bool) -> list[Path]:
    """Write the report of a comparison whose outcome is known, as `report` does.

    Raises:
        OutputError: the page exists already, or something cannot be written.
    """
    folder = check_report_writable(page, force=force)
    pictures = _pictures(agreement)
    machine = page.with_suffix(".json")
    check_writable(machine, overwrite=True)
    write_bytes(machine, json.dumps(plain(agreement, said), indent=1).encode() + b"\n")
    written = [page, machine]
    for picture in pictures:
        target = folder / f"{picture.name}.png"
        check_writable(target, overwrite=True)
        write_bytes(target, picture.content)
        written.append(target)
    write_bytes(page, _html(agreement, said, pictures).encode())
    return written


def check_report_writable(page: Path, *, force: bool) -> Path:
    """The folder of a page's pictures; OutputError where anything exists or cannot be written."""
    check_writable(page, overwrite=force)
    if page.suffix == ".json":
        raise OutputError(f"{page}: the report is a page; call it .html, a .json comes beside it")
    check_writable(page.with_suffix(".json"), overwrite=force)
    folder = page.with_name(page.stem + "_figures")
    if folder.exists() and not force:
        raise OutputError(f"{folder} exists already; use --force (force=True) to replace it")
    return folder


def _html(agreement: Agreement, said: Outcome, pictures: list[_Picture]) -> str:
    source = files("bridge.compare.report").joinpath("page.html").read_text(encoding="utf-8")
    template = jinja2.Template(source, autoescape=True, undefined=jinja2.StrictUndefined)
    network = agreement.network
    task = network.task if network is not None else ""
    page: str = template.render(
        agreement=agreement,
        title=f"{task or 'Spikes'}: {', '.join(agreement.labels)}",
        verdict=said.verdict,
        evidence=said.evidence,
        conversion=said.conversion,
        levels=said.levels,
        sample_ms=network.dt_ms * network.sample_steps if network is not None else 0.0,
        figures=pictures,
        statistics=said.statistics,
        left_out=_described_note(agreement),
        labels=list(agreement.described()),
        origin=_origin(agreement),
    )
    return page


def _pictures(agreement: Agreement) -> list[_Picture]:
    drawn = [*_spike_pictures(agreement)]
    for number, found in enumerate(agreement.statistical):
        drawn += _statistical_pictures(found, number, agreement.from_ms)
    drawn += _origin_pictures(agreement)
    return [
        _Picture(name, title, caption, _png(figure), round(figure.get_figwidth() * 96))
        for name, title, caption, figure in drawn
    ]


def _spike_pictures(agreement: Agreement) -> list[_Drawn]:
    shown = spike_figures.shown_recordings(agreement)
    if not shown:
        return []
    noise = "the same noise" if agreement.frozen else "noise of its own"
    marked = (
        "; a circle marks the first difference"
        if any(each.first is not None for each in agreement.exact)
        else ""
    )
    # Only what is drawn is told.
    shaded = (
        stretches_shown_s(agreement, trial) for _, trial in spike_figures.shown_trials(agreement)
    )
    grey = "; grey: input on, a channel away from its rest" if any(shaded) else ""
    drawn = [
        (
            "rasters",
            "Spikes",
            f"The same trials on each side under {noise}{grey}{marked}.",
            spike_figures.rasters(agreement),
        )
    ]
    if shared_readouts(list(shown.values())):
        rate = ", and of the rate network" if agreement.rate_outputs is not None else ""
        drawn.append(
            (
                "readouts",
                "Outputs",
                f"The output of each side under {noise}{rate}{grey}.",
                spike_figures.readouts(agreement),
            )
        )
    if agreement.frozen:
        drawn.append(
            (
                "rates",
                "Firing rates under the same noise",
                "Mean rate of each neuron, the first side against the others"
                f"{_left_out(agreement.from_ms, next(iter(agreement.frozen.values())))}.",
                spike_figures.rate_scatter(agreement),
            )
        )
    return drawn


def _left_out(from_ms: float | None, recording: Recording) -> str:
    """What of a recording is not described, as the end of a sentence."""
    said = told(from_ms_of(from_ms, recording), recording)
    return f", {said}" if said else ""


def _statistical_pictures(
    found: StatisticalComparison, number: int, from_ms: float | None
) -> list[_Drawn]:
    rest = _left_out(from_ms, found.sets[0])
    pair = " and ".join(found.labels)
    return [
        (
            f"own_rates_{number}",
            f"Rates under noise of their own: {pair}",
            "Left: mean rate of each neuron; grey, with its band of 95 %: the first side run "
            "twice. Right: differences in standard errors; the curve: two that are alike. Of all "
            "spikes, as they are judged.",
            statistical_figures.own_rates(found),
        ),
        (
            f"distributions_{number}",
            f"Rates over time, intervals and correlations: {pair}",
            "The mean rate of a neuron over the trial, in 20 ms; intervals between spikes; "
            "correlations of spike counts of pairs of neurons in 20 ms, with the band in which "
            "95 % of the histograms lie when the first side's trials are drawn anew"
            f"{rest and '. Intervals and correlations'}{rest.replace(',', '', 1)}.",
            statistical_figures.distributions(found, from_ms),
        ),
    ]


def _origin_pictures(agreement: Agreement) -> list[_Drawn]:
    drawn: list[_Drawn] = []
    rate = agreement.rate
    if rate is not None and rate.history is not None:
        target = rate.provenance.get("options", {}).get("target_loss")
        drawn.append(
            (
                "training",
                "Training of the rate network",
                f"{rate.size} units, {rate.provenance.get('updates', '?')} updates; evaluated on "
                "fresh trials.",
                conversion_figures.loss_curve(rate.history, target),
            )
        )
    if agreement.search is not None:
        drawn.append(
            (
                "scale",
                "Search for the scale factor",
                _scale_caption(agreement.search),
                conversion_figures.scale_curve(agreement.search),
            )
        )
    return drawn


def _scale_caption(search: ScaleSearch) -> str:
    what, bars = "Accuracy", "95 % Wilson intervals"
    if search.correct is None:
        what, bars = "The task's number, median over trials,", "from its lowest to its highest"
    told = (
        f"{what} of the spiking network with all recurrent and output weights divided by 1/λ; "
        f"bars: {bars}"
    )
    if search.output_error is not None:
        told += (
            ". Output error: squared deviation from the rate network's output without noise, over "
            f"the variance of that; up to {FAITHFUL:g}, dotted, counts as kept"
        )
    if search.unit_correlations is not None:
        told += (
            ". Units: correlation of each neuron's filtered spikes with the rate of its unit, "
            "median and quartiles"
        )
    return f"{told}. Chosen by the rule {search.rule}: {search.best_inverse_scale:g}."


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


def _described_note(agreement: Agreement) -> str:
    """What the table of statistics leaves out, in a sentence."""
    said = {
        label: told(from_ms_of(agreement.from_ms, recording), recording)
        for label, recording in agreement.described().items()
    }
    if not any(said.values()):
        return ""
    what = "Rates, intervals, their variability and silent neurons are told"
    if len(set(said.values())) == 1:
        return f"{what} {next(iter(said.values()))}; readouts and scores of whole trials."
    each = "; ".join(f"{label}: {text}" for label, text in said.items() if text)
    return f"{what} of all spikes, but for {each}. Readouts and scores are of whole trials."


def _origin(agreement: Agreement) -> dict[str, str]:
    """Versions, seeds and times, for the foot of the page."""
    rows = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        + f" by spikebridge {version('spikebridge')}",
        "seed": str(agreement.seed),
    }
    if agreement.network is not None:
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
    rows["versions"] = ", ".join(f"{name} {number}" for name, number in versions().items())
    rows["machine"] = f"Python {platform.python_version()}, {platform.platform()}"
    return rows
