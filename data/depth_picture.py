"""Draws what `depth.py` found: depth.png.

python data/depth_picture.py
"""

import csv
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.plot.style import COLOURS, INK, LINES, PAGE_IN, axes_or_new, in_report_style

HERE = Path(__file__).parent
DEEPEST = 10


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a table."""
    return list(csv.DictReader((HERE / name).read_text().splitlines()))


def looks(cells: list[str]) -> dict[str, dict[str, str]]:
    """A colour for each kind of cell; Spiking Recurrent Cells differ in their lines."""
    found: dict[str, dict[str, str]] = {}
    others = iter(COLOURS[1:])
    for cell in cells:
        spiking = [each for each in found if each.startswith("SRC")]
        if cell.startswith("SRC"):
            found[cell] = {"color": COLOURS[0], "linestyle": LINES[len(spiking)]}
        else:
            found[cell] = {"color": next(others), "linestyle": "-"}
    return found


def accuracies(ax: Axes, rows: list[dict[str, str]], look: dict[str, dict[str, str]]) -> None:
    """Right answers by depth: the mean of all seeds, and each seed."""
    for cell, style in look.items():
        mine = [row for row in rows if row["cell"] == cell]
        depths = sorted({int(row["layers"]) for row in mine})
        found = [[100 * float(r["right"]) for r in mine if int(r["layers"]) == d] for d in depths]
        ax.plot(depths, [np.mean(each) for each in found], label=cell, **style)
        for depth, each in zip(depths, found, strict=True):
            ax.plot([depth] * len(each), each, ".", color=style["color"])
    ax.set_xticks(sorted({int(row["layers"]) for row in rows}))
    ax.set_xlabel("layers of 100")
    ax.set_ylabel("held-out digits answered rightly (%)")


def gradients(
    ax: Axes, rows: list[dict[str, str]], look: dict[str, dict[str, str]], when: str
) -> None:
    """Norm of the gradient by what each layer passes on, over all of the time."""
    for cell, style in look.items():
        mine = [
            row
            for row in rows
            if (row["cell"], row["layers"], row["when"]) == (cell, str(DEEPEST), when)
        ]
        layers = sorted({int(row["layer"]) for row in mine})
        squares = [
            sum(float(row["norm"]) ** 2 for row in mine if int(row["layer"]) == layer)
            for layer in layers
        ]
        ax.semilogy(layers, np.sqrt(squares), **style)
    ax.set_xlabel("layer")
    ax.set_title("before learning" if when == "start" else "after learning")


def over_time(ax: Axes, rows: list[dict[str, str]], look: dict[str, dict[str, str]]) -> None:
    """The same of the first layer after learning, in each part of the time."""
    for cell, style in look.items():
        norms = [
            float(row["norm"])
            for row in rows
            if (row["cell"], row["layers"], row["when"], row["layer"])
            == (cell, str(DEEPEST), "end", "1")
        ]
        ax.semilogy((np.arange(len(norms)) + 0.5) / len(norms), norms, **style)
    ax.set_xlabel("share of the time")
    ax.set_title("first layer, after learning")


@in_report_style
def drawn(rows: list[dict[str, str]], norms: list[dict[str, str]]) -> Figure:
    """Both tables."""
    look = looks(list(dict.fromkeys(row["cell"] for row in rows)))
    figure = Figure(figsize=(PAGE_IN, 5.4), layout="constrained")
    grid = figure.subplots(2, 2)
    accuracies(axes_or_new(grid[0, 0]), rows, look)
    for ax, when in ((grid[0, 1], "start"), (grid[1, 0], "end")):
        gradients(axes_or_new(ax), norms, look, when)
        ax.set_ylabel("norm of the gradient")
    over_time(axes_or_new(grid[1, 1]), norms, look)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, labelcolor=INK)
    return figure


if __name__ == "__main__":
    drawn(rows_of("depth.csv"), rows_of("depth_gradients.csv")).savefig(HERE / "depth.png", dpi=160)
