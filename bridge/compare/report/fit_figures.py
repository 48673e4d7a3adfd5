"""The pictures in the report of a fit: what the network does, how it learned, and what it has."""

from collections.abc import Callable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.compare.report.pictures import Picture
from bridge.compare.report.vector import vector
from bridge.errors import SpecError
from bridge.methods.rate_targets.result import TargetFit
from bridge.plot.fits import (
    Shown,
    draw_eigenvalues,
    draw_errors,
    draw_outputs,
    draw_spikes,
    on_its_own,
)
from bridge.plot.style import PAGE_IN, axes_or_new, in_report_style

_SQUARE_IN = 3.6


def fit_pictures(fit: TargetFit) -> list[Picture]:
    """Targets and outputs, spikes, the error over learning, and eigenvalues."""
    shown = on_its_own(fit)
    trials = _told_trials(fit, shown)
    return [
        _picture(
            "outputs", "Targets and outputs", f"The network without its teacher{trials}.",
            lambda axes: draw_outputs(axes, shown), 2.6,
        ),
        _picture(
            "spikes", "Spikes", "All neurons in the first of these trials."
            if fit.trial is None else "All neurons in the same trials.",
            lambda axes: draw_spikes(axes, shown), 3.2,
        ),
        _picture(
            "errors", "The error over learning",
            f"A dot is a trial, judged while the weights change.{_told_ending(fit)}",
            lambda axes: draw_errors(axes, fit), 2.6,
        ),
        _picture(
            "eigenvalues", "Eigenvalues",
            "Of the effective recurrent weights: the mean current of all channels for each Hz. "
            "Before learning, random connections and inhibition are there alone.",
            lambda axes: draw_eigenvalues(axes, fit), _SQUARE_IN, _SQUARE_IN * 1.3,
        ),
    ]  # fmt: skip


def _told_trials(fit: TargetFit, shown: Shown | SpecError) -> str:
    if isinstance(shown, SpecError):
        return ""
    if fit.trial is not None:
        return ", two trials in a row from the end of learning on"
    return ", in fresh trials of different conditions"


def _told_ending(fit: TargetFit) -> str:
    if not fit.errors.size:
        return ""
    return " The dashed line is the median of trials on its own, where weights stay."


def _picture(
    name: str,
    title: str,
    caption: str,
    draw: Callable[[Axes], None],
    height_in: float,
    width_in: float = PAGE_IN,
) -> Picture:
    @in_report_style
    def drawn() -> Figure:
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        draw(axes_or_new(figure.subplots()))
        return figure

    return Picture(name, title, caption, vector(drawn(), title), width_in)
