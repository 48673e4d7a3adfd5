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

from tables.how_many import TASKS, errors_of  # noqa: E402

KINDS = {"rate": "rate units", "spiking": "spiking neurons"}
TICKS = (10, 20, 50, 100, 200, 500)


def errors_by_size(ax: Axes, task: str) -> None:
    """The median of all seeds, and each seed."""
    for (kind, label), colour in zip(KINDS.items(), COLOURS, strict=False):
        errors = errors_of(task, kind)
        ax.loglog(list(errors), list(map(np.median, errors.values())), color=colour, label=label)
        for size, found in errors.items():
            ax.plot([size] * len(found), found, ".", color=colour)
    ax.set_xticks(TICKS, list(map(str, TICKS)))
    ax.minorticks_off()
    ax.set_xlabel("units or neurons")
    ax.set_title(task)


@in_report_style
def drawn() -> Figure:
    """Both tasks."""
    figure = Figure(figsize=(PAGE_IN, 3.0), layout="constrained")
    axes = [axes_or_new(ax) for ax in figure.subplots(1, len(TASKS))]
    for ax, task in zip(axes, TASKS, strict=True):
        errors_by_size(ax, task)
    axes[0].set_ylabel("nMSE on their own")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, labelcolor=INK)
    return figure


if __name__ == "__main__":
    drawn().savefig(HERE / "how_many_neurons.png", dpi=160)
