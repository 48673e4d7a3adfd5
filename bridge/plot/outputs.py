"""Pictures of what a network puts out."""

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.errors import SpecError
from bridge.plot.style import (
    INK,
    LINES,
    axes_or_new,
    colour,
    legend_beside,
    note,
    plain_label,
    some,
)
from bridge.plot.trials import checked_trial, told_trial
from bridge.spiking.essentials import several
from bridge.spiking.recording import Recording
from bridge.spiking.values import shown, text

Array = NDArray[np.float64]
# Trials of a name, (T, B, O).
_Group = tuple[str, Array]

_MOST_OUTPUTS, _MOST_CONDITIONS = 5, 4


def readouts(
    recording: Recording,
    ax: Axes | None = None,
    *,
    readout: str | None = None,
    trial: int | None = None,
) -> Axes:
    """The outputs of a readout: of one trial, or the mean over the trials of each condition.

    Args:
        recording: With a readout at least.
        ax: Where to draw; None: on a new figure.
        readout: Name of the readout; None: the first.
        trial: Number of the trial; None: all trials, a line for the mean of each condition and a
            band in which the middle 80 % of its trials lie.

    Returns:
        The axes: time in s, and the output, which has the unit of the task's targets.

    Raises:
        SpecError: there is no such readout or trial.
    """
    recording = of_kind("recording", recording, Recording)
    outputs = recording.readouts[_named(recording, readout)]
    if trial is not None:
        trial = checked_trial(recording, trial)
        groups, told = [("", outputs[:, trial : trial + 1])], told_trial(recording, trial)
    else:
        groups = list(_groups(recording, outputs))
        trials = recording.spikes.n_trials
        told = f"mean of {several(trials, 'trial')}"
        told += "; band: the middle 80 %" if trials > 1 else ""
    axes = axes_or_new(ax)
    drawn, groups_left = some(groups, _MOST_CONDITIONS, "conditions")
    channels, outputs_left = some(range(outputs.shape[2]), _MOST_OUTPUTS, "outputs")
    _draw(axes, recording, drawn, channels)
    axes.set(xlabel="time (s)", ylabel="output (arbitrary units)", xlim=(0, recording.trial_s))
    note(axes, told, groups_left, outputs_left)
    legend_beside(axes)
    return axes


def _named(recording: Recording, readout: str | None) -> str:
    known = list(recording.readouts)
    if not known:
        raise SpecError("readout: this recording has none to draw")
    if readout is not None and text("readout", readout) not in known:
        raise SpecError(f"readout: there is no {shown(readout)}; known are {', '.join(known)}")
    return known[0] if readout is None else readout


def _groups(recording: Recording, outputs: Array) -> Iterator[_Group]:
    """The trials of each condition that occurs; of all, where conditions are not known."""
    if recording.labels is None:
        yield "", outputs
        return
    for label in np.unique(recording.labels):
        yield recording.conditions[label], outputs[:, recording.labels == label]


def _draw(
    axes: Axes, recording: Recording, groups: Sequence[_Group], channels: Sequence[int]
) -> None:
    """Colours distinguish outputs, where there are several, and lines conditions; else colours."""
    many = len(channels) > 1
    for place, (name, outputs) in enumerate(groups):
        times_s = np.arange(1, len(outputs) + 1) * recording.sample_ms / 1000
        for channel in channels:
            ink = INK if len(channels) * len(groups) == 1 else colour(channel if many else place)
            values = outputs[:, :, channel]
            if values.shape[1] > 1:
                low, high = np.percentile(values, (10, 90), axis=1)
                axes.fill_between(times_s, low, high, color=ink, alpha=0.2, linewidth=0)
            axes.plot(
                times_s, values.mean(axis=1), color=ink,
                label=_label(name, channel if many else None),
                linestyle=LINES[place] if many else "-",
                marker="o" if len(outputs) == 1 else "",
            )  # fmt: skip


def _label(name: str, channel: int | None) -> str:
    parts = ["" if channel is None else f"output {channel}", name]
    return plain_label(", ".join(filter(None, parts)) or "output")
