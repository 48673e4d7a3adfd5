"""Changes of weights that faults make, dense, sparse or factored."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.weights import Factored, Weights

Array = NDArray[np.float64]


def times(weights: Weights, numbers: float | Array) -> Weights:
    """The weights times one number, or (1, pre) numbers, one for each presynaptic neuron."""
    if isinstance(weights, Factored):
        return replace(weights, right=weights.right * numbers)
    return weights * numbers


def turned(weights: Weights) -> Weights:
    """The transposed weights."""
    if isinstance(weights, Factored):
        return Factored(left=weights.right.T, right=weights.left.T)
    return weights.T


def asymmetric(weights: Weights) -> bool:
    """Whether transposing changes square weights."""
    if not isinstance(weights, Factored):
        return bool(abs(weights - weights.T).max() > 0)
    # Of a product only what it does to vectors is cheap.
    x = np.random.default_rng(1).normal(size=weights.shape[1])
    there = weights.left @ (weights.right @ x)
    apart = np.abs(there - weights.right.T @ (weights.left.T @ x)).max()
    # Products of matrices round to 1e-16 of what they sum, however small the weights are.
    return bool(apart > 1e-9 * np.abs(there).max())


def outgoing(weights: Weights) -> Array:
    """(pre,) sums of the sizes of the weights of each presynaptic neuron."""
    if not isinstance(weights, Factored):
        return np.asarray(np.abs(weights).sum(axis=0))
    columns = (weights.left @ weights.right[:, [pre]] for pre in range(weights.shape[1]))
    return np.array([abs(column).sum() for column in columns])
