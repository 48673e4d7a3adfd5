"""The pictures of a report, as matplotlib figures."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bridge.compare.agreement import Agreement
from bridge.compare.statistics import rates_hz
from bridge.methods.scale_search import ScaleSearch
from bridge.rate.network import History
from bridge.spiking.recording import Recording
from bridge.tasks import task as find_task

INK, ACCENT, QUIET = "#1b2a41", "#d1495b", "#8d99ae"
# A condition is a row of rasters and a column of outputs: more would be a poster.
_MOST_CONDITIONS = 4
_COLOURS = ("#00798c", "#edae49", "#66a182", "#7b5ea7", "#d1495b")


def loss_curve(history: History, target_loss: float | None) -> Figure:
    """Loss and accuracy of the rate network over its training."""
    figure, (left, right) = _panels(2)
    left.plot(history.update, history.loss, color=INK)
    if target_loss is not None:
        left.axhline(target_loss, color=ACCENT, linestyle="--", label=f"target {target_loss:g}")
        left.legend(frameon=False)
    left.set(xlabel="updates", ylabel="mean loss of a trial", ylim=(0, None))
    right.plot(history.update, 100 * history.accuracy, color=INK)
    right.set(xlabel="updates", ylabel="accuracy (%)", ylim=(-3, 103))
    return figure


def scale_curve(search: ScaleSearch) -> Figure:
    """Accuracy of the spiking network at each scale factor, with 95 % intervals."""
    figure, (axes,) = _panels(1)
    scales, accuracy = search.inverse_scales, 100 * search.accuracies()
    reach = np.abs(100 * search.intervals().T - accuracy)
    axes.errorbar(scales, accuracy, yerr=reach, color=INK, marker="o", capsize=3)
    axes.axvline(search.best_inverse_scale, color=ACCENT, linestyle="--")
    axes.annotate(
        f"chosen: {search.best_inverse_scale:g}",
        (search.best_inverse_scale, 50),
        xytext=(6, 0),
        textcoords="offset points",
        color=ACCENT,
    )
    axes.set(
        xlabel=r"$1/\lambda$", ylabel=f"accuracy (%), up to {search.trials} trials", ylim=(-3, 103)
    )
    return figure


def rasters(agreement: Agreement) -> Figure:
    """Spikes of each backend under the same noise, for one trial of each condition."""
    shown = list(_shown_trials(agreement))
    labels = agreement.labels
    figure = Figure(figsize=(4.2 * len(labels), 2.6 * len(shown)), layout="constrained")
    grid = figure.subplots(len(shown), len(labels), sharex=True, sharey=True, squeeze=False)
    for row, (name, trial) in zip(grid, shown, strict=True):
        for axes, label in zip(row, labels, strict=True):
            recording = agreement.frozen[label]
            time_s, neuron = _events_of(recording, trial)
            axes.plot(time_s, neuron, "|", color=INK, markersize=2, markeredgewidth=0.6)
            _shade_input(axes, agreement, trial)
            _mark_first_difference(axes, agreement, trial)
            axes.set(xlim=(0, recording.trial_s), title=f"{name}: {label}, {len(neuron)} spikes")
        row[0].set_ylabel("neuron")
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    return figure


def readouts(agreement: Agreement) -> Figure:
    """Outputs of the rate network and of each backend, for one trial of each condition."""
    shown = list(_shown_trials(agreement))
    outputs = next(iter(agreement.frozen[agreement.labels[0]].readouts.values())).shape[2]
    height = 3.2 if outputs == 1 else 1.0 + 1.8 * outputs
    figure = Figure(figsize=(4.6 * max(len(shown), 1.5), height), layout="constrained")
    grid = figure.subplots(outputs, len(shown), sharex=True, sharey=True, squeeze=False)
    for (output, column), axes in np.ndenumerate(grid):
        axes.spines[["top", "right"]].set_visible(False)
        _plot_output(axes, agreement, shown[column][1], output)
        _shade_input(axes, agreement, shown[column][1])
    for axes, (name, _) in zip(grid[0], shown, strict=True):
        axes.set_title(name)
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    for output, axes in enumerate(grid[:, 0]):
        axes.set_ylabel("output" if outputs == 1 else f"output {output}")
    grid[0, -1].legend(frameon=False, fontsize="small")
    return figure


def _plot_output(axes: Axes, agreement: Agreement, trial: int, output: int) -> None:
    """One output in one trial: the target, the rate network's and each backend's."""
    first = next(iter(agreement.frozen.values()))
    times = np.arange(1, len(next(iter(first.readouts.values()))) + 1) * first.sample_ms / 1000
    if agreement.trials is not None:
        target = agreement.trials.targets[:, trial, output]
        axes.plot(times, target, color=QUIET, linestyle=":", label="target")
    if agreement.rate_outputs is not None:
        answer = agreement.rate_outputs[:, trial, output]
        axes.plot(times, answer, color=INK, label="rate network")
    for number, label in enumerate(agreement.labels):
        answer = next(iter(agreement.frozen[label].readouts.values()))[:, trial, output]
        # Identical curves hide each other: the later ones are thinner.
        width = 4.5 - 3.5 * number / max(1, len(agreement.labels) - 1)
        axes.plot(times, answer, color=_COLOURS[number % 5], linewidth=width, label=label)


def rate_scatter(agreement: Agreement) -> Figure:
    """Mean rate of each neuron, the first backend against the others: same and own noise."""
    first, *others = agreement.labels
    figure, row = _panels(2, square=True)
    sets = (("the same noise", agreement.frozen), ("noise of their own", agreement.independent))
    for axes, (title, recordings) in zip(row, sets, strict=True):
        rates = {
            label: rates_hz(recording.spikes, recording.trial_s).mean(axis=0)
            for label, recording in recordings.items()
        }
        top = 1.05 * max(1.0, *(float(rate.max()) for rate in rates.values()))
        axes.plot([0, top], [0, top], color=QUIET, linewidth=1)
        for number, label in enumerate(others):
            axes.plot(
                rates[first],
                rates[label],
                "o",
                markersize=4,
                alpha=0.6,
                color=_COLOURS[(number + 1) % 5],
                label=label,
            )
        axes.set(
            title=title,
            xlabel=f"{first}: rate (Hz)",
            ylabel="rate (Hz)",
            aspect="equal",
            xlim=(0, top),
            ylim=(0, top),
        )
        axes.legend(frameon=False)
    return figure


def _panels(count: int, *, square: bool = False) -> tuple[Figure, list[Axes]]:
    """A row of panels."""
    height = 4.0 if square else 3.2
    figure = Figure(figsize=(4.6 * max(count, 1) + (0 if count > 1 else 2.0), height))
    figure.set_layout_engine("constrained")
    row = figure.subplots(1, count, squeeze=False)[0]
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, list(row)


def _shown_trials(agreement: Agreement) -> Iterator[tuple[str, int]]:
    """Name and number of the first trial of some conditions; without a task, of the first."""
    if agreement.trials is None:
        yield "trial 0", 0
        return
    names = find_task(agreement.network.task).conditions
    labels, trials = np.unique(agreement.trials.labels, return_index=True)
    for label, trial in islice(zip(labels, trials, strict=True), _MOST_CONDITIONS):
        yield f"{names[label]} (trial {trial})", int(trial)


def _events_of(recording: Recording, trial: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    mine = recording.spikes.trial == trial
    steps = recording.spikes.step[mine]
    return steps * recording.dt_ms / 1000, recording.spikes.neuron[mine]


def _shade_input(axes: Axes, agreement: Agreement, trial: int) -> None:
    """Grey where the trial's input is not zero."""
    if agreement.trials is None:
        return
    on = np.flatnonzero(agreement.trials.inputs[:, trial].any(axis=1))
    if on.size:
        sample_s = agreement.network.dt_ms * agreement.network.sample_steps / 1000
        axes.axvspan(on[0] * sample_s, (on[-1] + 1) * sample_s, color=QUIET, alpha=0.2, lw=0)


def _mark_first_difference(axes: Axes, agreement: Agreement, trial: int) -> None:
    for comparison in agreement.exact:
        if comparison.first is not None and comparison.first.trial == trial:
            axes.plot(
                comparison.first.time_ms / 1000,
                comparison.first.neuron,
                "o",
                markersize=12,
                markerfacecolor="none",
                color=ACCENT,
            )
