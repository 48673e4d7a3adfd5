"""What all pictures have in common: colours, axes, legends that hide nothing, names as they are."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

PAPER, INK, QUIET = "#ffffff", "#1b2a41", "#6b778c"
# Okabe and Ito (2008): the colour-blind can distinguish them, too.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")
# Theirs too, for what is marked.
ACCENT = "#d55e00"
LINES = ("-", "--", ":", "-.")
# What stands for each colour on a page whose ground is dark; figures there have no ground.
DARK = {
    PAPER: "transparent",
    INK: "#e4e9f2",
    QUIET: "#93a0b5",
    COLOURS[0]: "#4ba3e0",
    ACCENT: "#ff8433",
}

# A page of a journal has one column or two; what is printed there at full size is readable.
COLUMN_IN, PAGE_IN = 3.5, 7.2
# The same letters in all pictures of a report, in points.
LETTERS_PT, SMALL_PT = 8.0, 7.0
# Settings of matplotlib in which the pictures of a report are drawn.
REPORT: dict[Any, Any] = {
    "font.size": LETTERS_PT,
    "font.family": ["DejaVu Sans"],
    "axes.titlesize": LETTERS_PT,
    "axes.labelsize": LETTERS_PT,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.fontsize": LETTERS_PT,
    "legend.frameon": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
    # Letters stay letters: they can be searched and edited, and take no room.
    "svg.fonttype": "none",
    "svg.hashsalt": "spikebridge",
}

Thing = TypeVar("Thing")
Given = ParamSpec("Given")


def in_report_style(draw: Callable[Given, Figure]) -> Callable[Given, Figure]:
    """A function that draws a figure, with the letters and lines of a report wherever it is."""

    @wraps(draw)
    def drawn(*given: Given.args, **named: Given.kwargs) -> Figure:
        with mpl.rc_context(REPORT):
            figure = draw(*given, **named)
        for axes in figure.axes:
            # Ticks come into being only when a figure is laid out.
            axes.tick_params(which="both", labelsize=SMALL_PT, color=INK, labelcolor=INK)
        return figure

    return drawn


def axes_or_new(ax: Axes | None, *, square: bool = False) -> Axes:
    """The axes that were given, or those of a new figure."""
    if ax is None:
        # It chooses a window system: only where a figure is to be made.
        from matplotlib import pyplot

        size = (5.2, 4.2) if square else (6.4, 3.4)
        _, ax = pyplot.subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def colour(number: int) -> str:
    """The colour of the so-manieth thing; they come again."""
    return COLOURS[number % len(COLOURS)]


def legend_beside(axes: Axes) -> None:
    """A legend to the right of the axes, where there is more than one thing to distinguish."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        legend = axes.legend(
            handles, labels, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0,
            frameon=False, fontsize="small",
        )  # fmt: skip
        for handle in legend.legend_handles:
            # Marks as small as those of spikes could not be seen there.
            if isinstance(handle, Line2D) and handle.get_marker() not in ("", "None", None):
                handle.set(markersize=7, markeredgewidth=2, alpha=1.0)


def note(axes: Axes, *said: str) -> None:
    """What is drawn, in a small line above the axes."""
    axes.set_title("; ".join(filter(None, said)), loc="left", fontsize="small")


def some(things: Sequence[Thing], most: int, what: str) -> tuple[Sequence[Thing], str]:
    """The first of them, and where that is not all, how many are not drawn."""
    beyond = len(things) > most
    return things[:most], f"the first {most} of {len(things):,} {what}" if beyond else ""


def plain_label(text: str) -> str:
    """A name as it is: matplotlib takes $ for formulas, and hides what begins with _."""
    readable = text.encode("utf-8", "replace").decode().replace("$", r"\$")
    return " " + readable if readable.startswith("_") else readable
