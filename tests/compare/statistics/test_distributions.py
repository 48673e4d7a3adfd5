"""Limits, tails and distances of distributions, against those of scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from bridge.compare.statistics.distributions import (
    chi_square_limit,
    earth_movers_distance,
    noncentral_beyond,
    t_below,
)


@pytest.mark.parametrize("freedom", [0.7, 1.0, 40.0, 400.5])
@pytest.mark.parametrize("share", [0.05, 0.001, 1e-5])
def test_limits_and_tails_are_those_of_the_distribution(share, freedom):
    limit = chi_square_limit(share, freedom)
    # No difference is found; another SciPy may round otherwise.
    assert limit == pytest.approx(stats.chi2.isf(share, freedom), rel=1e-13)
    for shift in (0.0, 0.1, 60.0, 1e5):
        expected = stats.ncx2.sf(limit, freedom, shift)
        # Ours is 1 - cdf: 6e-16 is found.
        assert noncentral_beyond(limit, freedom, shift) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("freedom", [1, 2, 9, 99, 1000])
def test_what_t_stays_below_is_that_of_the_distribution(freedom):
    expected = stats.t.ppf(0.975, freedom)
    # No difference is found; another SciPy may round otherwise.
    assert t_below(0.975, freedom) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("sizes", [(1, 1), (7, 7), (30, 11)])
def test_the_distance_is_that_between_distributions(sizes):
    rng = np.random.default_rng(3)
    # Some numbers come twice, in both of them.
    one, other = (np.round(rng.gamma(2.0, 3.0, size)) for size in sizes)
    expected = stats.wasserstein_distance(one, other)
    # A sum in another order: 2e-16 is found.
    assert earth_movers_distance(one, other) == pytest.approx(expected, rel=1e-13)
    assert earth_movers_distance(one, one) == 0.0
