"""The pictures of how a network came about: its training, and the search for scale or gain."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from bridge.compare.report.panels import legend_above, panels
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.scale_search import Search
from bridge.plot.searches import draw_error_curves, draw_quantity, measured_in
from bridge.plot.style import ACCENT, INK, in_report_style
from bridge.rate.learning import History


@in_report_style
def loss_curve(history: History, target_loss: float | None) -> Figure:
    """Loss and accuracy of the rate network over its training."""
    figure, (left, right) = panels(2)
    left.plot(history.update, history.loss, color=INK, label="loss")
    if target_loss is not None:
        left.axhline(target_loss, color=ACCENT, linestyle="--", label=f"target {target_loss:g}")
    left.set(xlabel="update (number)", ylabel="mean loss of a trial", ylim=(0, None))
    right.plot(history.update, 100 * history.accuracy, color=INK)
    right.set(xlabel="update (number)", ylabel="accuracy (%)", ylim=(-3, 103))
    if target_loss is not None:
        legend_above(figure, left)
    return figure


@in_report_style
def scale_curve(search: Search) -> Figure:
    """What a search measured at each scale factor, or by how much neurons fire at each gain.

    Scores, output error and the correlation of units.
    """
    measured = measured_in(search)
    figure, row = panels(len(measured))
    for axes, quantity in zip(row, measured, strict=True):
        draw_quantity(axes, search, quantity)
    return figure


@in_report_style
def error_curves(curves: Sequence[ErrorCurve]) -> Figure:
    """Output error against spikes, a line for each kind of neuron."""
    figure, (axes,) = panels(1, wide=True)
    draw_error_curves(axes, curves)
    legend_above(figure, axes)
    return figure
