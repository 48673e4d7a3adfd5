"""What only the pictures of a report have in common: rows of panels, legends, short names."""

from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bridge.plot.style import COLUMN_IN, LETTERS_PT, PAGE_IN

# Longer names stand in the caption, and letters for them in the figure.
_LONGEST_NAME = 30
# Width of a letter, at most, as a share of its height.
_WIDE = 0.62


def panels(count: int, *, square: bool = False, wide: bool = False) -> tuple[Figure, list[Axes]]:
    """A row of panels, each with its letter where there are several.

    Args:
        count: How many.
        square: Whether one is to be as high as wide.
        wide: Whether a single one fills a page.
    """
    width = COLUMN_IN if count == 1 and not wide else PAGE_IN
    height = 3.1 if square else 2.3
    figure = Figure(figsize=(width, height), layout="constrained")
    row = figure.subplots(1, count, squeeze=False)[0]
    for letter, axes in zip(ascii_lowercase, row, strict=False):
        axes.spines[["top", "right"]].set_visible(False)
        if count > 1:
            axes.set_title(letter, loc="left", fontweight="bold")
    return figure, list(row)


def legend_above(figure: Figure, axes: Axes) -> None:
    """A legend of what is drawn on some axes, above all of them, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if not labels:
        return
    # Each has a handle and gaps beside its letters.
    each = (max(map(len, labels)) * _WIDE + 5) * LETTERS_PT / 72
    columns = max(1, min(len(labels), int(figure.get_figwidth() / each)))
    legend = figure.legend(handles, labels, loc="outside upper left", ncols=columns)
    for handle in legend.legend_handles:
        # Marks as small as those of spikes could not be seen there.
        if isinstance(handle, Line2D) and handle.get_marker() not in ("", "None", None):
            handle.set(markersize=6, alpha=1.0)


def short_names(labels: tuple[str, ...]) -> dict[str, str]:
    """What stands for each side in figures: its name, or a letter where any is long."""
    if max(map(len, labels), default=0) <= _LONGEST_NAME:
        return {label: label for label in labels}
    letters = ascii_uppercase + ascii_lowercase
    return {label: letters[number % len(letters)] for number, label in enumerate(labels)}


def told_names(names: Mapping[str, str]) -> str:
    """What letters stand for, as a sentence of a caption; "" where names are themselves."""
    told = [f"{short}: {label}" for label, short in names.items() if short != label]
    return f" {'; '.join(told)}." if told else ""


def wrapped(text: str, width_in: float) -> str:
    """A text in as many lines as fit a width."""
    letters = max(8, int(width_in * 72 / (LETTERS_PT * _WIDE)))
    return "\n".join(wrap(text, letters))
