"""The pictures of a report, as matplotlib figures."""

from collections.abc import Iterator
from itertools import islice
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.compare.agreement import Agreement
from bridge.compare.report.panels import panels
from bridge.compare.report.stimulus import shade, trials_shown
from bridge.compare.statistics.quantities import shared_readouts
from bridge.plot.agreements import rate_scatter as draw_rates
from bridge.plot.spikes import events_of, mark_spikes
from bridge.plot.style import ACCENT, COLOURS, INK, QUIET, plain_label
from bridge.spiking.recording import Recording

# A condition is a row of rasters and a column of outputs: more would be a poster.
_MOST_CONDITIONS = 4


def rasters(agreement: Agreement) -> Figure:
    """Spikes of each side, for one trial of each condition."""
    shown, recordings = list(shown_trials(agreement)), shown_recordings(agreement)
    labels = tuple(recordings)
    figure = Figure(figsize=(4.2 * len(labels), 2.6 * len(shown)), layout="constrained")
    grid = figure.subplots(len(shown), len(labels), sharex=True, sharey=True, squeeze=False)
    for row, (name, trial) in zip(grid, shown, strict=True):
        for axes, label in zip(row, labels, strict=True):
            recording = recordings[label]
            time_s, neuron = events_of(recording, trial)
            mark_spikes(axes, time_s, neuron, 2.0, colour=INK)
            shade(axes, agreement, trial)
            _mark_first_difference(axes, agreement, trial)
            axes.set(xlim=(0, recording.trial_s))
            axes.set_title(f"{len(neuron):,} spikes", loc="right", fontsize="small")
        row[0].set_ylabel(f"{name}\nneuron")
    for axes, label in zip(grid[0], labels, strict=True):
        axes.set_title("\n".join(wrap(plain_label(label), 28)), loc="left")
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    return figure


def readouts(agreement: Agreement) -> Figure:
    """Outputs of the rate network and of each side, for one trial of each condition."""
    shown, recordings = list(shown_trials(agreement)), shown_recordings(agreement)
    first = next(iter(recordings.values()))
    outputs = first.readouts[_readout(recordings)].shape[2]
    height = 3.2 if outputs == 1 else 1.0 + 1.8 * outputs
    figure = Figure(figsize=(4.6 * max(len(shown), 1.5), height), layout="constrained")
    grid = figure.subplots(outputs, len(shown), sharex=True, sharey=True, squeeze=False)
    for (output, column), axes in np.ndenumerate(grid):
        axes.spines[["top", "right"]].set_visible(False)
        _plot_output(axes, agreement, shown[column][1], output)
        shade(axes, agreement, shown[column][1])
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
    recordings = shown_recordings(agreement)
    first = next(iter(recordings.values()))
    name = _readout(recordings)
    times = np.arange(1, len(first.readouts[name]) + 1) * first.sample_ms / 1000
    trials = trials_shown(agreement)
    if trials is not None:
        target = trials.targets[:, trial, output]
        axes.plot(times, target, color=QUIET, linestyle=":", label="target")
    # The rate network was shown the trials of the runs under the same noise.
    if agreement.rate_outputs is not None and agreement.frozen:
        answer = agreement.rate_outputs[:, trial, output]
        axes.plot(times, answer, color=INK, label="rate network")
    for number, (label, recording) in enumerate(recordings.items()):
        answer = recording.readouts[name][:, trial, output]
        # Identical curves hide each other: the later ones are thinner.
        width = 4.5 - 3.5 * number / max(1, len(recordings) - 1)
        colour = COLOURS[number % 5]
        axes.plot(times, answer, color=colour, linewidth=width, label=plain_label(label))


def rate_scatter(agreement: Agreement) -> Figure:
    """Mean rate of each neuron under the same noise, the first side against the others."""
    figure, (axes,) = panels(1, square=True)
    draw_rates(axes, agreement.frozen, agreement.from_ms)
    axes.legend(frameon=False)
    return figure


def _readout(recordings: dict[str, Recording]) -> str:
    """Which readout is drawn: the first that all have."""
    return shared_readouts(list(recordings.values()))[0]


def shown_recordings(agreement: Agreement) -> dict[str, Recording]:
    """The recording of each side that pictures show: under the same noise where there is one."""
    return dict(agreement.frozen) or agreement.described()


def shown_trials(agreement: Agreement) -> Iterator[tuple[str, int]]:
    """Name and number of the first trial of some conditions; without a task, of the first."""
    shown = trials_shown(agreement)
    parted = {each.first.trial for each in agreement.exact if each.first is not None}
    for trial in sorted(parted)[:1]:
        yield f"first difference (trial {trial})", trial
    if shown is None or agreement.task is None:
        if 0 not in parted:
            yield "trial 0", 0
        return
    names = agreement.task.conditions
    count = min(each.spikes.n_trials for each in shown_recordings(agreement).values())
    labels, trials = np.unique(shown.labels[:count], return_index=True)
    for label, trial in islice(zip(labels, trials, strict=True), _MOST_CONDITIONS):
        yield f"{names[label]} (trial {trial})", int(trial)


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
