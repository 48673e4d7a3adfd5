"""When a trial's input says something: the stretches in which a channel is away from its rest."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bridge.compare.agreement import Agreement
from bridge.plot.style import QUIET
from bridge.tasks import Trials

Array = NDArray[np.float64]
Stretches = list[tuple[int, int]]


def stretches(inputs: Array) -> Stretches:
    """First sample and the one after the last of each stretch in which a channel is not at rest.

    Args:
        inputs: (T, C) input of a trial.
    """
    away = np.zeros(len(inputs), dtype=bool)
    for channel in inputs.T:
        away |= _away(channel)
    edges = np.flatnonzero(np.diff(away, prepend=False, append=False))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def _away(channel: Array) -> NDArray[np.bool_]:
    """(T,) where a channel is away from its rest; nowhere, if it never rests.

    A channel rests at what it begins with. One that begins with a stimulus, and so neither with
    zero nor with what it ends with, rests at the value of the two that it has more often. A
    constant channel says nothing about time, and one that is noise throughout has no rest.
    """
    start, end = channel[0], channel[-1]
    often = [np.count_nonzero(channel == value) for value in (start, end)]
    rest = start if start in (0, end) or often[0] >= often[1] else end
    rests = rest == 0 or max(often) > 1
    away: NDArray[np.bool_] = (channel != rest) & rests
    return away


def trials_shown(agreement: Agreement) -> Trials | None:
    """The task's trials that the recordings in the pictures were shown."""
    return agreement.trials if agreement.frozen else agreement.own_trials


def stretches_shown_s(agreement: Agreement, trial: int) -> list[tuple[float, float]]:
    """Start and end of each stretch of a trial's input, s from the start of the trial."""
    network, trials = agreement.network, trials_shown(agreement)
    if network is None:
        return []
    if trials is None:
        if agreement.drive is None:
            return []
        inputs = agreement.drive.inputs
    else:
        inputs = trials.inputs

    def time_s(sample: int) -> float:
        if sample == len(inputs):
            # The last sample is held until the trial ends.
            return sample * network.sample_steps * network.dt_ms / 1000
        step = max(0, sample * network.sample_steps - network.sample_offset_steps)
        return step * network.dt_ms / 1000

    return [(time_s(first), time_s(stop)) for first, stop in stretches(inputs[:, trial])]


def shade(axes: Axes, agreement: Agreement, trial: int) -> None:
    """Grey where a trial's input is away from its rest."""
    for start_s, stop_s in stretches_shown_s(agreement, trial):
        axes.axvspan(start_s, stop_s, color=QUIET, alpha=0.2, lw=0)
