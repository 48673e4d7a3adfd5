"""What the pictures of a report have in common: colours, panels, names as they are."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bridge.compare.statistics.spike_statistics import (
    rates_hz,
)
from bridge.spiking.recording import Recording

INK, ACCENT, QUIET = "#1b2a41", "#d1495b", "#8d99ae"
COLOURS = ("#00798c", "#edae49", "#66a182", "#7b5ea7", "#d1495b")


def mean_rates(recording: Recording) -> NDArray[np.float64]:
    """(N,) mean rate of each neuron, Hz."""
    rates: NDArray[np.float64] = rates_hz(recording.spikes, recording.trial_s).mean(axis=0)
    return rates


def diagonal(axes: Axes, *rates: NDArray[np.float64]) -> float:
    """Where both rates are equal; the highest rate that is shown."""
    top = 1.05 * max(1.0, *(float(rate.max()) for rate in rates))
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)
    axes.set_aspect("equal")
    return top


def panels(count: int, *, square: bool = False) -> tuple[Figure, list[Axes]]:
    """A row of panels."""
    height = 4.0 if square else 3.2
    figure = Figure(figsize=(4.6 * max(count, 1) + (0 if count > 1 else 2.0), height))
    figure.set_layout_engine("constrained")
    row = figure.subplots(1, count, squeeze=False)[0]
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, list(row)


def plain_label(text: str) -> str:
    """A name as it is: matplotlib takes $ for formulas, and hides what begins with _."""
    readable = text.encode("utf-8", "replace").decode().replace("$", r"\$")
    return " " + readable if readable.startswith("_") else readable
