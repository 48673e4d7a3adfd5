"""Do sets of trials come from one simulator: a test that chance alone seldom fails.

A and A' are runs of one backend, B is a run of another, all of the same trials and each with noise
of its own. If the backends are alike, then in every trial each of the three could as well be
called B. Drawing that name anew, trial by trial and many thousand times, shows what the statistics
are when there is no difference; how units are correlated, and how they are distributed, does not
matter, since it stays as it is. So the rate of false alarms is what was asked for, for any network,
as long as trials do not depend on each other: pieces cut from one long run do. Where there is no
A', the same is done with two. Where A differs from A', B differs from one of them, and that is a
difference, too.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bridge.compare.statistics.design import DRAWS, LEAST_TRIALS, Quantity, QuantityResult
from bridge.errors import SpecError

Array = NDArray[np.float64]
Report = Callable[[float], None]


def compare_sets(
    quantities: list[Quantity],
    rng: np.random.Generator,
    draws: int = DRAWS,
    on_progress: Report | None = None,
) -> tuple[list[QuantityResult], float]:
    """Test whether B differs from A and A' in any quantity.

    For each quantity there are two statistics: the mean over units of t^2, for differences that
    are spread, and the largest t^2, for those of single units; t = sum c / sqrt(sum c^2) over
    trials, with c the difference of B from the mean of A and A' in a trial, without outliers. Each
    gets a p value from the draws, and the smallest of them all, compared with the smallest of each
    draw, gives one p value for everything (Westfall & Young 1993): so many tests cost no false
    alarms.

    Args:
        quantities: All of the same B trials.
        rng: Draws the names.
        draws: How often.
        on_progress: Called with the fraction done.

    Returns:
        Each quantity's result, and the chance of a difference like the largest found if there is
        none.

    Raises:
        SpecError: there are too few trials.
    """
    trials = quantities[0].values.shape[1]
    if trials < LEAST_TRIALS:
        raise SpecError(f"trials: statistics need at least {LEAST_TRIALS}, got {trials}")
    sets = len(quantities[0].values)
    # The first row is what was observed: B is B.
    named = np.full((draws + 1, trials), sets - 1, dtype=np.uint8)
    named[1:] = rng.integers(0, sets, (draws, trials), dtype=np.uint8)
    statistics: list[Array] = []
    report = on_progress or (lambda _fraction: None)
    before, whole = 0, sum(part.values.size for part in quantities)
    for part in quantities:
        size = part.values.size
        statistics += _drawn(part.values, named, _share(report, before / whole, size / whole))
        before += size
    chances = np.array([_chances(statistic) for statistic in statistics])
    whole = _chances(-chances.min(axis=0))[0]
    results = [
        _result(part, float(chances[2 * number, 0]), float(chances[2 * number + 1, 0]))
        for number, part in enumerate(quantities)
    ]
    return results, float(whole)


def _result(quantity: Quantity, p_spread: float, p_single: float) -> QuantityResult:
    a, again, b = quantity.values[0], quantity.values[1:-1], quantity.values[-1]
    apart = b - a
    if len(again):
        z, z_yardstick = _z(b - (a + again[0]) / 2), _z(again[0] - a)
        yardstick = _rms(_mean(again[0] - a))
    else:
        z, z_yardstick = _z(apart), np.full(a.shape[1], np.nan)
        yardstick = _rms(_error(apart))
    return QuantityResult(
        name=quantity.name,
        unit=quantity.unit,
        z=z,
        z_yardstick=z_yardstick,
        rmse=_rms(_mean(apart)),
        rmse_yardstick=yardstick,
        p_spread=p_spread,
        p_single=p_single,
    )


def _share(report: Report, start: float, share: float) -> Report:
    """What reports a part that has this share of everything."""
    return lambda fraction: report(start + share * fraction)


def _drawn(values: Array, named: NDArray[np.uint8], report: Report) -> tuple[Array, Array]:
    """Mean and largest t^2 of all features for each row of names, (draws,) each."""
    complete = np.isfinite(values).all(axis=0)
    kept, sets = np.where(complete, values, 0.0), len(values)
    # Of each set from the mean of the others.
    contrasts = np.where(complete, sets / (sets - 1) * (kept - kept.mean(axis=0)), 0.0)
    contrasts = without_outliers(contrasts)
    # A feature that is the same everywhere says nothing, and rounding must not make it speak.
    scale = np.abs(kept).max(axis=(0, 1))
    speaks = (contrasts**2).sum(axis=(0, 1)) > 1e-20 * scale**2
    contrasts = contrasts[:, :, speaks]
    mean, largest = np.zeros(len(named)), np.zeros(len(named))
    if not contrasts.shape[2]:
        return mean, largest
    flat = contrasts.reshape(-1, contrasts.shape[2])
    squares = flat**2
    at_once = rows_at_once(flat.shape[1])
    for start in range(0, len(named), at_once):
        chosen = named[start : start + at_once]
        rows = (chosen[:, None, :] == np.arange(sets)[None, :, None]).reshape(len(chosen), -1)
        t2 = squared_t(rows.astype(np.float64), flat, squares)
        mean[start : start + len(chosen)] = t2.mean(axis=1)
        largest[start : start + len(chosen)] = t2.max(axis=1)
        report((start + len(chosen)) / len(named))
    return mean, largest


def squared_t(rows: Array, contrasts: Array, squares: Array) -> Array:
    """(R, F) of sums over trials the square of sum c / sqrt(sum c^2).

    Args:
        rows: (R, K) how often each contrast is in each sum.
        contrasts: (K, F).
        squares: Their squares.
    """
    size = rows @ squares
    return np.divide((rows @ contrasts) ** 2, size, out=np.zeros_like(size), where=size > 0)


def rows_at_once(features: int) -> int:
    """How many sums are made at once, so that memory stays small."""
    return max(1, min(500, _NUMBERS_AT_ONCE // max(1, features)))


_NUMBERS_AT_ONCE = 4_000_000


def outlier_bounds(differences: Array) -> Array:
    """(F,) 3 s.d. of differences (..., F), from the median of their sizes; else infinite."""
    if not differences.size:
        return np.zeros(differences.shape[-1])
    middle = np.median(np.abs(differences), axis=tuple(range(differences.ndim - 1)))
    # 1.4826: from the median of the sizes to the s.d. of a normal distribution.
    return np.where(middle > 0, 3 * 1.4826 * middle, np.inf)


def without_outliers(differences: Array) -> Array:
    """Differences (..., F) of a feature held within 3 s.d., from the median of their sizes.

    Where a network by itself answers a trial now and then quite differently, all units differ much
    in that trial, and would hide what there is in all others. The bounds do not depend on which
    set is called B. Features that differ in less than half of the trials are left as they are.
    """
    bound = outlier_bounds(differences)
    held: Array = np.clip(differences, -bound, bound)
    return held


def _chances(statistic: Array) -> Array:
    """For each draw the share of draws, itself included, with a statistic at least as large."""
    # Rounding makes equal statistics differ in the last digits.
    rounded = np.round(statistic, 9)
    ordered = np.sort(rounded)
    return 1.0 - np.searchsorted(ordered, rounded, side="left") / len(ordered)


def _z(differences: Array) -> Array:
    """(F,) mean of (B, F) paired differences in standard errors; NaN where none or no spread."""
    error = _error(differences)
    known = (np.isfinite(differences).sum(axis=0) >= LEAST_TRIALS) & (error > 0)
    return np.where(known, _mean(differences) / np.where(known, error, 1.0), np.nan)


def _error(differences: Array) -> Array:
    """(F,) standard error of the mean of (B, F) numbers without NaN."""
    count = np.isfinite(differences).sum(axis=0)
    squares = np.nansum((differences - _mean(differences)) ** 2, axis=0)
    return np.asarray(np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1)))


def _mean(differences: Array) -> Array:
    """(F,) mean of (B, F) without NaN; NaN where there is nothing else."""
    count = np.isfinite(differences).sum(axis=0)
    total = np.nansum(differences, axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _rms(differences: Array) -> float:
    known = differences[np.isfinite(differences)]
    return float(np.sqrt((known**2).mean())) if known.size else 0.0
