"""A picture of a fit to rate dynamics: what it learned, and what it does on its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.backends import quickest, simulate
from bridge.errors import SpecError
from bridge.methods.rate_targets.effective import eigenvalues
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.scoring import SCORE, task_drive
from bridge.plot.spikes import events_of, mark_populations
from bridge.plot.style import (
    ACCENT,
    INK,
    PAGE_IN,
    PAPER,
    QUIET,
    axes_or_new,
    colour,
    in_report_style,
    note,
    plain_label,
    some,
)
from bridge.spiking.essentials import several
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]

# Trials in a row, and of trials that differ so many are drawn to find some of other conditions.
_IN_A_ROW, _DRAWN = 2, 8
_MOST_CONDITIONS, _MOST_OUTPUTS = 3, 4
# The middle of so many trials is the smooth line of the error.
_SMOOTHED = 20
_MARK_PT = 1.2
# On top of what it would hide.
_LEGEND: dict[str, Any] = {
    "fontsize": "small", "frameon": True, "facecolor": PAPER, "edgecolor": "none",
    "framealpha": 0.8,
}  # fmt: skip


@in_report_style
def target_fit(fit: TargetFit) -> Figure:
    """Targets and outputs, spikes, the error over learning, and eigenvalues: four pictures in one.

    The network is run without its teacher: two trials in a row, or a trial of each of up to three
    conditions. Eigenvalues are those of the effective recurrent weights, the mean current of all
    channels for each Hz, before and after learning.

    Args:
        fit: Of `bridge.fit_targets`.

    Returns:
        The figure; what cannot be drawn is left out and says so.
    """
    found = of_kind("fit", fit, TargetFit)
    figure = Figure(figsize=(PAGE_IN, 5.4), layout="constrained")
    (outputs, errors), (spikes, spectrum) = figure.subplots(2, 2)
    for axes in figure.axes:
        axes_or_new(axes)
    shown = on_its_own(found)
    draw_outputs(outputs, shown)
    draw_spikes(spikes, shown)
    draw_errors(errors, found)
    draw_eigenvalues(spectrum, found)
    told = f"{found.network.task}: " if found.network.task else ""
    figure.suptitle(plain_label(told + found.told()), x=0.01, ha="left")
    return figure


@dataclass(frozen=True, eq=False)
class Shown:
    """What a network does without its teacher.

    Attributes:
        targets: (T, B, O) of some trials.
        recording: Of the same trials.
    """

    targets: Array
    recording: Recording


def on_its_own(fit: TargetFit) -> Shown | SpecError:
    """Some trials of a fitted network; the reason where its task is not known here."""
    try:
        return Shown(*_some_trials(fit))
    except SpecError as reason:
        return reason


def _some_trials(fit: TargetFit) -> tuple[Array, Recording]:
    if fit.trial is not None:
        recording = simulate(fit.network, fit.drive(_IN_A_ROW), backend=quickest(), progress=False)
        return np.tile(fit.trial.targets, (_IN_A_ROW, 1, 1)), recording
    trials, drive = task_drive(fit.network, _DRAWN, 0, SCORE)
    recording = simulate(fit.network, drive, backend=quickest(), progress=False)
    firsts = np.sort(np.unique(trials.labels, return_index=True)[1])
    return trials.targets[:, firsts], recording.chosen(firsts)


def draw_outputs(axes: Axes, shown: Shown | SpecError) -> None:
    """Lines for outputs, dashed for targets: of some conditions, or of one trial's outputs."""
    if isinstance(shown, SpecError):
        _left_out(axes, shown)
    else:
        _draw_trials(axes, shown.targets, shown.recording)


def _draw_trials(axes: Axes, targets: Array, recording: Recording) -> None:
    outputs = next(iter(recording.readouts.values()))
    times_s = np.arange(1, len(outputs) + 1) * recording.sample_ms / 1000
    several_outputs = outputs.shape[2] > 1
    if several_outputs:
        shown, left_out = some(range(outputs.shape[2]), _MOST_OUTPUTS, "outputs")
        left_out = "; ".join(filter(None, (_of_one_trial(recording), left_out)))
        pairs = [(outputs[:, 0, each], targets[:, 0, each], f"output {each}") for each in shown]
    else:
        shown, left_out = some(range(outputs.shape[1]), _MOST_CONDITIONS, "conditions")
        pairs = [
            (outputs[:, each, 0], targets[:, each, 0], _condition(recording, each))
            for each in shown
        ]
    for place, (output, target, label) in enumerate(pairs):
        ink = INK if len(pairs) == 1 else colour(place)
        axes.plot(times_s, output, color=ink, label=plain_label(label))
        axes.plot(times_s, target, color=ink, linestyle="--", linewidth=0.8)
    axes.set(xlabel="time (s)", ylabel="output (arbitrary units)", xlim=(0, recording.trial_s))
    note(axes, "on its own; dashed: targets", left_out)
    if len(pairs) > 1:
        axes.legend(loc="upper left", **_LEGEND)


def _of_one_trial(recording: Recording) -> str:
    """Which trial is drawn, where there are others."""
    trials = recording.spikes.n_trials
    if trials == 1:
        return ""
    return f"one trial of {trials} conditions: {plain_label(_condition(recording, 0))}"


def _left_out(axes: Axes, reason: SpecError) -> None:
    """Why nothing is drawn."""
    told = plain_label(str(reason))
    axes.text(0.5, 0.5, told, ha="center", va="center", wrap=True, transform=axes.transAxes)


def _condition(recording: Recording, trial: int) -> str:
    if recording.labels is None:
        return "output"
    return str(recording.conditions[recording.labels[trial]])


def draw_spikes(axes: Axes, shown: Shown | SpecError) -> None:
    """The spikes of the first of the trials."""
    if isinstance(shown, SpecError):
        _left_out(axes, shown)
        return
    recording = shown.recording
    time_s, neuron = events_of(recording, 0)
    mark_populations(axes, recording, time_s, neuron, _MARK_PT)
    axes.set(xlabel="time (s)", ylabel="neuron (number)")
    condition = "" if recording.labels is None else _condition(recording, 0)
    note(axes, several(len(neuron), "spike"), plain_label(condition))


def draw_errors(axes: Axes, fit: TargetFit) -> None:
    """The error of each trial of learning, its running median, and how it ended on its own."""
    errors = fit.learning_errors
    numbers = np.arange(1, len(errors) + 1)
    axes.plot(numbers, errors, ".", color=QUIET, markersize=2, label="each trial")
    if len(errors) > _SMOOTHED:
        windows = np.lib.stride_tricks.sliding_window_view(errors, _SMOOTHED)
        middle = np.median(windows, axis=1)
        axes.plot(numbers[_SMOOTHED - 1 :], middle, color=INK, label=f"median of {_SMOOTHED}")
    if fit.errors.size:
        label = f"on its own, {fit.error:.2g}"
        axes.axhline(fit.error, color=ACCENT, linestyle="--", label=label)
    if np.any(errors > 0):
        axes.set_yscale("log")
        # Letters of one size: no exponents.
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set(xlabel="trial of learning (number)", ylabel="nMSE")
    note(axes, "while learning")
    axes.legend(**_LEGEND)


def draw_eigenvalues(axes: Axes, fit: TargetFit) -> None:
    """The spectrum after learning, and what was there before."""
    axes.set(xlabel="real part (mV / Hz)", ylabel="imaginary part (mV / Hz)")
    note(axes, "effective recurrent weights")
    try:
        before, after = eigenvalues(fit)
    except SpecError as reason:
        _left_out(axes, reason)
        return
    axes.axhline(0, color=QUIET, linewidth=0.4)
    axes.axvline(0, color=QUIET, linewidth=0.4)
    axes.plot(
        before.real, before.imag, "o", color=ACCENT, markersize=4, markeredgewidth=0.6,
        markerfacecolor="none", label="before learning",
    )  # fmt: skip
    axes.plot(after.real, after.imag, ".", color=INK, markersize=3, label="after learning")
    axes.legend(**_LEGEND)
