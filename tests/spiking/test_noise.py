"""The noise that every backend computes for itself: is it normal, and without memory?"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bridge.spiking.drive import trial_generator, trial_generators
from bridge.spiking.noise import (
    COEFFICIENTS,
    bent,
    mix,
    sixteen_bit_sums,
    standard_normal,
    step_keys,
    trial_keys,
    unit_keys,
)
from bridge.spiking.seed_words import seed_words


@pytest.fixture(scope="module")
def drawn():
    """(steps, trials, neurons), a million numbers."""
    return standard_normal(trial_keys(1, 0, range(25)), range(200), 200)


def test_it_is_standard_normal(drawn):
    # A KS test of a million numbers resolves 0.14 %; seeded, so it cannot fail by chance later.
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    count = drawn.size
    assert abs(drawn.mean()) < 4 / np.sqrt(count)
    assert abs(drawn.var() - 1) < 4 * np.sqrt(2 / count)
    assert abs(stats.kurtosis(drawn.ravel())) < 4 * np.sqrt(24 / count)
    assert np.abs(drawn).max() > 4


def test_its_exact_moments_are_those_of_the_normal_distribution():
    # The sum of four uniform numbers has the Irwin-Hall density, integrated here finely.
    x = np.linspace(-2, 2, 400_001)
    density = np.where(np.abs(x) < 1, 4 - 6 * x**2 + 3 * np.abs(x) ** 3, (2 - np.abs(x)) ** 3) / 6
    z = x * np.polynomial.polynomial.polyval(x**2, COEFFICIENTS)
    assert np.all(np.diff(z) > 0)
    variance, kurtosis = (np.trapezoid(z**power * density, x) for power in (2, 4))
    # The coefficients have six digits.
    assert variance == pytest.approx(1, abs=2e-6)
    assert kurtosis == pytest.approx(3, abs=2e-5)
    cdf = np.cumsum(density) * (x[1] - x[0])
    assert np.abs(cdf - stats.norm.cdf(z)).max() < 1.2e-4


@pytest.mark.parametrize("lag", [1, 2, 3, 50])
@pytest.mark.parametrize("axis", [0, 1, 2], ids=["steps", "trials", "neurons"])
def test_neighbours_know_nothing_of_each_other(drawn, axis, lag):
    if lag >= drawn.shape[axis]:
        lag = drawn.shape[axis] - 1
    one = np.take(drawn, range(drawn.shape[axis] - lag), axis=axis).ravel()
    other = np.take(drawn, range(lag, drawn.shape[axis]), axis=axis).ravel()
    # The correlation of n independent pairs has s.d. 1 / sqrt(n).
    for left, right in ((one, other), (one**2, other**2)):
        assert abs(np.corrcoef(left, right)[0, 1]) < 4 / np.sqrt(one.size)


def test_no_pair_of_neurons_is_correlated(drawn):
    correlations = np.corrcoef(drawn.reshape(-1, drawn.shape[2]).T)
    pairs = correlations[np.triu_indices(len(correlations), 1)] * np.sqrt(drawn[:, :, 0].size)
    assert abs(pairs.std() - 1) < 4 / np.sqrt(2 * pairs.size)
    # The largest of 19,900 normal numbers is 4.1 in the median, above 5.5 once in 1,300 times.
    assert np.abs(pairs).max() < 5.5


def test_seeds_and_streams_have_noise_of_their_own():
    keys = {
        (seed, stream): trial_keys(seed, stream, range(3)) for seed in (1, 2) for stream in (0, 1)
    }
    pairs = np.concatenate(list(keys.values()))
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    np.testing.assert_array_equal(trial_keys(1, 0, [2]), keys[1, 0][2:])


def test_mixing_loses_nothing():
    # A bijection: different numbers stay different.
    numbers = np.arange(-(2**19), 2**19, dtype=np.int32)
    assert np.unique(mix(numbers)).size == numbers.size


def test_torch_computes_the_same_bits():
    keys = trial_keys(9, 0, range(4))
    expected = standard_normal(keys, range(70), 30)
    first, second = torch.from_numpy(keys).unbind(1)
    shared = step_keys(torch.arange(70, dtype=torch.int32)[:, None], first, second)
    units = unit_keys(torch.arange(30, dtype=torch.int32))
    got = bent(sixteen_bit_sums(units, shared[:, :, None]).double())
    np.testing.assert_array_equal(got.numpy(), expected)


@given(
    seed=st.integers(0, 2**140),
    trials=st.lists(st.integers(0, 2**33) | st.integers(0, 9), min_size=1, max_size=5),
)
def test_words_of_many_trials_are_those_of_numpys_seed_sequence(seed, trials):
    sequences = [np.random.SeedSequence(seed, spawn_key=(3, each)) for each in trials]
    expected = np.array([each.generate_state(7) for each in sequences])
    np.testing.assert_array_equal(seed_words(seed, 3, trials, 7), expected)


def test_a_generator_that_is_set_anew_draws_what_a_fresh_one_does():
    def some(rng):
        # Half a word is left over, and so are words of a block.
        drawn = rng.integers(0, 2**20, 3, dtype=np.uint32), rng.normal(0, 1, 5)
        return np.concatenate([*drawn, rng.uniform(-65, 30, 6)])

    trials = [5, 0, 2**32 + 1]
    for trial, rng in zip(trials, trial_generators(2, 1, trials), strict=True):
        np.testing.assert_array_equal(some(rng), some(trial_generator(2, 1, trial)))
