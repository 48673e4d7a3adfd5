"""Which scale factors of a search can still win: successive halving with paired tests.

All scale factors see the same trials and the same noise, so two of them are compared trial by
trial. Jamieson & Talwalkar (AISTATS 2016) drop a fixed share of the candidates in every round;
here only those go that are worse beyond doubt: less often right, or, by the rule that looks at it,
further from the rate network's output.
"""

import math

import numpy as np
from numpy.typing import NDArray

from bridge.methods.binomial import at_least
from bridge.methods.scale_choice import TOLERANCE, least_error, middle_of_best_plateau

# Shares of the trials after which losers are dropped; the survivors do all of them.
ROUNDS = (0.2, 0.5, 1.0)
# One-sided level of a test. Some 20 are made in a search, nearly all of them far from it.
LEVEL = 0.005


def round_ends(trials: int, *, exhaustive: bool) -> list[int]:
    """Trials done after each round, ascending; the last is all of them."""
    shares = (1.0,) if exhaustive else ROUNDS
    return sorted({math.ceil(share * trials) for share in shares})


def still_in(correct: NDArray[np.bool_], left: float) -> NDArray[np.bool_]:
    """(L,) which scale factors may yet have the highest count.

    One is out if it cannot catch up in the trials that are left, or if the leader is better by
    the sign test on the trials that only one of the two got right.

    Args:
        correct: (L, n) which of the n trials so far each scale factor got right.
        left: Trials still to come, and by how many it may stay behind.
    """
    leader = correct[np.argmax(correct.sum(axis=1))]
    worse, better = (leader & ~correct).sum(axis=1), (correct & ~leader).sum(axis=1)
    caught = worse - better <= left
    stays: NDArray[np.bool_] = caught & ~_clearly(worse, worse + better)
    return stays


def still_faithful(
    correct: NDArray[np.bool_], errors: NDArray[np.float64], whole: int
) -> NDArray[np.bool_]:
    """(L,) which scale factors may yet have the least output error among those right enough.

    One is out if it will not be right often enough, by `still_in`; or if the one that would be
    chosen by the trials so far has the lesser error in more of them than chance explains. Of the
    others the one that is most surely right stays, too: the best decides who is right enough.

    Args:
        correct: (L, n) which of the n trials so far each scale factor got right.
        errors: (L, n) its squared deviations from the rate network's output in each.
        whole: All trials.
    """
    counts, done = correct.sum(axis=1), correct.shape[1]
    sums = errors.sum(axis=1)
    chosen = least_error(counts, sums, done)
    further = (errors > errors[chosen]).sum(axis=1)
    nearer = (errors < errors[chosen]).sum(axis=1)
    clearly_further = _clearly(further, further + nearer) & (sums > sums[chosen])
    stays = still_in(correct, whole - done + TOLERANCE * whole) & ~clearly_further
    others = np.where(np.arange(counts.size) == chosen, -1, counts)
    stays[[chosen, middle_of_best_plateau(others)]] = True
    return np.asarray(stays, dtype=np.bool_)


def _clearly(times: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a fair coin would hardly ever fall on one side so many times."""
    rare: NDArray[np.bool_] = at_least(times, of, 0.5) < LEVEL
    return rare


def expected_counts(
    correct: NDArray[np.int64], tested: NDArray[np.int64], trials: int
) -> NDArray[np.int64]:
    """(L,) right answers of `trials`: counted, or guessed for those dropped, below the best."""
    finished = tested == trials
    guess = np.minimum(correct * trials // tested, correct[finished].max() - 1)
    return np.where(finished, correct, guess)
