"""How often and how regularly neurons fire, defined once for all backends."""

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.spikes import Spikes

Array = NDArray[np.float64]


def rates_hz(spikes: Spikes, trial_s: float) -> Array:
    """Firing rate of each neuron in each trial, (B, N) in Hz; silent neurons count as 0."""
    cells = spikes.trial.astype(np.int64) * spikes.n_neurons + spikes.neuron
    counts = np.bincount(cells, minlength=spikes.n_trials * spikes.n_neurons)
    rates: Array = counts.reshape(spikes.n_trials, spikes.n_neurons) / trial_s
    return rates


def intervals_ms(spikes: Spikes, dt_ms: float) -> tuple[Array, NDArray[np.int64]]:
    """All intervals between successive spikes of one neuron within one trial.

    Returns:
        (I,) intervals in ms, and (I,) the trial * N + neuron each belongs to, ascending.
    """
    cell = spikes.trial.astype(np.int64) * spikes.n_neurons + spikes.neuron
    order = np.lexsort((spikes.step, cell))
    cell, step = cell[order], spikes.step[order]
    same = cell[1:] == cell[:-1]
    return np.diff(step)[same] * dt_ms, cell[1:][same]


def cv_isi(spikes: Spikes, dt_ms: float) -> Array:
    """Coefficient of variation of the intervals of each neuron in each trial, (B, N).

    Standard deviation (ddof 0) over mean; NaN with fewer than three intervals.
    """
    intervals, cell = intervals_ms(spikes, dt_ms)
    size = spikes.n_trials * spikes.n_neurons
    count = np.bincount(cell, minlength=size)
    enough = np.maximum(count, 1)
    mean = np.bincount(cell, weights=intervals, minlength=size) / enough
    square = np.bincount(cell, weights=(intervals - mean[cell]) ** 2, minlength=size) / enough
    few = count < 3
    cv: Array = np.sqrt(square) / np.where(few, 1.0, mean)
    cv[few] = np.nan
    return cv.reshape(spikes.n_trials, spikes.n_neurons)
