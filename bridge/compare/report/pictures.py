"""The pictures of a report, each with its title and what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from bridge.compare.agreement import Agreement
from bridge.compare.report import conversion_figures, spike_figures, statistical_figures
from bridge.compare.report.answer_figures import answer_figure, answers_shown
from bridge.compare.report.captions import errors_caption, search_caption, sought, worth_a_curve
from bridge.compare.report.network_figure import CAPTION, network_graph, worth_a_graph
from bridge.compare.report.panels import short_names, told_names
from bridge.compare.report.stimulus import stretches_shown_s
from bridge.compare.report.vector import vector, within_page
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.compare.statistics.quantities import shared_readouts
from bridge.compare.statistics.settled import from_ms_of, told
from bridge.spiking.recording import Recording


@dataclass(frozen=True)
class Picture:
    """A picture of the page.

    Attributes:
        name: Of its file, without ending.
        title: Above it.
        caption: Below it.
        svg: As an SVG file.
        width_in: At its full size, inches.
    """

    name: str
    title: str
    caption: str
    svg: str
    width_in: float

    @property
    def drawn(self) -> str:
        """The picture as a part of the page."""
        return within_page(self.svg, self.name)


_Drawn = tuple[str, str, str, Figure]


def pictures_of(agreement: Agreement) -> list[Picture]:
    """All pictures of a comparison, drawn with the same letters."""
    drawn = [*_spike_pictures(agreement)]
    for number, found in enumerate(agreement.statistical):
        drawn += _statistical_pictures(found, number, agreement.from_ms)
    drawn += _origin_pictures(agreement)
    network = worth_a_graph(agreement)
    if network is not None:
        drawn.append(("network", "Network", CAPTION, network_graph(network)))
    return [
        Picture(name, title, caption, vector(figure, title), float(figure.get_figwidth()))
        for name, title, caption, figure in drawn
    ]


def _spike_pictures(agreement: Agreement) -> list[_Drawn]:
    shown = spike_figures.shown_recordings(agreement)
    if not shown:
        return []
    noise = "the same noise" if agreement.frozen else "noise of its own"
    # Only what is drawn is told.
    shaded = (
        stretches_shown_s(agreement, trial) for _, trial in spike_figures.shown_trials(agreement)
    )
    grey = " Grey: input on, a channel away from its rest." if any(shaded) else ""
    sides = told_names(short_names(tuple(shown)))
    drawn = [
        (
            "rasters",
            "Spikes",
            f"The same trials on each side under {noise}.{_marked(agreement)}{grey}"
            f"{_more(spike_figures.MOST_SIDES, len(shown), 'sides')}{sides}",
            spike_figures.rasters(agreement),
        )
    ]
    readouts = shared_readouts(list(shown.values()))
    if readouts:
        drawn_too = agreement.rate_outputs is not None and agreement.frozen
        rate = ", and of the rate network" if drawn_too else ""
        outputs = next(iter(shown.values())).readouts[readouts[0]].shape[2]
        drawn.append(
            (
                "readouts",
                "Outputs",
                f"The output of each side under {noise}{rate}.{_overlaid(shown)}{grey}"
                f"{_more(spike_figures.MOST_OUTPUTS, outputs, 'outputs')}{sides}",
                spike_figures.readouts(agreement),
            )
        )
    drawn += _answer_pictures(agreement, shown, sides)
    if agreement.frozen:
        drawn.append(
            (
                "rates",
                "Firing rates under the same noise",
                "Mean rate of each neuron, a dot each, the first side against the others"
                f"{_left_out(agreement.from_ms, next(iter(agreement.frozen.values())))}."
                f" On the line both are equal.{sides}",
                spike_figures.rate_scatter(agreement),
            )
        )
    return drawn


def _answer_pictures(
    agreement: Agreement, shown: Mapping[str, Recording], sides: str
) -> list[_Drawn]:
    named = answers_shown(agreement, dict(shown))
    if not named:
        return []
    first = next(iter(named))
    caption = (
        f"(a) What {first} answers at the end of a trial to each class: numbers of trials, darker "
        "where they are a greater share of their class. (b) Share of the trials whose answer would "
        f"be right, if it were taken at that time; dotted: chance.{_overlaid(shown)}{sides}"
    )
    return [("answers", "Answers", caption, answer_figure(agreement, named))]


def _marked(agreement: Agreement) -> str:
    """What the circle in rasters is, as a sentence."""
    parted = any(each.first is not None for each in agreement.exact)
    return " A circle marks the first difference." if parted else ""


def _overlaid(shown: Mapping[str, Recording]) -> str:
    return " Of curves that coincide the later ones are thinner." if len(shown) > 1 else ""


def _more(most: int, there: int, what: str) -> str:
    """That not all are drawn, as a sentence."""
    return f" Drawn are {most} of {there} {what}." if there > most else ""


def _left_out(from_ms: float | None, recording: Recording) -> str:
    """What of a recording is not described, as the end of a sentence."""
    said = told(from_ms_of(from_ms, recording), recording)
    return f", {said}" if said else ""


def _statistical_pictures(
    found: StatisticalComparison, number: int, from_ms: float | None
) -> list[_Drawn]:
    rest = _left_out(from_ms, found.sets[0]).removeprefix(", ")
    names = short_names(found.labels)
    pair, sides = " and ".join(names.values()), told_names(names)
    again = len(found.sets) == 3
    return [
        (
            f"own_rates_{number}",
            f"Rates under noise of their own: {pair}",
            f"(a) Mean rate of each neuron, a dot each{_GREY_DOTS if again else ''}. "
            "(b) Differences in standard errors; the curve is that of two that are alike. "
            f"Both are of all spikes, as they are judged.{sides}",
            statistical_figures.own_rates(found),
        ),
        (
            f"distributions_{number}",
            f"Rates over time, intervals and correlations: {pair}",
            "(a) The mean rate of a neuron over the trial, in bins of 20 ms. "
            "(b) Intervals between spikes. "
            "(c) Correlations of spike counts of pairs of neurons, in bins of 20 ms. "
            "In its grey band 95 % of the histograms lie when the first side's trials are drawn "
            f"anew.{rest and f' Intervals and correlations are given {rest}.'}{sides}",
            statistical_figures.distributions(found, from_ms),
        ),
    ]


_GREY_DOTS = "; grey, with its band of 95 %: the first side run twice"


def _origin_pictures(agreement: Agreement) -> list[_Drawn]:
    drawn: list[_Drawn] = []
    rate = agreement.rate
    if rate is not None and rate.history is not None:
        target = rate.provenance.get("options", {}).get("target_loss")
        drawn.append(
            (
                "training",
                "Training of the rate network",
                f"(a) Loss and (b) accuracy of {rate.size} units over "
                f"{_counted(rate.provenance.get('updates'))} updates, evaluated on fresh trials.",
                conversion_figures.loss_curve(rate.history, target),
            )
        )
    if agreement.search is not None:
        drawn.append(
            (
                "scale",
                f"Search for the {sought(agreement.search)}",
                search_caption(agreement.search),
                conversion_figures.scale_curve(agreement.search),
            )
        )
    if worth_a_curve(agreement):
        kinds = " and ".join(curve.neuron for curve in agreement.curves)
        drawn.append(
            (
                "errors",
                f"Output error against spikes: {kinds}",
                errors_caption(len(agreement.curves)),
                conversion_figures.error_curves(agreement.curves),
            )
        )
    return drawn


def _counted(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"
