"""A part of every trial of a recording."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.reading_options import whole_steps
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]


def cut_out(recording: Recording, window_s: tuple[float, float], path: Path) -> Recording:
    """The same trials from the start to the stop of the window, s from the start of each.

    Raises:
        FormatError: the trials are shorter.
        SpecError: the window is not a whole number of steps.
    """
    spikes, dt_ms = recording.spikes, recording.dt_ms
    first, last = (whole_steps(edge, dt_ms, "window_s") for edge in window_s)
    if last > spikes.n_steps:
        raise FormatError(
            f"{path}: its trials last {recording.trial_s:g} s, and the window of {window_s[0]:g} "
            f"to {window_s[1]:g} s reaches beyond it"
        )
    samples = samples_in(window_s, recording.sample_ms)
    held = recording.readouts or [
        each for each in (recording.voltages_mv, recording.inputs) if each is not None
    ]
    provenance = {**recording.provenance, "window": window_told(window_s)}
    left_out = [LEFT_OUT] if samples is None and held else []
    left_out += [STEPS_LEFT_OUT] if recording.window is not None else []
    if left_out:
        provenance["notes"] = "; ".join(filter(None, (provenance.get("notes"), *left_out)))
    return replace(
        recording,
        spikes=spikes.cut(first, last),
        input_spikes={name: each.cut(first, last) for name, each in recording.input_spikes.items()},
        readouts=cut_readouts(recording.readouts, samples),
        voltages_mv=_in(samples, recording.voltages_mv),
        inputs=_in(samples, recording.inputs),
        values=None if recording.values is None else cut_readouts(recording.values, samples),
        window=None,
        # Which step came nearest to threshold is not known.
        margins_mv=None,
        provenance=provenance,
    )


STEPS_LEFT_OUT = "what was recorded step by step: left out"
LEFT_OUT = "readouts, inputs and voltages: left out, the window is not a whole number of samples"


def samples_in(window_s: tuple[float, float], sample_ms: float) -> slice | None:
    """The samples of a trial that lie in the window; None where it cuts one in two."""
    edges = [1000.0 * edge / sample_ms for edge in window_s]
    first, last = map(round, edges)
    whole = np.abs(np.subtract(edges, (first, last))).max() <= 1e-6 * max(1.0, last)
    return slice(first, last) if whole else None


def cut_readouts(readouts: Mapping[str, Array], samples: slice | None) -> dict[str, Array]:
    """(T, B, O) readouts in the window; none where it cuts a sample in two."""
    return {} if samples is None else {name: each[samples] for name, each in readouts.items()}


def _in(samples: slice | None, values: Array | None) -> Array | None:
    return None if samples is None or values is None else values[samples]


def window_told(window_s: tuple[float, float]) -> str:
    """The window in words."""
    return f"{window_s[0]:g} to {window_s[1]:g} s of each trial"
