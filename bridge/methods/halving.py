"""Which scale factors of a search can still win: successive halving with paired tests.

All scale factors see the same trials and the same noise, so two of them are compared trial by
trial. Jamieson & Talwalkar (AISTATS 2016) drop a fixed share of the candidates in every round;
here only those go that are worse beyond doubt, since several may do the task perfectly.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

# Shares of the trials after which losers are dropped; the survivors do all of them.
ROUNDS = (0.2, 0.5, 1.0)
# One-sided level of a test. Some 20 are made in a search, nearly all of them far from it.
LEVEL = 0.005


def round_ends(trials: int, *, exhaustive: bool) -> list[int]:
    """Trials done after each round, ascending; the last is all of them."""
    shares = (1.0,) if exhaustive else ROUNDS
    return sorted({math.ceil(share * trials) for share in shares})


def still_in(correct: NDArray[np.bool_], left: int) -> NDArray[np.bool_]:
    """(L,) which scale factors may yet have the highest count.

    One is out if it cannot catch up in the trials that are left, or if the leader is better by
    the sign test on the trials that only one of the two got right.

    Args:
        correct: (L, n) which of the n trials so far each scale factor got right.
        left: Trials still to come.
    """
    leader = correct[np.argmax(correct.sum(axis=1))]
    worse, better = (leader & ~correct).sum(axis=1), (correct & ~leader).sum(axis=1)
    caught = worse - better <= left
    # How likely a fair coin is to fall for the leader at least as often.
    doubtful = stats.binom.sf(worse - 1, worse + better, 0.5) >= LEVEL
    stays: NDArray[np.bool_] = caught & doubtful
    return stays


def expected_counts(
    correct: NDArray[np.int64], tested: NDArray[np.int64], trials: int
) -> NDArray[np.int64]:
    """(L,) right answers of `trials`: counted, or guessed for those dropped, below the best."""
    finished = tested == trials
    guess = np.minimum(correct * trials // tested, correct[finished].max() - 1)
    return np.where(finished, correct, guess)
