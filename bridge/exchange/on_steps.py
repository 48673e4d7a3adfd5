"""Spike trains of another tool put on steps and cut into trials: the recording that they are."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.reading_options import DEFAULT_DT_MS, ReadingOptions
from bridge.exchange.spike_trains import SpikeTrains
from bridge.exchange.time_step import Placed, check_extent, check_precision, refuse_shared_steps
from bridge.exchange.trial_bounds import check_trials, cut_evenly, in_window
from bridge.exchange.windows import LEFT_OUT, cut_readouts, samples_in, window_told
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]

_MOST_TRIALS = 10_000_000
_MOST_STEPS = 2**31 - 1
# Of each neuron in each trial statistics are taken: eight numbers of eight bytes.
_MOST_CELLS = 100_000_000


def recording_of(trains: SpikeTrains, path: Path, options: ReadingOptions) -> Recording:
    """The recording that spike trains are, cut into trials and put on steps.

    Args:
        trains: What the file holds.
        path: Where it was read.
        options: What the file leaves open, and the window that is wanted of each trial.

    Raises:
        FormatError: times make no sense, trials overlap or differ in length, or two spikes of a
            neuron fall into one step.
        SpecError: an option makes no sense.
    """
    step_ms = step_of(trains, options)
    end_s = check_extent(trains, path, step_ms)
    check_precision(trains, path, step_ms)
    if trains.trials_s is None and options.trial_s and end_s / options.trial_s > _MOST_TRIALS:
        raise FormatError(
            f"{path}: {end_s:g} s cut into trials of {options.trial_s:g} s are too many"
        )
    bounds = _bounds(trains, path, options, step_ms)
    length_s = float(bounds[0, 1] - bounds[0, 0])
    n_steps = round(length_s * 1000.0 / step_ms)
    if not 1 <= n_steps <= _MOST_STEPS:
        raise FormatError(f"{path}: a trial of {length_s:g} s makes no sense")
    size = sum(trains.populations.values())
    if len(bounds) * size > _MOST_CELLS:
        raise FormatError(f"{path}: {len(bounds):,} trials of {size:,} neurons are too many")
    spikes, outside = _spikes(trains, path, options, bounds, n_steps)
    sample_ms = trains.sample_ms or step_ms
    samples: slice | None = slice(None)
    if options.window_s is not None:
        samples = samples_in(options.window_s, sample_ms)
    notes = trains.notes if samples or not trains.readouts else (*trains.notes, LEFT_OUT)
    return Recording(
        spikes=spikes,
        readouts=cut_readouts(trains.readouts, samples),
        dt_ms=step_ms,
        sample_ms=sample_ms,
        populations=dict(trains.populations),
        **_known(trains, samples),
        provenance=_provenance(trains, path, options)
        | {"spikes_outside_trials": outside}
        | ({"notes": "; ".join(notes)} if notes else {}),
    )


def _known(trains: SpikeTrains, samples: slice | None) -> dict[str, Any]:
    """What else an exported recording knew, its inputs in the window."""
    inputs = trains.known.get("inputs")
    if inputs is None:
        return dict(trains.known)
    return {**trains.known, "inputs": None if samples is None else inputs[samples]}


def step_of(trains: SpikeTrains, options: ReadingOptions) -> float:
    """The time step, ms: the file's, else the given one, else 0.1 ms."""
    return trains.dt_ms or options.dt_ms or DEFAULT_DT_MS


def _provenance(trains: SpikeTrains, path: Path, options: ReadingOptions) -> dict[str, Any]:
    """What the trials and the time step of a foreign file rest on."""
    trials = "one, to the last spike"
    if options.trial_s is not None:
        trials = f"cut every {options.trial_s:g} s"
    elif trains.observed_s is not None:
        trials = "one, as long as the file says that spikes were looked for"
    elif options.window_s is not None:
        trials = "one"
    step = f"{DEFAULT_DT_MS:g} ms, since the file states none"
    if options.dt_ms is not None:
        step = "as given"
    told: dict[str, Any] = {
        "file": str(path),
        "sizes_told": trains.sizes_told,
        "trials": trials if trains.trials_s is None else "as in the file",
        "time_step": step if trains.dt_ms is None else "as in the file",
    }
    if options.window_s is not None:
        told["window"] = window_told(options.window_s)
    return told


def _bounds(trains: SpikeTrains, path: Path, options: ReadingOptions, step_ms: float) -> Array:
    """(B, 2) start and end of what is taken of each trial, s, all of one length."""
    times = trains.times_s
    if not np.isfinite(times).all():
        raise FormatError(f"{path}: spike times must be finite and not negative, one is not finite")
    if trains.trials_s is not None:
        check_trials(trains.trials_s, path, step_ms=step_ms, one_axis=trains.trial is None)
        return in_window(trains.trials_s, path, options, step_ms)
    if times.min(initial=0.0) < 0 and trains.observed_s is None:
        raise FormatError(
            f"{path}: spike times must be finite and not negative where no trials are given; the "
            f"first is {times.min():g} s"
        )
    last = float(times.max()) + step_ms / 1000.0 if times.size else 0.0
    bounds = cut_evenly(last, trains.observed_s, path, options, step_ms)
    return in_window(bounds, path, options, step_ms)


def _spikes(
    trains: SpikeTrains, path: Path, options: ReadingOptions, bounds: Array, n_steps: int
) -> tuple[Spikes, int]:
    """The spikes that lie in what is taken of a trial, and how many do not."""
    placed, step = _placed(trains, bounds, n_steps, step_of(trains, options))
    shape = (len(bounds), n_steps, sum(trains.populations.values()))
    neuron = placed.neuron
    if neuron.size and not 0 <= neuron.min() <= neuron.max() < shape[2]:
        raise FormatError(f"{path}: spikes of neurons that it does not have")
    outside = trains.times_s.size - neuron.size
    if outside and not neuron.size and options.window_s is None:
        raise FormatError(f"{path}: none of its {outside:,} spikes lies in a trial")
    codes = (placed.trial * n_steps + step) * shape[2] + neuron
    if np.unique(codes).size < codes.size:
        refuse_shared_steps(trains, placed, path, step_of(trains, options))
    return Spikes.gather(placed.trial, step, neuron, shape), outside


def _placed(
    trains: SpikeTrains, bounds: Array, n_steps: int, step_ms: float
) -> tuple[Placed, NDArray[np.int64]]:
    """The spikes inside, and the step of each."""
    # Half a step early, so that a time rounded below the start of its trial stays in it.
    shifted = trains.times_s + 0.5 * step_ms / 1000.0
    trial = trains.trial
    if trial is None:
        trial = np.searchsorted(bounds[:, 0], shifted, side="right") - 1
    start = bounds[np.maximum(trial, 0), 0]
    step = np.floor((shifted - start) * 1000.0 / step_ms)
    inside = np.flatnonzero((trial >= 0) & (step >= 0) & (step < n_steps))
    placed = Placed(
        trial=trial[inside],
        neuron=trains.neuron[inside],
        since_s=trains.times_s[inside] - start[inside],
    )
    return placed, step[inside].astype(np.int64)
