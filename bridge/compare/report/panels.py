"""What the pictures of a report have in common besides what all pictures have: rows of panels."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def panels(count: int, *, square: bool = False) -> tuple[Figure, list[Axes]]:
    """A row of panels."""
    height = 4.0 if square else 3.2
    figure = Figure(figsize=(4.6 * max(count, 1) + (0 if count > 1 else 2.0), height))
    figure.set_layout_engine("constrained")
    row = figure.subplots(1, count, squeeze=False)[0]
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, list(row)
