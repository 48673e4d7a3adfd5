"""What two simulators are compared by: of recordings of the same trials, quantities trial by trial.

In addition what is described and not judged: distances of distributions, and of rates over time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bridge.compare.statistics.design import Quantity
from bridge.compare.statistics.distributions import earth_movers_distance
from bridge.compare.statistics.spike_statistics import (
    binned_rates_hz,
    count_correlations,
    in_longer_steps,
    lv,
    time_course_hz,
)
from bridge.spiking.firing import rates_hz
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]

# Into how many parts a trial is cut, and of how many groups of neurons rates are compared there.
BINS, MOST_GROUPS = 10, 500
CORRELATION_BIN_MS = TIME_COURSE_BIN_MS = 20.0


def rates_of(sets: tuple[Recording, ...]) -> list[Array]:
    """(B, N) rates of each set, Hz."""
    return [rates_hz(each.spikes, each.trial_s) for each in sets]


def longest_step_ms(sets: tuple[Recording, ...]) -> float:
    """The step in which intervals and bins are taken, ms."""
    return max(each.dt_ms for each in sets)


def quantities_of(sets: tuple[Recording, ...]) -> list[Quantity]:
    """What is compared: rates, intervals and rates in bins, and the readouts that all have."""
    step_ms, trial_s = longest_step_ms(sets), sets[0].trial_s
    # A finer step knows intervals that a longer one rounds: that is no difference of simulators.
    alike = [
        each.spikes if each.dt_ms == step_ms else in_longer_steps(each.spikes, each.dt_ms, step_ms)
        for each in sets
    ]
    variations = np.stack([lv(spikes, step_ms) for spikes in alike])
    in_bins = np.stack([binned_rates_hz(each, trial_s, BINS, MOST_GROUPS) for each in alike])
    found = [
        Quantity(name="firing rate", unit="Hz", values=np.stack(rates_of(sets))),
        Quantity(name="interval variability (LV)", unit="", values=variations),
        Quantity(name="firing rate in bins", unit="Hz", values=in_bins),
    ]
    shared = shared_readouts(sets)
    if shared:
        binned = np.stack([_binned(each, shared) for each in sets])
        found.append(Quantity(name="readout in bins", unit="", values=binned))
    return found


def shared_readouts(recordings: Sequence[Recording]) -> list[str]:
    """Names of the readouts that all recordings have, with as many samples and outputs."""
    first, *others = recordings
    return [
        name
        for name, values in first.readouts.items()
        if len(values)
        and all(
            name in each.readouts and _form(each.readouts[name]) == _form(values) for each in others
        )
    ]


def left_out(sets: tuple[Recording, ...]) -> tuple[str, ...]:
    """Readouts that cannot be compared, a sentence each."""
    shared = shared_readouts(sets)
    names = dict.fromkeys(name for each in sets for name in each.readouts)
    return tuple(
        f"readout {name!r} is not compared: the recordings have it in other forms, or not all do"
        for name in names
        if name not in shared and any(np.size(each.readouts.get(name, ())) for each in sets)
    )


def time_courses_alike(sets: tuple[Recording, ...]) -> tuple[float, float]:
    """Correlation of the mean rate over time of A with that of B, and of A'."""
    bins = max(1, round(sets[0].trial_s * 1000.0 / TIME_COURSE_BIN_MS))
    courses = [time_course_hz(each.spikes, each.trial_s, bins) for each in sets]
    between, yardstick = (_correlation(courses[0], other) for other in (courses[-1], courses[1]))
    return between, yardstick if len(sets) == 3 else float("nan")


def _correlation(one: Array, other: Array) -> float:
    if not (np.ptp(one) > 0 and np.ptp(other) > 0):
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _form(outputs: Array) -> tuple[int, int]:
    """Samples and outputs of (T, B, O) readouts."""
    return outputs.shape[0], outputs.shape[2]


def _binned(recording: Recording, names: list[str]) -> Array:
    """(B, bins of all outputs) means of the readouts in equal parts of the trial."""
    parts = []
    for name in names:
        outputs = np.asarray(recording.readouts[name])
        bins = np.array_split(outputs, min(BINS, len(outputs)), axis=0)
        parts += [part.mean(axis=0) for part in bins]
    return np.concatenate(parts, axis=1)


def distances(
    sets: tuple[Recording, ...], quantities: list[Quantity]
) -> dict[str, tuple[float, float]]:
    """Earth mover's distances of B and of A' from A; NaN for A' where there is none."""
    described = {part.name: [_unit_means(side) for side in part.values] for part in quantities[:2]}
    described["correlation of counts in 20 ms"] = [
        count_correlations(each.spikes, each.dt_ms, CORRELATION_BIN_MS) for each in sets
    ]
    return {
        name: (
            _distance(each[0], each[-1]),
            _distance(each[0], each[1]) if len(sets) == 3 else float("nan"),
        )
        for name, each in described.items()
    }


def _unit_means(values: Array) -> Array:
    """(N,) means over trials of (B, N), without NaN."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    means: Array = np.where(known, values, 0.0).sum(axis=0)[count > 0] / count[count > 0]
    return means


def _distance(one: Array, other: Array) -> float:
    if not one.size or not other.size:
        return float("nan")
    return earth_movers_distance(one, other)
