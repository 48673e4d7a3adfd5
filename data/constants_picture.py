"""Draws what `constants.py` found: constants.png.

python data/constants_picture.py
"""

import csv
import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.methods.src.options import CONSTANTS
from bridge.plot.style import COLOURS, INK, PAGE_IN, QUIET, axes_or_new, in_report_style

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "notebooks"))

from tables.constants import LOSS  # noqa: E402

KINDS = ("needs more current", "excitable", "fires by itself")
Rows = list[dict[str, str]]


def sweep(ax: Axes, name: str, rows: Rows) -> None:
    """Accuracy where one constant alone is changed, over the random designs."""
    published = rows[0]
    others = [row for row in rows if row["changed"] == "all"]
    mine = [published, *(row for row in rows if row["changed"] == name)]
    mine.sort(key=lambda row: float(row[name]))
    at = [float(row[name]) for row in mine]
    right, low, high = (
        [100 * float(row[column]) for row in mine]
        for column in ("right", "right_lowest", "right_highest")
    )
    ax.plot(
        [float(row[name]) for row in others],
        [100 * float(row["right"]) for row in others],
        ".",
        color=QUIET,
        markersize=2,
        label="all at random",
    )
    ax.fill_between(at, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
    ax.plot(at, right, ".-", color=COLOURS[0], label="one changed")
    ax.plot(float(published[name]), 100 * float(published["right"]), "o", color=COLOURS[1])
    ax.axhline(100 * (float(published["right"]) - LOSS), color=INK, linewidth=0.5, linestyle=":")
    ax.set_xlabel(name)


def margins(ax: Axes, rows: Rows) -> None:
    """Accuracy over what the largest current leaves above the threshold of lasting spikes."""
    for kind, colour in zip(KINDS, COLOURS[2:], strict=False):
        mine = [r for r in rows if r["changed"] == "all" and r["expected"] == kind]
        beyond = [float(r["bias"]) + float(r["rho"]) - float(r["tonic_from"]) for r in mine]
        right = [100 * float(r["right"]) for r in mine]
        ax.plot(beyond, right, ".", color=colour, markersize=3, label=kind)
    ax.axvline(0, color=INK, linewidth=0.5, linestyle=":")
    ax.set_xlabel("bias + rho - threshold")


@in_report_style
def drawn(rows: Rows) -> Figure:
    """All sweeps, and the random designs by what a single cell does."""
    figure = Figure(figsize=(PAGE_IN, 4.2), layout="constrained")
    grid = [axes_or_new(ax) for ax in figure.subplots(2, 4, sharey=True).ravel()]
    for ax, name in zip(grid, CONSTANTS, strict=False):
        sweep(ax, name, rows)
    margins(grid[-1], rows)
    for ax in grid[::4]:
        ax.set_ylabel("digits set aside\nanswered rightly (%)")
    found = [ax.get_legend_handles_labels() for ax in (grid[0], grid[-1])]
    handles = [each for part, _ in found for each in part]
    labels = [each for _, part in found for each in part]
    figure.legend(handles, labels, loc="outside upper center", ncols=5, labelcolor=INK)
    return figure


if __name__ == "__main__":
    made = list(csv.DictReader((HERE / "constants.csv").read_text().splitlines()))
    drawn(made).savefig(HERE / "constants.png", dpi=160)
