"""A picture of an agreement: the rates of one side against the others'."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.compare.agreement import Agreement
from bridge.compare.statistics.settled import from_ms_of, settled
from bridge.errors import SpecError
from bridge.plot.spikes import mean_rates
from bridge.plot.style import QUIET, axes_or_new, colour, legend_beside, note, plain_label
from bridge.spiking.recording import Recording


def agreement(agreement: Agreement, ax: Axes | None = None) -> Axes:
    """The mean rate of each neuron on the first side against that on each other one.

    Under the same noise where this was compared, else under noise of their own. On the line both
    rates are equal.

    Args:
        agreement: What `bridge.compare` gives.
        ax: Where to draw; None: on a new figure.

    Returns:
        The axes, both in Hz.

    Raises:
        SpecError: only formulas were compared (probe), which have no rates.
    """
    agreement = of_kind("agreement", agreement, Agreement)
    shown = dict(agreement.frozen) or agreement.described()
    if len(shown) < 2:
        raise SpecError(
            "agreement: no recordings of two sides to draw; compare on the exact or the "
            "statistical level"
        )
    axes = axes_or_new(ax, square=True)
    rate_scatter(axes, shown, agreement.from_ms)
    noise = "the same noise" if agreement.frozen else "noise of their own"
    note(axes, f"{'agreed' if agreement.agreed else 'differ'}, {noise}, a dot a neuron")
    legend_beside(axes)
    return axes


# So many dots, each an element, make a vector graphic of some hundred kilobytes.
MANY_DOTS = 3000


def rate_scatter(axes: Axes, shown: Mapping[str, Recording], from_ms: float | None) -> None:
    """Dots, a line where both rates are equal, and labels of both axes."""
    (first, rates), *others = [
        (name, mean_rates(settled(each, from_ms_of(from_ms, each)))) for name, each in shown.items()
    ]
    top = diagonal(axes, rates, *(rate for _, rate in others))
    for number, (label, rate) in enumerate(others):
        # Identical dots hide each other: the later ones are smaller.
        axes.plot(
            rates, rate, "o", markersize=max(2.0, 5.0 - 1.5 * number), alpha=0.6,
            color=colour(number), label=plain_label(label), rasterized=rate.size > MANY_DOTS,
        )  # fmt: skip
    axes.set(xlabel=f"{plain_label(first)}: rate (Hz)", xlim=(0, top), ylim=(0, top))
    only = f"{plain_label(others[0][0])}: " if len(others) == 1 else ""
    axes.set_ylabel(f"{only}rate (Hz)")


def diagonal(axes: Axes, *rates: NDArray[np.float64]) -> float:
    """Where both rates are equal; the highest rate that is shown."""
    top = 1.05 * max(1.0, *(float(rate.max()) for rate in rates))
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)
    axes.set_aspect("equal")
    return top
