"""Spikes on one axis of time, as other tools keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.essentials import essentials
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikeTrains:
    """What a file of another tool holds of a run.

    Attributes:
        times_s: (S,) times of the spikes from the start of the session, s.
        neuron: (S,) neurons, numbered through all populations.
        populations: Names and sizes, in order.
        trials_s: (B, 2) start and end of each trial, s; None: the file knows no trials.
        trial: (S,) trial of each spike, where trials have an axis of time each; None: they lie on
            one.
        observed_s: From when to when spikes were looked for, s; None: the file does not state it.
        dt_ms: Time step, ms; None: the file states none.
        readouts: (T, B, O) outputs by name.
        sample_ms: Time between two samples of them, ms; None: there are none.
        sizes_told: Whether the file states the sizes, or they are those of the neurons that fire.
        apart_s: To how much a time in a trial is known from numbers of the type that is stored, s.
        number_type: That type.
        notes: What a user should know, a sentence each.
        known: More fields of the recording that was exported, as its conditions, by name.
    """

    times_s: Array
    neuron: NDArray[np.int64]
    populations: Mapping[str, int]
    trials_s: Array | None = None
    trial: NDArray[np.int64] | None = None
    observed_s: tuple[float, float] | None = None
    dt_ms: float | None = None
    readouts: Mapping[str, Array] = field(default_factory=dict)
    sample_ms: float | None = None
    sizes_told: bool = True
    apart_s: float = 0.0
    number_type: str = "float64"
    notes: tuple[str, ...] = ()
    known: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = essentials


def end_to_end(recording: Recording) -> tuple[Array, Array]:
    """Times of a recording's spikes with its trials laid end to end, and the trials' bounds, s.

    A spike stands at the start of its step, and the first trial begins at 0.
    """
    spikes = recording.spikes
    steps = spikes.trial.astype(np.int64) * spikes.n_steps + spikes.step
    starts = np.arange(spikes.n_trials) * recording.trial_s
    times = np.asarray(steps * recording.dt_ms / 1000.0, dtype=np.float64)
    return times, np.stack([starts, starts + recording.trial_s], axis=1)


def backwards(times_s: Array, neuron: NDArray[np.int64]) -> tuple[int, float, float, int] | None:
    """The first neuron whose times, in the order of the file, run backwards.

    Returns:
        Its number, a time and the earlier one behind it, s, and how many neurons do so; None where
        none does.
    """
    order = np.argsort(neuron, kind="stable")
    times, owner = times_s[order], neuron[order]
    back = np.flatnonzero((np.diff(times) < 0) & (np.diff(owner) == 0))
    if not back.size:
        return None
    first = back[0]
    count = np.unique(owner[back]).size
    return int(owner[first]), float(times[first]), float(times[first + 1]), int(count)
