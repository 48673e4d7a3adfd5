"""How many trials a statistical comparison needs, and how small a difference it can find.

The difference that is promised to be found: every unit fires by `effect` more or less often, some
units more and others less, relative to its own rate. How often it is found is tried: in the trials
at hand one set is called B, as the test does it, and the difference is put in (`Sensitivity`).
`Spread` estimates from a formula how many trials that may take, so that few looks are needed.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.statistics.design import Design
from bridge.compare.statistics.distributions import chi_square_limit, noncentral_beyond
from bridge.compare.statistics.significance import (
    outlier_bounds,
    rows_at_once,
    squared_t,
    without_outliers,
)
from bridge.spiking.essentials import essentials

Array = NDArray[np.float64]

# The share of the units whose signal is taken as it is.
_TRUSTED = 0.9
# B against the mean of A and A' varies by 3/4 of what A' against A does; against A by as much.
_VARIANCE = {3: 0.75, 2: 1.0}
# How often a difference is put in: a power of 90 % is known to 1.5 %.
_TRIED = 400


@dataclass(frozen=True, kw_only=True, eq=False)
class Sensitivity:
    """How small a difference of rates can be found in trials like these.

    Without a difference each set could as well be called B in each trial. So labels are permuted,
    as the test does, and what is called B is given the difference.

    Attributes:
        contrasts: (S * B, N) by how much each set differs from the others in each trial.
        rates: (S * B, N) the rates of that set.
        bounds: (N,) beyond which a contrast is an outlier.
        signs: (N,) which units are to fire more, and which less.
        limit: What the statistic exceeds by chance, as often as its share of the false alarms.
        rows: (R, S * B) what is called B, one row for each time that a difference is put in.
    """

    contrasts: Array
    rates: Array
    bounds: Array
    signs: Array
    limit: float
    rows: Array

    __repr__ = essentials

    @classmethod
    def of(cls, values: Array, design: Design, rng: np.random.Generator) -> "Sensitivity":
        """From the rates (S, B, N) of S runs of the same trials.

        Two runs show what a test of three sets will find, too: except for a factor, B differs from
        the mean of two others as it does from one.

        Args:
            values: Rates of A, A' and B, of A and A', or of A and B, Hz.
            design: The test.
            rng: Draws names and signs.
        """
        sets, trials = values.shape[:2]
        contrasts = sets / (sets - 1) * (values - values.mean(axis=0))
        # What sets differ by on average is no chance.
        contrasts -= without_outliers(contrasts).mean(axis=1, keepdims=True)
        contrasts *= np.sqrt(trials / max(1, trials - 1) * _VARIANCE[design.sets] / _VARIANCE[sets])
        varies = contrasts.any(axis=(0, 1))
        found = cls(
            contrasts=contrasts[..., varies].reshape(sets * trials, -1),
            rates=values[..., varies].reshape(sets * trials, -1),
            bounds=outlier_bounds(contrasts[..., varies]),
            signs=rng.choice([-1.0, 1.0], np.count_nonzero(varies)),
            limit=0.0,
            rows=_rows(rng.integers(0, sets, (_TRIED, trials)), sets),
        )
        by_chance = found._statistics(
            0.0, _rows(rng.integers(0, sets, (design.draws, trials)), sets)
        )
        return replace(found, limit=float(np.quantile(by_chance, 1.0 - design.alpha_each)))

    def power(self, effect: float) -> float:
        """Chance to find a relative difference of `effect`."""
        return float((self._statistics(effect, self.rows) > self.limit).mean())

    def effect(self, power: float) -> float:
        """Smallest relative difference that is found with that power; infinite if none is.

        Other trials would give another one, by some percent, so half of the misses that are
        allowed are kept for that.
        """
        wanted = (1 + power) / 2
        low, high = 0.0, 1.0
        while self.power(high) < wanted:
            if high > _LARGEST_EFFECT:
                return float("inf")
            high *= 2
        while high - low > _RESOLUTION * high:
            middle = (low + high) / 2
            low, high = (low, middle) if self.power(middle) >= wanted else (middle, high)
        return high

    def _statistics(self, effect: float, rows: Array) -> Array:
        """(R,) mean over units of t^2, with the difference put into what is called B."""
        if not self.contrasts.shape[1]:
            return np.zeros(len(rows))
        contrasts = self.contrasts + effect * self.signs * self.rates
        contrasts = np.clip(contrasts, -self.bounds, self.bounds)
        squares, at_once = contrasts**2, rows_at_once(contrasts.shape[1])
        parts = [
            squared_t(rows[start : start + at_once], contrasts, squares).mean(axis=1)
            for start in range(0, len(rows), at_once)
        ]
        return np.concatenate(parts)


def _rows(named: NDArray[np.int64], sets: int) -> Array:
    """(R, S * B) which set is called B in each trial, from (R, B) names."""
    chosen = named[:, None, :] == np.arange(sets)[None, :, None]
    rows: Array = chosen.reshape(len(named), -1).astype(np.float64)
    return rows


_LARGEST_EFFECT, _RESOLUTION = 1000.0, 0.005


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What decides over the power of a test of rates: a first guess at the number of trials.

    Attributes:
        independent: To how many independent units the statistic's spread amounts.
        signal: Mean over units of rate^2 / variance of the contrast of one trial: by how much one
            trial raises the statistic for a difference as large as the rate itself. The largest
            tenth counts as the largest of the others.
    """

    independent: float
    signal: float

    @classmethod
    def of(cls, one: Array, other: Array, sets: int) -> "Spread":
        """From the rates (B, N) of two runs of the same trials, for a test of so many sets."""
        differences = without_outliers(one - other)
        rate = (one + other).mean(axis=0) / 2
        variance = _VARIANCE[sets] * differences.var(axis=0, ddof=1)
        speaks = variance > 0
        if not speaks.any():
            return cls(independent=1.0, signal=0.0)
        each = rate[speaks] ** 2 / variance[speaks]
        # Units that fire alike in nearly every trial would promise what few trials cannot tell.
        signal = float(np.minimum(each, np.quantile(each, _TRUSTED)).mean())
        return cls(independent=_independent(differences[:, speaks]), signal=signal)

    def power(self, effect: float, trials: int, alpha_each: float) -> float:
        """Chance to find a relative difference of `effect` in as many trials.

        The mean of N squared t values is as spread as a chi square of `independent` degrees of
        freedom (Satterthwaite), and the difference makes that a noncentral one.
        """
        freedom = self.independent
        limit = chi_square_limit(alpha_each, freedom)
        shift = freedom * trials * effect**2 * self.signal
        return noncentral_beyond(limit, freedom, shift)

    def trials(self, effect: float, power: float, alpha_each: float, most: int) -> int:
        """Fewest trials with that power; `most` where that many do not suffice."""
        low, high = 1, most
        while low < high:
            middle = (low + high) // 2
            if self.power(effect, middle, alpha_each) >= power:
                high = middle
            else:
                low = middle + 1
        return high


def _independent(differences: Array) -> float:
    """N^2 over the sum of squared correlations of (B, N) differences, without the bias of few."""
    trials, size = differences.shape
    if size == 1:
        return 1.0
    normal = differences - differences.mean(axis=0)
    normal = normal / np.sqrt((normal**2).sum(axis=0))
    # The squared correlations of all N x N pairs sum to what those of the B x B trials do.
    off = float(((normal @ normal.T) ** 2).sum()) - size
    # Uncorrelated numbers seem correlated by 1 / (B - 1) in the square.
    off = max(0.0, off - size * (size - 1) / (trials - 1))
    return size**2 / (size + off)
