"""exp and its like of constants, correctly rounded: the same on every processor.

What the libraries give is wrong in its last bit for some arguments, and differs between processors
(NumPy takes other code where there is AVX-512). A decay factor with another last bit makes other
spikes. Decimal arithmetic is the same everywhere: it gives 40 digits, which are rounded once.
"""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

# Correct rounding would need more digits than these only if
# twenty of them in a row were 0 or 9, or 5 and 0s, right behind the last bit.
_DIGITS = 40
# Constants of 10^4 neurons, made anew by each backend.
_KEPT = 50_000


def exp_rounded(values: ArrayLike) -> Array:
    """e^x of float64 numbers of any shape, correctly rounded."""
    return _distinct(_exp, values)


def expm1_rounded(values: ArrayLike) -> Array:
    """e^x - 1 of float64 numbers of any shape, correctly rounded."""
    return _distinct(_expm1, values)


def log1p_rounded(values: ArrayLike) -> Array:
    """log(1 + x) of float64 numbers of any shape, correctly rounded; NaN below -1."""
    return _distinct(_log1p, values)


def _distinct(function: Callable[[float], float], values: ArrayLike) -> Array:
    array = np.asarray(values, dtype=np.float64)
    distinct, places = np.unique(array, return_inverse=True)
    results = np.array([function(value) for value in distinct.tolist()], dtype=np.float64)
    return results[places].reshape(array.shape)


@lru_cache(_KEPT)
def _exp(value: float) -> float:
    return float(_context(_DIGITS).exp(Decimal(value)))


@lru_cache(_KEPT)
def _expm1(value: float) -> float:
    exact = Decimal(value)
    context = _context(_digits_beside_1(exact))
    return float(context.subtract(context.exp(exact), Decimal(1)))


@lru_cache(_KEPT)
def _log1p(value: float) -> float:
    exact = Decimal(value)
    context = _context(_digits_beside_1(exact))
    return float(context.ln(context.add(exact, Decimal(1))))


def _digits_beside_1(value: Decimal) -> int:
    """Digits with which 1 + value keeps `_DIGITS` of the value."""
    return _DIGITS + max(0, -value.adjusted())


def _context(digits: int) -> Context:
    # All is said here: a program may change the defaults. Infinite results are no error.
    return Context(
        prec=digits, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, clamp=0, traps=[]
    )
