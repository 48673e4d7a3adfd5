"""The vocabulary of a step: what a neuron model or a filter may do with numbers.

Apart from `+ - * /` between arrays, a step uses only what is here, so one text of it runs on NumPy
and torch arrays alike, and on the symbols from which other simulators' statements are written. All
of it is rounded the same everywhere: `exp` and its like are written out in `+ - * /`, since those
of the libraries differ in their last bits.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from bridge.spiking import exact_functions


class Operations(ABC):
    """What a step may do in addition to `+ - * /`; arguments are arrays, numbers or symbols."""

    @abstractmethod
    def above(self, a: Any, b: Any) -> Any:
        """Where a > b: a condition for `where`, not a number."""

    @abstractmethod
    def at_or_above(self, a: Any, b: Any) -> Any:
        """Where a >= b: a condition for `where`, not a number."""

    @abstractmethod
    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """`a` where the condition holds, else `b`, whatever the other is, infinite or no number."""

    @abstractmethod
    def floor(self, x: Any) -> Any:
        """The largest whole number that is not above x."""

    def clip(self, x: Any, low: Any, high: Any) -> Any:
        """X held within low and high."""
        return self.where(self.above(x, high), high, self.where(self.above(low, x), low, x))

    def exp(self, x: Any) -> Any:
        """e^x."""
        return exact_functions.exp(self, x)

    def log1p(self, x: Any) -> Any:
        """log(1 + x)."""
        return exact_functions.log1p(self, x)

    def tanh(self, x: Any) -> Any:
        """Hyperbolic tangent."""
        return exact_functions.tanh(self, x)

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + e^-x)."""
        return exact_functions.sigmoid(self, x)


class NumpyOperations(Operations):
    """The vocabulary on NumPy arrays."""

    def above(self, a: Any, b: Any) -> Any:
        return np.greater(a, b)

    def at_or_above(self, a: Any, b: Any) -> Any:
        return np.greater_equal(a, b)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return np.where(condition, a, b)

    def floor(self, x: Any) -> Any:
        return np.floor(x)


NUMPY = NumpyOperations()
