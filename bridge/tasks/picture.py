"""A few trials of a task as a picture: people would rather look than read."""

import io
from itertools import islice

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bridge.tasks.contract import draw
from bridge.tasks.trials import Task

_COLOURS = ("#00798c", "#d1495b", "#edae49", "#66a182", "#7b5ea7", "#1b2a41", "#8d99ae", "#a44a3f")
# Of so many trials the first of each condition is shown, and of at most so many conditions.
_DRAWN, _MOST_SHOWN = 64, 4
_MOST_NAMED = 8


def trials_figure(task: Task, seed: int = 0) -> Figure:
    """Inputs and targets of one trial of each condition, of at most four conditions."""
    trials = draw(task, _DRAWN, np.random.default_rng(seed))
    firsts = np.unique(trials.labels, return_index=True)
    shown = list(islice(zip(*firsts, strict=True), _MOST_SHOWN))
    figure = Figure(figsize=(4.0 * max(len(shown), 2), 5.0), layout="constrained")
    grid = figure.subplots(2, len(shown), sharex=True, sharey="row", squeeze=False)
    times_s = np.arange(task.steps) * task.step_ms / 1000
    for column, (label, trial) in zip(grid.T, shown, strict=True):
        _lines(column[0], times_s, trials.inputs[:, trial], "input")
        _lines(column[1], times_s, trials.targets[:, trial], "output")
        column[0].set_title(task.conditions[label])
        column[1].set_xlabel("time (s)")
    grid[0, 0].set_ylabel("inputs")
    grid[1, 0].set_ylabel("targets")
    for axes in grid[:, -1]:
        axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    figure.suptitle(task.name)
    return figure


def picture(task: Task, kind: str, seed: int = 0) -> bytes:
    """The content of a picture file of the task's trials; `kind` is "png", "svg" or "pdf"."""
    buffer = io.BytesIO()
    trials_figure(task, seed).savefig(buffer, format=kind, dpi=120)
    return buffer.getvalue()


def _lines(
    axes: Axes, times_s: NDArray[np.float64], values: NDArray[np.float64], what: str
) -> None:
    """(T, channels) values over time, a colour for each channel."""
    axes.spines[["top", "right"]].set_visible(False)
    for number, line in enumerate(values.T):
        # A legend of forty channels would hide what it explains.
        label = f"{what} {number}" if number < _MOST_NAMED else None
        axes.plot(times_s, line, color=_COLOURS[number % len(_COLOURS)], linewidth=1.2, label=label)
