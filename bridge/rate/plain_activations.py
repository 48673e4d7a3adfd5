"""The activations of rate networks in NumPy: they say what each of them is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def softplus(x: Array) -> Array:
    """log(1 + e^x), clipped at `HIGHEST_RATE`."""
    return np.asarray(np.minimum(np.logaddexp(0.0, x), HIGHEST_RATE))


def relu(x: Array) -> Array:
    """The positive part of x, clipped at `HIGHEST_RATE`."""
    return np.clip(x, 0.0, HIGHEST_RATE)


# Where the authors' code clips the two that have no upper end.
HIGHEST_RATE = 20.0

ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"sigmoid": sigmoid, "softplus": softplus, "relu": relu}
)
