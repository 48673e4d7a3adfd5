"""The pictures of how a network came about: its training, and the search for scale or gain."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from bridge.compare.report.panels import ACCENT, INK, QUIET, panels, plain_label
from bridge.methods.gain_search import WANTED
from bridge.methods.output_error import FAITHFUL
from bridge.methods.scale_search import ScaleSearch, Search
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
    errors, units = search.output_error, search.unit_correlations
    scored = search.correct is not None or search.measured is not None
    figure, row = panels(scored + (errors is not None) + (units is not None))
    tried = _tried(search)
    rest = iter(row)
    if scored:
        _scores(next(rest), search)
    if errors is not None:
        axes = next(rest)
        axes.plot(tried.values, np.maximum(errors, _LEAST_SHOWN), color=INK, marker="o")
        axes.axhline(tried.wanted, color=QUIET, linestyle=":")
        axes.set(ylabel="output error", yscale="log")
    if units is not None:
        axes = next(rest)
        low, middle, high = np.percentile(units, (25, 50, 75), axis=1)
        axes.fill_between(tried.values, low, high, color=QUIET, alpha=0.3, linewidth=0)
        axes.plot(tried.values, middle, color=INK, marker="o")
        axes.set(ylabel="correlation of spikes and rate", ylim=(min(-0.05, float(low.min())), 1))
    for axes in row:
        axes.axvline(tried.values[search.best], color=ACCENT, linestyle="--")
        axes.set(xlabel=tried.label)
        if tried.logarithmic:
            _logarithmic(axes)
    row[0].annotate(
        f"chosen: {tried.chosen}",
        (tried.values[search.best], 0.5),
        xycoords=("data", "axes fraction"),
        xytext=(6, 0),
        textcoords="offset points",
        color=ACCENT,
    )
    return figure


class _Tried(NamedTuple):
    """What a search tried: where it stands on the axis, and up to which output error is aimed."""

    values: NDArray[np.float64]
    chosen: str
    label: str
    logarithmic: bool
    wanted: float


def _tried(search: Search) -> _Tried:
    if isinstance(search, ScaleSearch):
        best = f"{search.best_inverse_scale:g}"
        return _Tried(
            search.inverse_scales, best, r"$1/\lambda$", logarithmic=False, wanted=FAITHFUL
        )
    # Neurons that never fire have no place on a logarithmic axis.
    rates = np.maximum(search.rates_hz, _LEAST_RATE_HZ)
    best = f"gain {search.best_gain_hz:g} Hz"
    return _Tried(rates, best, "spikes a second and neuron", logarithmic=True, wanted=WANTED)


def _logarithmic(axes: Axes) -> None:
    """Equal ratios are as far apart, and numbers stand there in full."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _scores(axes: Axes, search: Search) -> None:
    """Accuracy with its intervals; of a task with numbers alone their median and range."""
    if search.correct is None:
        found = search.measured or ()
        unit = f" ({found[0].unit})" if found[0].unit else ""
        middle = np.array([each.median for each in found])
        ends = np.array([(each.lowest, each.highest) for each in found]).T
        label = plain_label(f"{found[0].name}{unit}, up to {search.trials} trials")
        axes.set(ylabel=label)
    else:
        middle, ends = 100 * search.accuracies(), 100 * search.intervals().T
        axes.set(ylabel=f"accuracy (%), up to {search.trials} trials", ylim=(-3, 103))
    reach = np.abs(ends - middle)
    axes.errorbar(_tried(search).values, middle, yerr=reach, color=INK, marker="o", capsize=3)


# An output error of 0 has no place on a logarithmic axis.
_LEAST_SHOWN = 1e-4
_LEAST_RATE_HZ = 1e-3
