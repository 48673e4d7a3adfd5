"""Sums over synapses in the one order of all exact backends: ascending presynaptic neuron."""

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.projection import Projection

Array = NDArray[np.float64]


def input_current(projection: Projection, samples: Array) -> Array:
    """W u for (..., C) input samples, (..., n_post), summed in ascending order of the channel."""
    if not isinstance(projection.weights, np.ndarray):
        rows = samples.reshape(int(np.prod(samples.shape[:-1])), samples.shape[-1])
        return WeightedSum(projection)(rows).reshape(*samples.shape[:-1], projection.shape[0])
    total = np.zeros((*samples.shape[:-1], projection.shape[0]))
    for channel, column in enumerate(projection.weights.T):
        total = total + samples[..., channel, None] * column
    return total


class WeightedSum:
    """W x summed in ascending order of the presynaptic neuron.

    Every product and every sum is rounded once; synapses of weight 0 are left out.
    """

    def __init__(self, projection: Projection) -> None:
        columns = projection.synapses()
        self._size = projection.shape[0]
        self._pre = np.repeat(np.arange(projection.shape[1]), np.diff(columns.indptr))
        self._post, self._weights = columns.indices, columns.data

    def __call__(self, x: Array) -> Array:
        """(B, n_post) sums of (B, n_pre) numbers."""
        # bincount adds one after the other, in the order it is given.
        sums = [np.bincount(self._post, row[self._pre] * self._weights, self._size) for row in x]
        return np.stack(sums)
