"""A picture of a search: what was measured at each scale factor, or at each gain."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.errors import SpecError
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.gain_search import WANTED, GainSearch
from bridge.methods.output_error import FAITHFUL
from bridge.methods.scale_search import Conversion, ScaleSearch, Search
from bridge.plot.style import (
    ACCENT,
    INK,
    QUIET,
    axes_or_new,
    colour,
    legend_beside,
    note,
    plain_label,
)
from bridge.spiking.values import known_model, shown

Quantity = Literal["score", "output_error", "unit_correlation"]


def scale_curve(
    search: Search | Conversion, ax: Axes | None = None, *, quantity: Quantity | None = None
) -> Axes:
    """What a search measured at each scale factor, or by how much neurons fire at each gain.

    Args:
        search: Of a conversion its search.
        ax: Where to draw; None: on a new figure.
        quantity: "score": accuracy with 95 % intervals, or the median of the task's number with
            its range; "output_error"; "unit_correlation": the median over units, and the band of
            the middle half of them. None: the first of these that was measured.

    Returns:
        The axes; a dashed line marks the chosen one.

    Raises:
        SpecError: that was not measured.
    """
    known_model("search", search, (ScaleSearch, GainSearch, Conversion))
    found: Search = search.search if isinstance(search, Conversion) else search
    known = measured_in(found)
    if not known:
        raise SpecError("search: it measured nothing that could be drawn")
    wanted = known[0] if quantity is None else quantity
    if wanted not in known:
        raise SpecError(
            f"quantity: {shown(quantity)} was not measured; known are {', '.join(known)}"
        )
    axes = axes_or_new(ax)
    draw_quantity(axes, found, wanted)
    best = tried(found)
    dotted = f"dotted: wanted, {best.wanted:g}" if wanted == "output_error" else ""
    note(axes, f"dashed: the chosen one, {best.chosen}", dotted)
    return axes


def measured_in(search: Search) -> tuple[Quantity, ...]:
    """The quantities that a search has measured, in the order of pictures."""
    there = {
        "score": search.correct is not None or search.measured is not None,
        "output_error": search.output_error is not None,
        "unit_correlation": search.unit_correlations is not None,
    }
    every: tuple[Quantity, ...] = get_args(Quantity)
    return tuple(name for name in every if there[name])


def draw_quantity(axes: Axes, search: Search, quantity: Quantity) -> None:
    """One quantity that was measured, over what was tried, with a line at the chosen one."""
    best = tried(search)
    {"score": _scores, "output_error": _errors, "unit_correlation": _correlations}[quantity](
        axes, search
    )
    axes.axvline(best.values[search.best], color=ACCENT, linestyle="--")
    axes.set(xlabel=best.label)
    if best.logarithmic:
        _logarithmic(axes)


def error_curves(found: Conversion, ax: Axes | None = None) -> Axes:
    """Output error against spikes: what a search for each kind of neuron came to.

    Args:
        found: A conversion; one of `bridge.convert_each` knows the curves of the others.
        ax: Where to draw; None: on a new figure.

    Returns:
        The axes, both logarithmic; a ring marks the chosen one of each kind, and below the dotted
        line an output counts as kept.

    Raises:
        SpecError: its search measured no output error, or not how much neurons fire.
    """
    curves = of_kind("found", found, Conversion).error_curves()
    if not curves:
        raise SpecError(
            "found: its search did not measure both output error and how much neurons fire"
        )
    axes = axes_or_new(ax)
    draw_error_curves(axes, curves)
    note(axes, "ring: the chosen one", f"dotted: kept, {FAITHFUL:g}")
    legend_beside(axes)
    return axes


def draw_error_curves(axes: Axes, curves: Sequence[ErrorCurve]) -> None:
    """A line for each kind of neuron, in the order of what was tried."""
    for number, curve in enumerate(curves):
        rates = np.maximum(curve.rates_hz, _LEAST_RATE_HZ)
        errors = np.maximum(curve.output_error, _LEAST_SHOWN)
        axes.plot(
            rates, errors, color=colour(number), label=plain_label(curve.neuron),
            marker=_MARKERS[number % len(_MARKERS)],
        )  # fmt: skip
        axes.plot(
            rates[curve.best], errors[curve.best], "o", color=colour(number), markersize=10,
            markerfacecolor="none",
        )  # fmt: skip
    axes.axhline(FAITHFUL, color=QUIET, linestyle=":")
    _logarithmic(axes)
    axes.set(xlabel=_RATE, ylabel="output error", yscale="log")


# Told apart without colours, too.
_MARKERS = "os^Dv"
_RATE = "mean rate of a neuron (Hz)"


class Tried(NamedTuple):
    """What a search tried: where it stands on the axis, and up to which output error is aimed."""

    values: NDArray[np.float64]
    chosen: str
    label: str
    logarithmic: bool
    wanted: float


def tried(search: Search) -> Tried:
    """What stands on the axis below: scale factors, or how much neurons fire at each gain."""
    if isinstance(search, ScaleSearch):
        best = f"{search.best_inverse_scale:g}"
        return Tried(
            search.inverse_scales, best, r"$1/\lambda$", logarithmic=False, wanted=FAITHFUL
        )
    # Neurons that never fire have no place on a logarithmic axis.
    rates = np.maximum(search.rates_hz, _LEAST_RATE_HZ)
    best = f"gain {search.best_gain_hz:g} Hz"
    return Tried(rates, best, _RATE, logarithmic=True, wanted=WANTED)


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
    axes.errorbar(tried(search).values, middle, yerr=reach, color=INK, marker="o", capsize=3)


def _errors(axes: Axes, search: Search) -> None:
    """The output error, and up to where a network counts as faithful."""
    if search.output_error is None:
        return
    found = tried(search)
    axes.plot(found.values, np.maximum(search.output_error, _LEAST_SHOWN), color=INK, marker="o")
    axes.axhline(found.wanted, color=QUIET, linestyle=":")
    axes.set(ylabel="output error", yscale="log")


def _correlations(axes: Axes, search: Search) -> None:
    """The middle unit's correlation, and the band of the middle half of all units."""
    if search.unit_correlations is None:
        return
    values = tried(search).values
    low, middle, high = np.percentile(search.unit_correlations, (25, 50, 75), axis=1)
    axes.fill_between(values, low, high, color=QUIET, alpha=0.3, linewidth=0)
    axes.plot(values, middle, color=INK, marker="o")
    axes.set(ylabel="correlation of spikes and rate", ylim=(min(-0.05, float(low.min())), 1))


# An output error of 0 has no place on a logarithmic axis.
_LEAST_SHOWN = 1e-4
_LEAST_RATE_HZ = 1e-3
