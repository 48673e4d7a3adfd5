"""The picture of answers that name a class: which for which, and when they were right."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bridge.compare.agreement import Agreement
from bridge.compare.report.panels import legend_above, panels, short_names
from bridge.compare.report.stimulus import trials_shown
from bridge.plot.style import INK, PAPER, SMALL_PT, colour, in_report_style, plain_label
from bridge.spiking.recording import Recording
from bridge.tasks import answers

Counts = NDArray[np.int64]


def answers_shown(agreement: Agreement, recordings: dict[str, Recording]) -> dict[str, Counts]:
    """(T, B) class that each side names after each sample, where answers name classes."""
    shown = trials_shown(agreement)
    if agreement.task is None or shown is None:
        return {}
    found = {}
    for label, recording in recordings.items():
        if not recording.readouts:
            return {}
        named = answers(agreement.task, next(iter(recording.readouts.values())))
        if named is None:
            return {}
        found[label] = named
    return found


def confusion(named: Counts, labels: Counts, classes: int) -> Counts:
    """(classes, classes) how often each class, a row, was answered by each, a column."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (labels, named), 1)
    return table


@in_report_style
def answer_figure(agreement: Agreement, named: dict[str, Counts]) -> Figure:
    """What the first side answers to each class, and the share that is right over time."""
    shown, task = trials_shown(agreement), agreement.task
    figure, (left, right) = panels(2, square=True)
    if shown is None or task is None:
        return figure
    first = next(iter(named.values()))
    labels = shown.labels[: first.shape[1]]
    classes = len(task.conditions)
    _draw_table(left, confusion(first[-1], labels, classes), task.conditions)
    times_s = np.arange(1, len(first) + 1) * task.step_ms / 1000
    names = short_names(tuple(named))
    for number, (label, answered) in enumerate(named.items()):
        right_share = 100 * (answered == shown.labels[: answered.shape[1]]).mean(axis=1)
        # Identical curves hide each other: the later ones are thinner.
        width = 3.2 - 2.4 * number / max(1, len(named) - 1)
        name = plain_label(names[label])
        right.plot(times_s, right_share, color=colour(number), linewidth=width, label=name)
    right.axhline(100 / classes, color=INK, ls=":", lw=0.7)
    right.set(xlabel="time (s)", ylabel="right so far (%)", ylim=(-3, 103))
    legend_above(figure, right)
    return figure


def _draw_table(axes: Axes, table: Counts, names: tuple[str, ...]) -> None:
    shares = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    for (row, column), count in np.ndenumerate(table):
        if count:
            ink = PAPER if shares[row, column] > 0.5 else INK
            axes.text(
                column, row, f"{count}", ha="center", va="center", fontsize=SMALL_PT - 1, color=ink
            )
    ticks = range(len(names))
    axes.set_xticks(ticks, map(plain_label, names), rotation=90)
    axes.set_yticks(ticks, map(plain_label, names))
    axes.set(xlabel="answer", ylabel="class")
