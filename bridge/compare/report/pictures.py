"""The pictures of a report, each with its title and what it shows."""

import base64
import io
from dataclasses import dataclass

from matplotlib.figure import Figure

from bridge.compare.agreement import Agreement
from bridge.compare.report import conversion_figures, spike_figures, statistical_figures
from bridge.compare.report.stimulus import stretches_shown_s
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.compare.statistics.quantities import shared_readouts
from bridge.compare.statistics.settled import from_ms_of, told
from bridge.methods.gain_search import WANTED
from bridge.methods.output_error import FAITHFUL
from bridge.methods.scale_search import ScaleSearch, Search
from bridge.spiking.recording import Recording


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Attributes:
        name: Of its file, without ending.
        title: Above it.
        caption: Below it.
        content: As PNG.
        width: On the page, pixels.
    """

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


def pictures_of(agreement: Agreement) -> list[Picture]:
    """All pictures of a comparison, drawn."""
    drawn = [*_spike_pictures(agreement)]
    for number, found in enumerate(agreement.statistical):
        drawn += _statistical_pictures(found, number, agreement.from_ms)
    drawn += _origin_pictures(agreement)
    return [
        Picture(name, title, caption, _png(figure), round(figure.get_figwidth() * 96))
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
                f"Search for the {_sought(agreement.search)}",
                _search_caption(agreement.search),
                conversion_figures.scale_curve(agreement.search),
            )
        )
    return drawn


def _sought(search: Search) -> str:
    return "scale factor" if isinstance(search, ScaleSearch) else "gain"


def _search_caption(search: Search) -> str:
    shown = "Accuracy of the spiking network", "; bars: 95 % Wilson intervals"
    if search.correct is None:
        number = "The task's number, median over trials, of the spiking network"
        shown = number, "; bars: from its lowest to its highest"
        if search.measured is None:
            shown = "The spiking network", ""
    scaled = isinstance(search, ScaleSearch)
    at = "with all recurrent and output weights divided by 1/λ"
    if not scaled:
        at = "against the mean rate of its neurons, which the gain decides"
    told = f"{shown[0]} {at}{shown[1]}"
    if search.output_error is not None:
        told += (
            ". Output error: squared deviation from the rate network's output without noise, over "
            f"the variance of that; up to {FAITHFUL:g}{', dotted,' * scaled} counts as kept"
            f"{'' if scaled else f', up to {WANTED:g}, dotted, is enough'}"
        )
    if search.unit_correlations is not None:
        told += (
            ". Units: correlation of each neuron's filtered spikes with the rate of its unit, "
            "median and quartiles"
        )
    if isinstance(search, ScaleSearch):
        return f"{told}. Chosen by the rule {search.rule}: {search.best_inverse_scale:g}."
    return f"{told}. Chosen: {search.told_choice()}; {search.told_rule()}."


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=160)
    return buffer.getvalue()
