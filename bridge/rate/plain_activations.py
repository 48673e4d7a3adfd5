"""The activations of rate networks in NumPy: they say what each of them is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Where the authors' code clips the two that have no upper end.
HIGHEST_RATE = 20.0


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def softplus(x: Array, highest_rate: float = HIGHEST_RATE) -> Array:
    """log(1 + e^x), clipped at `highest_rate`."""
    return np.asarray(np.minimum(np.logaddexp(0.0, x), highest_rate))


def relu(x: Array, highest_rate: float = HIGHEST_RATE) -> Array:
    """The positive part of x, clipped at `highest_rate`."""
    return np.clip(x, 0.0, highest_rate)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent, which is negative where x is."""
    return np.asarray(np.tanh(x))


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"sigmoid": sigmoid, "softplus": softplus, "relu": relu, "tanh": tanh}
)

CLIPPED: Mapping[str, Callable[[Array, float], Array]] = MappingProxyType(
    {"softplus": softplus, "relu": relu}
)
"""Those that have no upper end of their own."""


def activation_of(name: str, highest_rate: float) -> Callable[[Array], Array]:
    """Phi by its name, clipped where it has no upper end."""
    if name not in CLIPPED:
        return ACTIVATIONS[name]
    clipped = CLIPPED[name]
    return lambda x: clipped(x, highest_rate)
