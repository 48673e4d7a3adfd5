"""The pictures of how a network came about: its training, and the search for scale or gain."""

from matplotlib.figure import Figure

from bridge.compare.report.panels import panels
from bridge.methods.scale_search import Search
from bridge.plot.searches import draw_quantity, measured_in, tried
from bridge.plot.style import ACCENT, INK
from bridge.rate.learning import History


def loss_curve(history: History, target_loss: float | None) -> Figure:
    """Loss and accuracy of the rate network over its training."""
    figure, (left, right) = panels(2)
    left.plot(history.update, history.loss, color=INK)
    if target_loss is not None:
        left.axhline(target_loss, color=ACCENT, linestyle="--", label=f"target {target_loss:g}")
        left.legend(frameon=False)
    left.set(xlabel="updates", ylabel="mean loss of a trial", ylim=(0, None))
    right.plot(history.update, 100 * history.accuracy, color=INK)
    right.set(xlabel="updates", ylabel="accuracy (%)", ylim=(-3, 103))
    return figure


def scale_curve(search: Search) -> Figure:
    """What a search measured at each scale factor, or by how much neurons fire at each gain.

    Scores, output error and the correlation of units.
    """
    measured, found = measured_in(search), tried(search)
    figure, row = panels(len(measured))
    for axes, quantity in zip(row, measured, strict=True):
        draw_quantity(axes, search, quantity)
    row[0].annotate(
        f"chosen: {found.chosen}",
        (found.values[search.best], 0.5),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        color=ACCENT,
    )
    return figure
