"""How many trials a statistical comparison needs, and how small a difference it can find.

The difference that is promised to be found: every unit fires by `effect` more or less often, some
units more and others less, relative to its own rate. What it takes follows from how much the
counts of units vary from trial to trial, and from how many units vary on their own, both of which
two runs of one simulator show.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bridge.compare.significance import without_outliers

Array = NDArray[np.float64]

# The share of the units whose signal is taken as it is.
_TRUSTED = 0.9
# Two statistics of each of three quantities share the false alarms.
_TESTS = 6


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What decides over the power of a test of rates.

    Attributes:
        independent: To how many independent units the statistic's spread amounts.
        signal: Mean over units of rate^2 / variance of the contrast of one trial: by how much one
            trial raises the statistic for a difference as large as the rate itself. The largest
            tenth counts as the largest of the others.
    """

    independent: float
    signal: float

    @classmethod
    def of(cls, one: Array, other: Array, *, sets: int = 3) -> "Spread":
        """From the rates (B, N) of two runs of the same trials, for a test of so many sets."""
        differences = without_outliers(one - other)
        rate = (one + other).mean(axis=0) / 2
        # B against the mean of A and A' varies by 3/4 of what A' against A does.
        variance = (0.75 if sets == 3 else 1.0) * differences.var(axis=0, ddof=1)
        speaks = variance > 0
        if not speaks.any():
            return cls(independent=1.0, signal=0.0)
        each = rate[speaks] ** 2 / variance[speaks]
        # Units that fire alike in nearly every trial would promise what few trials cannot tell.
        signal = float(np.minimum(each, np.quantile(each, _TRUSTED)).mean())
        return cls(independent=_independent(differences[:, speaks]), signal=signal)

    def power(self, effect: float, trials: int, alpha: float) -> float:
        """Chance to find a relative difference of `effect` in as many trials.

        The mean of N squared t values is as spread as a chi square of `independent` degrees of
        freedom (Satterthwaite), and the difference makes that a noncentral one.
        """
        freedom = self.independent
        limit = stats.chi2.isf(alpha / _TESTS, freedom)
        shift = freedom * trials * effect**2 * self.signal
        return float(stats.ncx2.sf(limit, freedom, shift))

    def trials(self, effect: float, power: float, alpha: float, most: int) -> int:
        """Fewest trials with that power; `most` where that many do not suffice."""
        low, high = 1, most
        while low < high:
            middle = (low + high) // 2
            if self.power(effect, middle, alpha) >= power:
                high = middle
            else:
                low = middle + 1
        return high

    def effect(self, trials: int, power: float, alpha: float) -> float:
        """Smallest relative difference that is found with that power; infinite if none is."""
        if self.signal <= 0:
            return math.inf
        low, high = 0.0, 1.0
        while self.power(high, trials, alpha) < power:
            high *= 2
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (
                (low, middle) if self.power(middle, trials, alpha) >= power else (middle, high)
            )
        return high


def _independent(differences: Array) -> float:
    """N^2 over the sum of squared correlations of (B, N) differences, without the bias of few."""
    trials, size = differences.shape
    if size == 1:
        return 1.0
    correlations = np.corrcoef(differences, rowvar=False)
    off = float((correlations**2).sum()) - size
    # Uncorrelated numbers seem correlated by 1 / (B - 1) in the square.
    off = max(0.0, off - size * (size - 1) / (trials - 1))
    return size**2 / (size + off)
