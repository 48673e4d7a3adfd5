"""How each neuron's filtered spikes follow the rate of the unit that it was made from."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.decoding import AT_ONCE
from bridge.spiking.filtered import filtered
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]


def unit_correlations(network: SpikingNetwork, spikes: Spikes, activity: Array) -> Array:
    """Pearson's correlation of filtered spikes and rates over all samples of all trials.

    Args:
        network: N neurons in one population with one readout of one channel, whose filter is taken.
        spikes: Of L times B trials, those of one scale factor together.
        activity: (T, B, N) rates of the B trials.

    Returns:
        (L, N); 0 where the neuron or the unit never varies.
    """
    trials, sums = activity.shape[1], _sums(activity)
    trains = filtered(network, network.decoded[0].channels[0])
    # The filtered spikes of many trials would leave the cache.
    most = max(1, AT_ONCE // trials) * trials
    parts = (
        spikes.between(start, min(start + most, spikes.n_trials))
        for start in range(0, spikes.n_trials, most)
    )
    return np.concatenate([_correlations(trains.traces(part), activity, sums) for part in parts])


def _sums(activity: Array) -> Array:
    """(2, N) sums of rates, and of their squares, over all samples of all trials."""
    sums = np.zeros((2, activity.shape[2]))
    for rate in activity:
        sums += rate.sum(axis=0), np.square(rate).sum(axis=0)
    return sums


def _correlations(traces: Iterable[Array], activity: Array, own: Array) -> Array:
    """(L, N) of the traces of L times B trials and the rates of B, whose sums are known."""
    samples, trials, size = activity.shape
    sums = np.zeros((3, 1, size))
    for trace, rate in zip(traces, activity, strict=True):
        fired = trace.reshape(-1, trials, size)
        moments = fired.sum(axis=1), np.square(fired).sum(axis=1), (fired * rate).sum(axis=1)
        sums = sums + moments
    count = samples * trials
    mean, square, product = sums / count
    own_mean, own_square = own / count
    spread = np.sqrt(_variance(mean, square) * _variance(own_mean, own_square))
    varies = spread > 0
    correlations = (product - mean * own_mean) / np.where(varies, spread, 1.0)
    found: Array = np.where(varies, np.clip(correlations, -1.0, 1.0), 0.0)
    return found


def _variance(mean: Array, square: Array) -> Array:
    """Variances from means and mean squares; 0 where there is nothing but rounding."""
    variance = square - mean**2
    return np.where(variance > 1e-12 * square, variance, 0.0)
