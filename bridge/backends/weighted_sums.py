"""Sums over synapses in the one order of all exact backends: ascending presynaptic neuron."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.projection import Projection
from bridge.spiking.weights import Matrix, matrices_of

if TYPE_CHECKING:
    from scipy import sparse

Array = NDArray[np.float64]


def input_current(projection: Projection, samples: Array) -> Array:
    """W u for (..., C) input samples, (..., n_post), summed in ascending order of the channel."""
    for matrix in matrices_of(projection.weights):
        samples = _product(matrix, samples)
    return samples


def _product(matrix: Matrix, samples: Array) -> Array:
    """What samples are times a matrix; what is sparse stays so."""
    if not isinstance(matrix, np.ndarray):
        rows = samples.reshape(int(np.prod(samples.shape[:-1])), samples.shape[-1])
        return MatrixSum(matrix)(rows).reshape(*samples.shape[:-1], matrix.shape[0])
    total = np.zeros((*samples.shape[:-1], matrix.shape[0]))
    for channel, column in enumerate(matrix.T):
        total = total + samples[..., channel, None] * column
    return total


class MatrixSum:
    """W x of one matrix, summed in ascending order of the presynaptic neuron.

    Every product and every sum is rounded once; synapses of weight 0 are left out.
    """

    def __init__(self, columns: "sparse.csc_array") -> None:
        self._size = columns.shape[0]
        self._pre = np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
        self._post, self._weights = columns.indices, columns.data

    def __call__(self, x: Array) -> Array:
        """(B, n_post) sums of (B, n_pre) numbers."""
        # bincount adds one after the other, in the order it is given.
        sums = [np.bincount(self._post, row[self._pre] * self._weights, self._size) for row in x]
        return np.stack(sums)


class WeightedSum:
    """W x of a projection; where its weights are factored B (D x), first D x, then B times that."""

    def __init__(self, projection: Projection) -> None:
        self._sums = [MatrixSum(factor) for factor in projection.factors]

    def __call__(self, x: Array) -> Array:
        """(B, n_post) sums of (B, n_pre) numbers."""
        for summed in self._sums:
            x = summed(x)
        return x
