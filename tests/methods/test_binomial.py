"""Tails of the binomial distribution, against those of scipy.stats."""

import math

import numpy as np
import pytest
from scipy import stats

from bridge.methods.binomial import at_least, at_most


@pytest.mark.parametrize("trials", [0, 1, 7, 100])
@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
def test_tails_are_those_of_the_distribution(trials, share):
    for successes in range(trials + 1):
        # Two implementations of one function, far out in its tails too.
        expected = stats.binom.sf(successes - 1, trials, share)
        assert at_least(successes, trials, share) == pytest.approx(expected, rel=1e-12, abs=1e-300)
        expected = stats.binom.cdf(successes, trials, share)
        assert at_most(successes, trials, share) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_of_many_trials_the_tail_has_the_digits_that_are_promised():
    for trials, digits in ((100, 1e-12), (10_000, 1e-10)):
        for share in (0.03, 0.5, 0.97):
            middle, width = trials * share, math.sqrt(trials * share * (1 - share))
            for successes in {max(1, round(middle + z * width)) for z in (-6, -1, 0, 2, 4)}:
                if successes > trials:
                    assert at_least(successes, trials, share) == 0.0
                    continue
                expected = stats.binom.sf(successes - 1, trials, share)
                assert at_least(successes, trials, share) == pytest.approx(expected, rel=digits)


def test_arrays_are_taken_number_by_number():
    successes, trials = np.array([0, 3, 5]), np.array([4, 4, 5])
    expected = stats.binom.sf(successes - 1, trials, 0.5)
    # As above.
    np.testing.assert_allclose(at_least(successes, trials, 0.5), expected, rtol=1e-12)
