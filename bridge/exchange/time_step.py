"""Whether spike times fit a time step; where they do not, which step would, or what is wrong."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.reading_options import round_step_ms
from bridge.exchange.spike_trains import SpikeTrains

Array = NDArray[np.float64]

# Thirty years: what lies beyond is a damaged number, not a recording.
_LONGEST_S = 1e9
_DT_RANGE_MS = (1e-6, 1e6)
# What rounding may leave between two times that are the same: no step is so fine.
_SAME_MS = 2.5 * _DT_RANGE_MS[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """S spikes that lie in trials.

    Attributes:
        trial: (S,) trial of each.
        neuron: (S,) neuron of each.
        since_s: (S,) time since the start of what is taken of the trial, s.
    """

    trial: NDArray[np.int64]
    neuron: NDArray[np.int64]
    since_s: Array


def check_extent(trains: SpikeTrains, path: Path, step_ms: float) -> float:
    """The largest time, s; FormatError where it or its number of steps is too large to count."""
    parts = [part for part in (trains.times_s, trains.trials_s) if part is not None and part.size]
    # NaN and infinity are refused by name, later.
    ends = [np.abs(part).max(where=np.isfinite(part), initial=0.0) for part in parts]
    end_s = float(max(ends, default=0.0))
    if end_s > _LONGEST_S:
        raise FormatError(
            f"{path}: times beyond {_LONGEST_S:g} s make no sense; they must count from the start "
            "of the session, in the unit that the file states"
        )
    if not _DT_RANGE_MS[0] <= step_ms <= _DT_RANGE_MS[1]:
        raise FormatError(f"{path}: a time step of {step_ms:g} ms makes no sense")
    # Spikes are sorted by one whole number of 64 bits each, made of trial, step and neuron.
    if end_s * 1000.0 / step_ms * sum(trains.populations.values()) > 2.0**62:
        raise FormatError(f"{path}: too long for a time step of {step_ms:g} ms")
    return end_s


def check_precision(trains: SpikeTrains, path: Path, step_ms: float) -> None:
    """Raise FormatError where the numbers that hold the times are further apart than steps are."""
    apart_ms = trains.apart_s * 1000.0
    if apart_ms < step_ms:
        return
    fine_ms = next(step for k in (1, 2.5, 5) if (step := round_step_ms(k * apart_ms)) > apart_ms)
    remedies = [] if trains.dt_ms else [f"give a step of at least {fine_ms:g} ms, --dt-ms (dt_ms)"]
    remedies += [] if trains.number_type == "float64" else ["write them as float64"]
    raise FormatError(
        f"{path}: its times lack the precision for a time step of {step_ms:g} ms: they are "
        f"{trains.number_type} numbers, which here give a time in a trial to {apart_ms:.2g} ms; "
        f"{', or '.join(remedies) or 'let them count from the start of the session'}"
    )


def refuse_shared_steps(
    trains: SpikeTrains, placed: Placed, path: Path, step_ms: float
) -> NoReturn:
    """Say why two spikes of a neuron fall into one step: the file's fault, or the step's.

    Raises:
        FormatError: always.
    """
    order = np.lexsort((placed.since_s, placed.neuron, placed.trial))
    trial, neuron, times = placed.trial[order], placed.neuron[order], placed.since_s[order]
    pairs = np.flatnonzero((np.diff(trial) == 0) & (np.diff(neuron) == 0))
    gaps_ms = np.diff(times)[pairs] * 1000.0
    together = _share_a_step(times, pairs, step_ms)
    first = pairs[together][gaps_ms[together].argmin()]
    place = f"{times[first]:.9g} s into trial {trial[first]}"
    who = f"{path}: neuron {neuron[first]} (both counted from 0) fires twice"
    equal = int(np.count_nonzero(gaps_ms < _SAME_MS))
    if equal:
        stored = trains.number_type
        why = "" if stored == "float64" else f", or too coarse a type ({stored})"
        raise FormatError(
            f"{who} at the same time, {place}, and so it is with {equal} spikes in all: duplicates "
            f"in the file{why}, which no finer time step distinguishes; take them out"
        )
    fine_ms = round_step_ms(float(gaps_ms.min()))
    while _share_a_step(times, pairs, fine_ms).any():
        fine_ms = round_step_ms(0.9 * fine_ms)
    remedy = f"give one of {fine_ms:g} ms or less, --dt-ms (dt_ms)"
    if trains.dt_ms is not None:
        remedy = f"the file states that step itself; {fine_ms:g} ms or less would do"
    raise FormatError(f"{who} in one step of {step_ms:g} ms, {place}; {remedy}")


def _share_a_step(times_s: Array, pairs: NDArray[np.int64], step_ms: float) -> NDArray[np.bool_]:
    """Which spikes of `pairs` fall into one step with the next."""
    steps = np.floor((times_s + 0.5 * step_ms / 1000.0) * 1000.0 / step_ms)
    return np.asarray(np.diff(steps)[pairs] == 0)
