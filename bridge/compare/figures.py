"""The pictures of a report, as matplotlib figures."""

from collections.abc import Iterator
from itertools import islice
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bridge.compare.agreement import Agreement
from bridge.compare.quantities import CORRELATION_BIN_MS, TIME_COURSE_BIN_MS, shared_readouts
from bridge.compare.settled import from_ms_of, settled
from bridge.compare.significance import NOTABLE_Z
from bridge.compare.statistical import StatisticalComparison
from bridge.compare.statistics import (
    count_correlations,
    intervals_ms,
    rates_hz,
    resampled_correlations,
    time_course_hz,
)
from bridge.compare.stimulus import shade, trials_shown
from bridge.methods.output_error import FAITHFUL
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
    """What a search measured at each scale factor: accuracy, output error, units' correlation."""
    errors, units = search.output_error, search.unit_correlations
    figure, panels = _panels(1 + (errors is not None) + (units is not None))
    scales, accuracy = search.inverse_scales, 100 * search.accuracies()
    reach = np.abs(100 * search.intervals().T - accuracy)
    panels[0].errorbar(scales, accuracy, yerr=reach, color=INK, marker="o", capsize=3)
    panels[0].set(ylabel=f"accuracy (%), up to {search.trials} trials", ylim=(-3, 103))
    rest = iter(panels[1:])
    if errors is not None:
        axes = next(rest)
        axes.plot(scales, np.maximum(errors, _LEAST_SHOWN), color=INK, marker="o")
        axes.axhline(FAITHFUL, color=QUIET, linestyle=":")
        axes.set(ylabel="output error", yscale="log")
    if units is not None:
        axes = next(rest)
        low, middle, high = np.percentile(units, (25, 50, 75), axis=1)
        axes.fill_between(scales, low, high, color=QUIET, alpha=0.3, linewidth=0)
        axes.plot(scales, middle, color=INK, marker="o")
        axes.set(ylabel="correlation of spikes and rate", ylim=(min(-0.05, float(low.min())), 1))
    for axes in panels:
        axes.axvline(search.best_inverse_scale, color=ACCENT, linestyle="--")
        axes.set_xlabel(r"$1/\lambda$")
    panels[0].annotate(
        f"chosen: {search.best_inverse_scale:g}",
        (search.best_inverse_scale, 50),
        xytext=(6, 0),
        textcoords="offset points",
        color=ACCENT,
    )
    return figure


# An output error of 0 has no place on a logarithmic axis.
_LEAST_SHOWN = 1e-4


def rasters(agreement: Agreement) -> Figure:
    """Spikes of each side, for one trial of each condition."""
    shown, recordings = list(shown_trials(agreement)), shown_recordings(agreement)
    labels = tuple(recordings)
    figure = Figure(figsize=(4.2 * len(labels), 2.6 * len(shown)), layout="constrained")
    grid = figure.subplots(len(shown), len(labels), sharex=True, sharey=True, squeeze=False)
    for row, (name, trial) in zip(grid, shown, strict=True):
        for axes, label in zip(row, labels, strict=True):
            recording = recordings[label]
            time_s, neuron = _events_of(recording, trial)
            axes.plot(time_s, neuron, "|", color=INK, markersize=2, markeredgewidth=0.6)
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
        colour = _COLOURS[number % 5]
        axes.plot(times, answer, color=colour, linewidth=width, label=plain_label(label))


def rate_scatter(agreement: Agreement) -> Figure:
    """Mean rate of each neuron under the same noise, the first side against the others."""
    figure, (axes,) = _panels(1, square=True)
    (first, rates), *others = [
        (name, _rates(settled(each, from_ms_of(agreement.from_ms, each))))
        for name, each in agreement.frozen.items()
    ]
    top = _diagonal(axes, rates, *(rate for _, rate in others))
    for number, (label, rate) in enumerate(others):
        colour = _COLOURS[(number + 1) % 5]
        axes.plot(rates, rate, "o", markersize=4, alpha=0.6, color=colour, label=plain_label(label))
    axes.set(
        xlabel=f"{plain_label(first)}: rate (Hz)", ylabel="rate (Hz)", xlim=(0, top), ylim=(0, top)
    )
    axes.legend(frameon=False)
    return figure


def own_rates(found: StatisticalComparison) -> Figure:
    """Rates of B against A beside those of A', and how far B's lie off in standard errors."""
    figure, (left, right) = _panels(2, square=True)
    rates = [_rates(each) for each in found.sets]
    top = _diagonal(left, *rates)
    first = found.quantities[0]
    reach = NOTABLE_Z * first.rmse_yardstick
    left.fill_between([0, top], [-reach, top - reach], [reach, top + reach], color=QUIET, alpha=0.2)
    if len(rates) == 3:
        left.plot(rates[0], rates[1], "o", markersize=3.5, color=QUIET, label="the first, again")
    left.plot(
        rates[0], rates[-1], "o", markersize=3.5, alpha=0.7, color=_COLOURS[0],
        label=plain_label(found.labels[1]),
    )  # fmt: skip
    left.set(
        xlabel=f"{plain_label(found.labels[0])}: rate (Hz)",
        ylabel="rate (Hz)",
        xlim=(0, top),
        ylim=(0, top),
    )
    left.legend(frameon=False)
    z = np.clip(first.z[np.isfinite(first.z)], -_WIDEST_Z, _WIDEST_Z)
    if z.size:
        bins = np.linspace(-_WIDEST_Z, _WIDEST_Z, 41).tolist()
        right.hist(z, bins=bins, density=True, color=_COLOURS[0])
    grid = np.linspace(-_WIDEST_Z, _WIDEST_Z, 200)
    right.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color=INK)
    right.set(
        xlabel="difference of a neuron's rate (standard errors)",
        ylabel="density",
        title=f"{first.notable:.1%} beyond 1.96 (alike: 5 %)",
    )
    return figure


# What lies further off is drawn at the edge.
_WIDEST_Z = 8.0


def distributions(found: StatisticalComparison, from_ms: float | None = None) -> Figure:
    """Rates over time, intervals between spikes and correlations of counts, of A, A' and B.

    Intervals and correlations are of what `bridge.compare.settled` leaves.
    """
    figure, (course, left, right) = _panels(3)
    names = (
        (found.labels[0], "the first, again", found.labels[1])
        if len(found.sets) == 3
        else found.labels
    )
    colours = (INK, QUIET, _COLOURS[0]) if len(found.sets) == 3 else (INK, _COLOURS[0])
    for whole, name, colour in zip(found.sets, names, colours, strict=True):
        _plot_time_course(course, whole, name, colour)
        recording = settled(whole, from_ms_of(from_ms, whole))
        intervals, _ = intervals_ms(recording.spikes, recording.dt_ms)
        correlations = count_correlations(recording.spikes, recording.dt_ms, CORRELATION_BIN_MS)
        for axes, values, bins in (
            (left, intervals, _interval_bins(intervals)),
            (right, correlations, _CORRELATIONS),
        ):
            if values.size:
                axes.hist(
                    values,
                    bins=bins,
                    density=True,
                    histtype="step",
                    color=colour,
                    label=plain_label(name),
                )
    first = found.sets[0]
    _shade_correlations(right, settled(first, from_ms_of(from_ms, first)))
    course.set(xlabel="time (s)", ylabel="mean rate of a neuron (Hz)", ylim=(0, None))
    left.set(xlabel="interval between spikes (ms)", ylabel="density", xscale="log")
    right.set(xlabel="correlation of counts in 20 ms", ylabel="density", yscale="log")
    course.legend(frameon=False, fontsize="small")
    return figure


_CORRELATIONS = np.linspace(-0.5, 1.0, 76).tolist()
_RESAMPLED = 40


def _plot_time_course(axes: Axes, recording: Recording, name: str, colour: str) -> None:
    """The mean rate of a neuron over the trial."""
    bins = max(1, round(recording.trial_s * 1000 / TIME_COURSE_BIN_MS))
    times = (np.arange(bins) + 0.5) * recording.trial_s / bins
    rates = time_course_hz(recording.spikes, recording.trial_s, bins)
    axes.plot(times, rates, color=colour, linewidth=1.2, label=plain_label(name))


def _shade_correlations(axes: Axes, recording: Recording) -> None:
    """In grey where 95 % of the histograms lie that other trials of A might have given."""
    drawn = resampled_correlations(
        recording.spikes, recording.dt_ms, CORRELATION_BIN_MS, _RESAMPLED, np.random.default_rng(0)
    )
    if not all(values.size for values in drawn):
        return
    heights = [np.histogram(values, bins=_CORRELATIONS, density=True)[0] for values in drawn]
    low, high = np.quantile(heights, [0.025, 0.975], axis=0)
    axes.stairs(high, _CORRELATIONS, baseline=low, fill=True, color=QUIET, alpha=0.35)


def _interval_bins(intervals: NDArray[np.float64]) -> list[float]:
    if not intervals.size:
        return [1.0, 2.0]
    edges: list[float] = np.geomspace(0.9 * intervals.min(), 1.1 * intervals.max(), 61).tolist()
    return edges


def _rates(recording: Recording) -> NDArray[np.float64]:
    """(N,) mean rate of each neuron, Hz."""
    rates: NDArray[np.float64] = rates_hz(recording.spikes, recording.trial_s).mean(axis=0)
    return rates


def _diagonal(axes: Axes, *rates: NDArray[np.float64]) -> float:
    """Where both rates are equal; the highest rate that is shown."""
    top = 1.05 * max(1.0, *(float(rate.max()) for rate in rates))
    axes.plot([0, top], [0, top], color=QUIET, linewidth=1)
    axes.set_aspect("equal")
    return top


def _panels(count: int, *, square: bool = False) -> tuple[Figure, list[Axes]]:
    """A row of panels."""
    height = 4.0 if square else 3.2
    figure = Figure(figsize=(4.6 * max(count, 1) + (0 if count > 1 else 2.0), height))
    figure.set_layout_engine("constrained")
    row = figure.subplots(1, count, squeeze=False)[0]
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, list(row)


def plain_label(text: str) -> str:
    """A name as it is: matplotlib takes $ for formulas, and hides what begins with _."""
    readable = text.encode("utf-8", "replace").decode().replace("$", r"\$")
    return " " + readable if readable.startswith("_") else readable


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
    if shown is None or agreement.network is None:
        if 0 not in parted:
            yield "trial 0", 0
        return
    names = find_task(agreement.network.task).conditions
    count = min(each.spikes.n_trials for each in shown_recordings(agreement).values())
    labels, trials = np.unique(shown.labels[:count], return_index=True)
    for label, trial in islice(zip(labels, trials, strict=True), _MOST_CONDITIONS):
        yield f"{names[label]} (trial {trial})", int(trial)


def _events_of(recording: Recording, trial: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    mine = recording.spikes.trial == trial
    steps = recording.spikes.step[mine]
    return steps * recording.dt_ms / 1000, recording.spikes.neuron[mine]


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
