"""Draws what `how_many_neurons.py` found: how_many_neurons.png.

python data/how_many_picture.py
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.plot.style import COLOURS, INK, PAGE_IN, axes_or_new, in_report_style

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "notebooks"))

from tables.how_many import RIGHT, TASKS, TESTED, errors_of  # noqa: E402

KINDS = {"rate": "rate units", "spiking": "spiking neurons"}
TICKS = (10, 20, 50, 100, 200, 500)
WRONG_TICKS = (0, 1, 3, 10, 30, 100)
COLUMNS = 3


def errors_by_size(ax: Axes, task: str, by: str) -> None:
    """The median of all seeds, and each seed."""
    for (kind, label), colour in zip(KINDS.items(), COLOURS, strict=False):
        errors = errors_of(task, kind, by)
        medians = list(map(np.median, errors.values()))
        ax.plot(list(errors), medians, color=colour, label=label)
        for size, found in errors.items():
            ax.plot([size] * len(found), found, ".", color=colour, clip_on=False)
    ax.set_xscale("log")
    ax.set_xticks(TICKS, list(map(str, TICKS)))
    if by == RIGHT:
        # Of a logarithm, with room for none.
        ax.set_yscale("symlog", linthresh=1.0)
        ax.set_yticks(WRONG_TICKS, list(map(str, WRONG_TICKS)))
        ax.set_ylim(0, TESTED)
        ax.set_ylabel(f"wrong of {TESTED}")
    else:
        ax.set_yscale("log")
        ax.set_ylabel("nMSE")
    ax.minorticks_off()
    ax.set_title(task)


@in_report_style
def drawn() -> Figure:
    """Each task by what it says is good."""
    rows = -(-len(TASKS) // COLUMNS)
    figure = Figure(figsize=(PAGE_IN, 0.5 + 2.1 * rows), layout="constrained")
    cells = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for cell, (task, ways) in zip(cells, TASKS.items(), strict=False):
        errors_by_size(axes_or_new(cell), task, ways[0])
    # The lowest of each column.
    for cell in cells[max(0, len(TASKS) - COLUMNS) : len(TASKS)]:
        cell.set_xlabel("units or neurons")
    for cell in cells[len(TASKS) :]:
        cell.set_axis_off()
    handles, labels = cells[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, labelcolor=INK)
    return figure


if __name__ == "__main__":
    drawn().savefig(HERE / "how_many_neurons.png", dpi=160)
