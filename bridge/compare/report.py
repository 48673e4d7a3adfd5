"""The report of a cross-check: one self-contained HTML page, and its pictures as PNG files."""

import base64
import io
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2
from matplotlib.figure import Figure

from bridge.compare import figures
from bridge.compare.agreement import Agreement
from bridge.errors import OutputError
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.methods.scoring import accuracy


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


def report(agreement: Agreement, path: str | Path, *, force: bool = False) -> list[Path]:
    """Write an HTML report, and its pictures into the folder `<name>_figures` beside it.

    Returns:
        The files written, the page first.

    Raises:
        OutputError: the page exists already, or something cannot be written.
    """
    page = Path(path)
    folder = check_report_writable(page, force=force)
    pictures = _pictures(agreement)
    written = [page]
    for picture in pictures:
        target = folder / f"{picture.name}.png"
        check_writable(target, overwrite=True)
        write_bytes(target, picture.content)
        written.append(target)
    write_bytes(page, _html(agreement, pictures).encode())
    return written


def check_report_writable(page: Path, *, force: bool) -> Path:
    """The folder of a page's pictures; OutputError where either exists or cannot be written."""
    check_writable(page, overwrite=force)
    folder = page.with_name(page.stem + "_figures")
    if folder.exists() and not force:
        raise OutputError(f"{folder} exists already; use --force (force=True) to replace it")
    return folder


def verdict(agreement: Agreement) -> str:
    """The outcome in one sentence."""
    names = (
        " and ".join(agreement.labels)
        if len(agreement.labels) == 2
        else (", ".join(agreement.labels[:-1]) + " and " + agreement.labels[-1])
    )
    first = agreement.frozen[agreement.labels[0]].spikes
    if agreement.agreed:
        return (
            f"Agree: {names} fired the same {first.count:,} spikes in {first.n_trials} trials of "
            f"{agreement.frozen[agreement.labels[0]].trial_s:g} s, none differing."
        )
    differing = sum(comparison.differing for comparison in agreement.exact)
    return f"Disagree: {names} differ in {differing:,} spikes under the same noise."


def evidence(agreement: Agreement) -> list[str]:
    """What the verdict rests on, a sentence for each pair."""
    lines = []
    for comparison in agreement.exact:
        pair = " and ".join(comparison.labels)
        if comparison.first is not None:
            first = comparison.first
            lines.append(
                f"{pair}: first difference in trial {first.trial} at {first.time_ms:g} ms "
                f"(step {first.step}): {first.unit} fired in {first.fired_in} only."
            )
        elif comparison.certified:
            apart = comparison.largest_difference_mv
            lines.append(
                f"{pair}: no voltage came nearer to threshold than {comparison.margin_mv:.2g} mV, "
                + (
                    f"and the voltages differ by at most {apart:.2g} mV."
                    if apart
                    else "and the voltages are equal bit for bit."
                )
            )
    for label, recording in agreement.frozen.items():
        if agreement.trials is not None and recording.readouts:
            share = accuracy(agreement.network, agreement.trials, recording)
            lines.append(
                f"{label} does the task ({agreement.network.task}) in {share:.0%} of them."
            )
    return lines


def _html(agreement: Agreement, pictures: list[_Picture]) -> str:
    source = files("bridge.compare").joinpath("report.html").read_text(encoding="utf-8")
    template = jinja2.Template(source, autoescape=True, undefined=jinja2.StrictUndefined)
    page: str = template.render(
        agreement=agreement,
        title=f"{agreement.network.task or 'Spiking network'}: {', '.join(agreement.labels)}",
        verdict=verdict(agreement),
        evidence=evidence(agreement),
        sample_ms=agreement.network.dt_ms * agreement.network.sample_steps,
        figures=pictures,
        statistics=agreement.statistics(),
        origin=_origin(agreement),
    )
    return page


def _pictures(agreement: Agreement) -> list[_Picture]:
    drawn: list[tuple[str, str, str, Figure]] = []
    rate = agreement.rate
    if rate is not None and rate.history is not None:
        target = rate.provenance.get("options", {}).get("target_loss")
        drawn.append(
            (
                "training",
                "Training of the rate network",
                f"{rate.size} units, {rate.provenance.get('updates', '?')} updates; evaluated on "
                "fresh trials.",
                figures.loss_curve(rate.history, target),
            )
        )
    if agreement.search is not None:
        drawn.append(
            (
                "scale",
                "Search for the scale factor",
                "Accuracy of the spiking network with all recurrent and output weights divided by "
                "1/λ as printed; bars: 95 % Wilson intervals. Chosen: "
                f"{agreement.search.best_inverse_scale:g}.",
                figures.scale_curve(agreement.search),
            )
        )
    drawn.append(
        (
            "rasters",
            "Spikes",
            "The same trials in each backend under the same noise; grey: input on.",
            figures.rasters(agreement),
        )
    )
    if agreement.network.readouts:
        drawn.append(
            (
                "readouts",
                "Outputs",
                "The output of each backend under the same noise, and of the rate network.",
                figures.readouts(agreement),
            )
        )
    drawn.append(
        (
            "rates",
            "Firing rates",
            "Mean rate of each neuron, one backend against the other.",
            figures.rate_scatter(agreement),
        )
    )
    return [
        _Picture(name, title, caption, _png(figure), round(figure.get_figwidth() * 96))
        for name, title, caption, figure in drawn
    ]


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()


def _origin(agreement: Agreement) -> dict[str, str]:
    """Versions, seeds and times, for the foot of the page."""
    rows = {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        + f" by spikebridge {version('spikebridge')}",
        "seed": str(agreement.seed),
        "network": "; ".join(f"{k}: {v}" for k, v in agreement.network.provenance.items()),
    }
    if agreement.rate is not None:
        options = agreement.rate.provenance.get("options", {})
        rows["rate network"] = "; ".join(f"{k}: {v}" for k, v in options.items())
    for label, recording in agreement.frozen.items():
        made_by = {
            k: v
            for k, v in recording.provenance.items()
            if k in ("package", "dtype", "target", "device")
        }
        text = ", ".join(str(value) for value in made_by.values())
        rows[label] = f"{text}; {agreement.seconds[label]:.1f} s under the same noise"
    versions = ("numpy", "torch", "snntorch", "brian2", "h5py")
    rows["versions"] = ", ".join(f"{name} {version(name)}" for name in versions)
    rows["machine"] = f"Python {platform.python_version()}, {platform.platform()}"
    return rows
