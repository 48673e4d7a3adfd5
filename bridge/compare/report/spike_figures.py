"""The pictures of spikes and outputs in a report, as matplotlib figures."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bridge.compare.agreement import Agreement
from bridge.compare.report.panels import legend_above, panels, short_names, wrapped
from bridge.compare.report.stimulus import shade, trials_shown
from bridge.compare.statistics.quantities import shared_readouts
from bridge.plot.agreements import rate_scatter as draw_rates
from bridge.plot.spikes import events_of, mark_populations
from bridge.plot.style import (
    ACCENT,
    INK,
    PAGE_IN,
    QUIET,
    SMALL_PT,
    colour,
    in_report_style,
    plain_label,
)
from bridge.spiking.recording import Recording

# A condition is a row of rasters and a column of outputs: more would be a poster.
_MOST_CONDITIONS = 4
# Those of neighbours would run into each other.
_MOST_TICKS = 5
MOST_SIDES, MOST_OUTPUTS = 4, 5
# As vectors so many spikes of a figure take some 400 kilobytes; a panel with more than its share
# of them is pixels, and its axes and letters are not.
_MOST_VECTORS = 25_000
_LEAST_SHARE = 1500

_Events = tuple[NDArray[np.float64], NDArray[np.int32]]


@in_report_style
def rasters(agreement: Agreement) -> Figure:
    """Spikes of each side, for one trial of each condition."""
    shown, sides = list(shown_trials(agreement)), sides_shown(agreement)
    names = short_names(tuple(shown_recordings(agreement)))
    figure = Figure(figsize=(PAGE_IN, 0.7 + 1.45 * len(shown)), layout="constrained")
    grid = figure.subplots(len(shown), len(sides), sharex=True, sharey=True, squeeze=False)
    share = max(_LEAST_SHARE, _MOST_VECTORS // grid.size)
    for row, (_, trial) in zip(grid, shown, strict=True):
        for axes, recording in zip(row, sides.values(), strict=True):
            _one_raster(axes, agreement, recording, trial, share)
        row[0].set_ylabel("neuron (number)")
    for row, (name, _) in zip(grid, shown, strict=True):
        row[0].set_title(wrapped(plain_label(name), PAGE_IN / len(sides) - 1.2), loc="left")
    for axes, label in zip(grid[0], sides, strict=True):
        axes.annotate(
            plain_label(names[label]), (0.5, 1.0), xycoords="axes fraction", xytext=(0, 15),
            textcoords="offset points", ha="center", va="bottom", fontweight="bold",
        )  # fmt: skip
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    if len(next(iter(sides.values())).populations) > 1:
        legend_above(figure, grid[0, 0])
    return figure


def _one_raster(
    axes: Axes, agreement: Agreement, recording: Recording, trial: int, most: int
) -> None:
    """The spikes of one side in one trial; as pixels, where they are more than `most`."""
    time_s, neuron = events_of(recording, trial)
    # A row of few neurons is high, and of many its marks are as low as can be seen.
    size = float(np.clip(70.0 / recording.spikes.n_neurons, 1.6, 10.0))
    mark_populations(axes, recording, time_s, neuron, size, pixels_from=most)
    # What fires in the first step stands free of the axis.
    axes.set_xlim(-0.012 * recording.trial_s, recording.trial_s)
    axes.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS, steps=[1, 2, 5, 10]))
    shade(axes, agreement, trial)
    _mark_first_difference(axes, agreement, trial)
    spikes = "spike" if len(neuron) == 1 else "spikes"
    axes.set_title(f"{len(neuron):,} {spikes}", loc="right", fontsize=SMALL_PT)


@in_report_style
def readouts(agreement: Agreement) -> Figure:
    """Outputs of the rate network and of each side, for one trial of each condition."""
    shown, recordings = list(shown_trials(agreement)), shown_recordings(agreement)
    first = next(iter(recordings.values()))
    outputs = min(MOST_OUTPUTS, first.readouts[_readout(recordings)].shape[2])
    height = 2.4 if outputs == 1 else 0.9 + 1.3 * outputs
    figure = Figure(figsize=(PAGE_IN, height), layout="constrained")
    grid = figure.subplots(outputs, len(shown), sharex=True, sharey=True, squeeze=False)
    lines = _lines_of(agreement)
    for (output, column), axes in np.ndenumerate(grid):
        axes.spines[["top", "right"]].set_visible(False)
        _plot_output(axes, lines, shown[column][1], output)
        shade(axes, agreement, shown[column][1])
        axes.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS, steps=[1, 2, 5, 10]))
    for axes, (name, _) in zip(grid[0], shown, strict=True):
        axes.set_title(wrapped(plain_label(name), PAGE_IN / len(shown) - 0.3), loc="left")
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    for output, axes in enumerate(grid[:, 0]):
        number = "" if outputs == 1 else f" {output}"
        axes.set_ylabel(f"output{number} (arb. units)")
    legend_above(figure, grid[0, 0])
    return figure


class _Line(NamedTuple):
    """A line of the pictures of outputs: values (T, B, O) at times, and how it looks."""

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    look: dict[str, Any]


def _lines_of(agreement: Agreement) -> list[_Line]:
    """The target, the rate network's outputs and those of each side."""
    recordings = shown_recordings(agreement)
    name, names = _readout(recordings), short_names(tuple(recordings))
    first = next(iter(recordings.values()))
    times_s = np.arange(1, len(first.readouts[name]) + 1) * first.sample_ms / 1000
    lines, trials = [], trials_shown(agreement)
    if trials is not None:
        lines.append(_Line(times_s, trials.targets, {"c": QUIET, "ls": ":", "label": "target"}))
    # The rate network was shown the trials of the runs under the same noise.
    if agreement.rate_outputs is not None and agreement.frozen:
        lines.append(_Line(times_s, agreement.rate_outputs, {"c": INK, "label": "rate network"}))
    for number, (label, recording) in enumerate(recordings.items()):
        # Identical curves hide each other: the later ones are thinner.
        width = 3.2 - 2.4 * number / max(1, len(recordings) - 1)
        look = {"c": colour(number), "lw": width, "label": plain_label(names[label])}
        lines.append(_Line(times_s, recording.readouts[name], look))
    return lines


def _plot_output(axes: Axes, lines: list[_Line], trial: int, output: int) -> None:
    """One output in one trial: the target, the rate network's and each backend's."""
    for line in lines:
        one: dict[str, Any] = {"marker": "o"} if len(line.times_s) == 1 else {}
        axes.plot(line.times_s, line.values[:, trial, output], **line.look, **one)


@in_report_style
def rate_scatter(agreement: Agreement) -> Figure:
    """Mean rate of each neuron under the same noise, the first side against the others."""
    figure, (axes,) = panels(1, square=True)
    names = short_names(tuple(agreement.frozen))
    draw_rates(axes, {names[one]: run for one, run in agreement.frozen.items()}, agreement.from_ms)
    if len(agreement.frozen) > 2:
        legend_above(figure, axes)
    return figure


def _readout(recordings: dict[str, Recording]) -> str:
    """Which readout is drawn: the first that all have."""
    return shared_readouts(list(recordings.values()))[0]


def shown_recordings(agreement: Agreement) -> dict[str, Recording]:
    """The recording of each side that pictures show: under the same noise where there is one."""
    return dict(agreement.frozen) or agreement.described()


def sides_shown(agreement: Agreement) -> dict[str, Recording]:
    """Those whose spikes are shown: the first ones, and all that differ before the others."""
    every = shown_recordings(agreement)
    differ = {one.labels[1] for one in agreement.exact if one.first is not None}
    first = next(iter(every))
    order = sorted(every, key=lambda label: (label != first, label not in differ))
    kept = set(order[:MOST_SIDES])
    return {label: recording for label, recording in every.items() if label in kept}


def shown_trials(agreement: Agreement) -> Iterator[tuple[str, int]]:
    """Name and number of the first trial of some conditions; without a task, of the first."""
    shown = trials_shown(agreement)
    parted = sorted({each.first.trial for each in agreement.exact if each.first is not None})[:1]
    for trial in parted:
        named = ", ".join(filter(None, (_condition(agreement, trial), f"trial {trial}")))
        yield f"first difference ({named})", trial
    if shown is None or agreement.task is None:
        if 0 not in parted:
            yield "trial 0", 0
        return
    count = min(each.spikes.n_trials for each in shown_recordings(agreement).values())
    _, trials = np.unique(shown.labels[:count], return_index=True)
    for trial in trials[:_MOST_CONDITIONS].tolist():
        if trial not in parted:
            yield f"{_condition(agreement, trial)} (trial {trial})", trial


def _condition(agreement: Agreement, trial: int) -> str:
    """The name of a trial's condition; "" where there is no task."""
    shown = trials_shown(agreement)
    if shown is None or agreement.task is None:
        return ""
    return str(agreement.task.conditions[shown.labels[trial]])


def _mark_first_difference(axes: Axes, agreement: Agreement, trial: int) -> None:
    for comparison in agreement.exact:
        if comparison.first is not None and comparison.first.trial == trial:
            axes.plot(
                comparison.first.time_ms / 1000,
                comparison.first.neuron,
                "o",
                markersize=9,
                markerfacecolor="none",
                color=ACCENT,
            )
