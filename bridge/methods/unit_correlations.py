"""How each neuron's filtered spikes follow the rate of the unit that it was made from."""

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.decoding import traces
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
    samples, trials, size = activity.shape
    sums = np.zeros((3, spikes.n_trials // trials, size))
    own = np.zeros((2, size))
    channel = network.decoded[0].channels[0]
    for trace, rate in zip(traces(network, channel, spikes), activity, strict=True):
        fired = trace.reshape(-1, trials, size)
        sums += fired.sum(axis=1), np.square(fired).sum(axis=1), (fired * rate).sum(axis=1)
        own += rate.sum(axis=0), np.square(rate).sum(axis=0)
    count = samples * trials
    mean, square, product = sums / count
    own_mean, own_square = own / count
    spread = np.sqrt(_variance(mean, square) * _variance(own_mean, own_square))
    varies = spread > 0
    correlations = (product - mean * own_mean) / np.where(varies, spread, 1.0)
    return np.where(varies, np.clip(correlations, -1.0, 1.0), 0.0)


def _variance(mean: Array, square: Array) -> Array:
    """Variances from means and mean squares; 0 where there is nothing but rounding."""
    variance = square - mean**2
    return np.where(variance > 1e-12 * square, variance, 0.0)
