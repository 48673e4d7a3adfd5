"""Recordings without the burst at their start, for statistics that describe.

The original's initial voltages lie above threshold in three of four neurons, and these fire in the
first step, whatever the network is: one spike more for each of them, which raises rates, makes
silent neurons fire, and correlates them all. What describes a network leaves it out; the gate
judges all spikes.
"""

import math
from dataclasses import replace

from bridge.errors import SpecError
from bridge.spiking.recording import Recording
from bridge.spiking.values import number

# What is left out, and from which length of a trial on.
VOLLEY_MS, LEAST_TRIAL_S = 50.0, 0.2


def from_ms_of(given: float | None, recording: Recording) -> float:
    """From when on a recording is described, ms.

    Args:
        given: What was asked for; None: `VOLLEY_MS` where the recording says that it began above
            threshold and its trials last at least `LEAST_TRIAL_S`, else 0.
        recording: What is described.

    Raises:
        SpecError: it is not a time within a trial.
    """
    if given is None:
        volley = recording.provenance.get("starts_above_threshold") is True
        return VOLLEY_MS if volley and recording.trial_s >= LEAST_TRIAL_S - 1e-9 else 0.0
    return check_from_ms(given, 1000.0 * recording.trial_s)


def check_from_ms(given: float, trial_ms: float) -> float:
    """A time within a trial, ms; SpecError for anything else."""
    start_ms = number("from_ms (--from-ms)", given, least=0)
    if not start_ms < trial_ms:
        raise SpecError(
            f"from_ms (--from-ms): {start_ms:g} ms leave nothing of trials of {trial_ms:g} ms"
        )
    return start_ms


def settled(recording: Recording, from_ms: float) -> Recording:
    """The spikes of a recording from a time of each trial on, as a recording of shorter trials."""
    # A time that is a whole number of steps may be stored a rounding above it.
    spikes = recording.spikes
    first = min(math.ceil(from_ms / recording.dt_ms - 1e-6), spikes.n_steps - 1)
    if first <= 0:
        return recording
    kept = spikes.step >= first
    return replace(
        recording,
        spikes=replace(
            spikes,
            trial=spikes.trial[kept],
            step=spikes.step[kept] - first,
            neuron=spikes.neuron[kept],
            n_steps=spikes.n_steps - first,
        ),
        readouts={},
        inputs=None,
        input_spikes={},
        voltages_mv=None,
        margins_mv=None,
        values=None,
        window=None,
    )


def told(from_ms: float, recording: Recording) -> str:
    """What of a recording is described, for a caption; "" where all of it is."""
    if not from_ms:
        return ""
    volley = recording.provenance.get("starts_above_threshold") is True
    return f"from {from_ms:g} ms on{', without the burst at the start' * volley}"
