"""Statistics of spike trains, defined once for all backends."""

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.firing import cv_isi, intervals_ms, rates_hz
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]


def in_longer_steps(spikes: Spikes, dt_ms: float, step_ms: float) -> Spikes:
    """The same spikes in steps of `step_ms`; what a neuron fires in one of these is one spike."""
    step = np.floor(spikes.step * (dt_ms / step_ms) + _ROUNDING).astype(np.int64)
    steps = max(1, int(np.ceil(spikes.n_steps * dt_ms / step_ms - _ROUNDING)))
    shape = (spikes.n_trials, steps, spikes.n_neurons)
    codes = np.ravel_multi_index((spikes.trial, step, spikes.neuron), shape)
    trial, step, neuron = np.unravel_index(np.unique(codes), shape)
    return Spikes.gather(trial, step, neuron, shape)


# A time that is a whole number of steps may be stored a rounding below it.
_ROUNDING = 1e-6


def binned_rates_hz(spikes: Spikes, trial_s: float, bins: int, groups: int) -> Array:
    """Firing rate in equal parts of each trial, (B, G * bins) in Hz, bins of a neuron together.

    More than `groups` neurons are taken together, neighbours with neighbours, into so many.
    """
    groups = min(groups, spikes.n_neurons)
    group = spikes.neuron.astype(np.int64) * groups // max(1, spikes.n_neurons)
    part = spikes.step.astype(np.int64) * bins // spikes.n_steps
    features = groups * bins
    cells = (spikes.trial.astype(np.int64) * groups + group) * bins + part
    counts = np.bincount(cells, minlength=spikes.n_trials * features)
    sizes = np.bincount(np.arange(spikes.n_neurons) * groups // max(1, spikes.n_neurons))
    seconds: Array = np.repeat(sizes, bins) * trial_s / bins
    rates: Array = counts.reshape(spikes.n_trials, features) / seconds
    return rates


def time_course_hz(spikes: Spikes, trial_s: float, bins: int) -> Array:
    """(bins,) mean rate of a neuron in equal parts of the trial, Hz, over all trials (PSTH)."""
    course: Array = binned_rates_hz(spikes, trial_s, bins, 1).mean(axis=0)
    return course


def lv(spikes: Spikes, dt_ms: float) -> Array:
    """Local variation of the intervals of each neuron in each trial, (B, N).

    3 / (n - 1) times the sum of ((I_i - I_i+1) / (I_i + I_i+1))^2 over the n - 1 pairs of
    successive intervals (Shinomoto et al. 2003); NaN with fewer than two intervals.
    """
    intervals, cell = intervals_ms(spikes, dt_ms)
    size = spikes.n_trials * spikes.n_neurons
    together = cell[1:] == cell[:-1]
    one, next_one = intervals[:-1][together], intervals[1:][together]
    terms = 3.0 * ((one - next_one) / (one + next_one)) ** 2
    owner = cell[1:][together]
    pairs = np.bincount(owner, minlength=size)
    total = np.bincount(owner, weights=terms, minlength=size)
    variation: Array = np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan)
    return variation.reshape(spikes.n_trials, spikes.n_neurons)


def count_correlations(spikes: Spikes, dt_ms: float, bin_ms: float, most: int = 200) -> Array:
    """Correlations of the spike counts of pairs of neurons in bins of all trials, (P,).

    Pearson's, of all pairs of the neurons that fire, or of the first `most` of them; bins begin
    with the trial, and a last one that is not full is left out.
    """
    return _correlations(_counts(spikes, dt_ms, bin_ms, most))


def resampled_correlations(
    spikes: Spikes, dt_ms: float, bin_ms: float, times: int, rng: np.random.Generator
) -> list[Array]:
    """The same of trials drawn with replacement, so many times: how sure a distribution is."""
    counts = _counts(spikes, dt_ms, bin_ms, 200)
    drawn = (rng.integers(0, spikes.n_trials, spikes.n_trials) for _ in range(times))
    return [_correlations(counts[:, trials]) for trials in drawn]


def _counts(spikes: Spikes, dt_ms: float, bin_ms: float, most: int) -> Array:
    """(N, B, bins) spike counts of the neurons that fire, the first `most` of them."""
    steps = max(1, round(bin_ms / dt_ms))
    bins = spikes.n_steps // steps
    active = np.unique(spikes.neuron)[:most]
    inside = np.isin(spikes.neuron, active) & (spikes.step < bins * steps)
    row = np.searchsorted(active, spikes.neuron[inside])
    counts = np.zeros((active.size, spikes.n_trials, bins))
    np.add.at(counts, (row, spikes.trial[inside], spikes.step[inside] // steps), 1.0)
    return counts


def _correlations(counts: Array) -> Array:
    """(P,) correlations of all pairs of neurons whose counts vary."""
    if not counts.size:
        return np.zeros(0)
    every: Array = counts.reshape(len(counts), -1)
    whole: Array = every[every.std(axis=1) > 0]
    if len(whole) < 2:
        return np.zeros(0)
    pairs = np.corrcoef(whole)[np.triu_indices(len(whole), k=1)]
    return np.asarray(pairs, dtype=np.float64)


def summary(recording: Recording) -> dict[str, float]:
    """Rates, intervals and their variability of a recording, averaged over neurons."""
    spikes = recording.spikes
    rates = rates_hz(spikes, recording.trial_s)
    intervals, _ = intervals_ms(spikes, recording.dt_ms)
    cv = cv_isi(spikes, recording.dt_ms)
    return {
        "mean rate (Hz)": float(rates.mean()),
        "highest rate of a neuron (Hz)": float(rates.mean(axis=0).max()),
        "silent neurons (%)": float(100 * (rates.sum(axis=0) == 0).mean()),
        "mean interval (ms)": float(intervals.mean()) if intervals.size else float("nan"),
        "mean CV of intervals": _known_mean(cv),
        "mean local variation (LV)": _known_mean(lv(spikes, recording.dt_ms)),
        "Fano factor of counts": _known_mean(fano_factors(spikes)),
    }


def fano_factors(spikes: Spikes) -> Array:
    """Variance (ddof 0) over mean of each neuron's counts over trials, (N,); NaN when silent."""
    counts = rates_hz(spikes, 1.0)
    mean = counts.mean(axis=0)
    fano: Array = np.where(mean > 0, counts.var(axis=0) / np.where(mean > 0, mean, 1.0), np.nan)
    return fano


def _known_mean(values: Array) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
