import numpy as np
import pytest

from bridge.compare.statistics.spike_statistics import (
    binned_rates_hz,
    count_correlations,
    in_longer_steps,
    resampled_correlations,
    time_course_hz,
)
from bridge.spiking.firing import cv_isi, intervals_ms, rates_hz
from bridge.spiking.recording import Spikes


def trains():
    """Two trials, three neurons: regular, irregular, silent."""
    events = [(0, s, 0) for s in range(0, 100, 10)] + [(1, s, 1) for s in (3, 5, 30, 31, 90)]
    trial, step, neuron = zip(*sorted(events), strict=True)
    return Spikes.gather(trial, step, neuron, (2, 100, 3))


def test_rates_are_counts_over_time_and_silence_is_zero():
    np.testing.assert_array_equal(rates_hz(trains(), trial_s=0.1), [[100, 0, 0], [0, 50, 0]])


def test_intervals_stay_within_a_neuron_and_a_trial():
    intervals, cell = intervals_ms(trains(), dt_ms=0.5)
    np.testing.assert_array_equal(intervals, [5.0] * 9 + [1.0, 12.5, 0.5, 29.5])
    np.testing.assert_array_equal(cell, [0] * 9 + [4] * 4)


def test_the_cv_is_the_standard_deviation_over_the_mean():
    cv = cv_isi(trains(), dt_ms=0.5)
    irregular = np.diff([3, 5, 30, 31, 90])
    assert cv[0, 0] == 0
    np.testing.assert_allclose(cv[1, 1], irregular.std() / irregular.mean())
    assert np.isnan(cv[[0, 0, 1, 1], [1, 2, 0, 2]]).all()


def test_the_cv_of_a_poisson_train_is_one():
    rng = np.random.default_rng(0)
    step = np.flatnonzero(rng.random(400_000) < 0.02)
    spikes = Spikes.gather(np.zeros_like(step), step, np.zeros_like(step), (1, 400_000, 1))
    # A Bernoulli train has CV sqrt(1 - p); 8,000 intervals give it to about 1 %.
    np.testing.assert_allclose(cv_isi(spikes, 0.1)[0, 0], np.sqrt(0.98), rtol=0.04)


def poisson(seed, trials, neurons=4, steps=1000):
    rng = np.random.default_rng(seed)
    trial, step, neuron = np.nonzero(rng.random((trials, steps, neurons)) < 0.03)
    return Spikes.gather(trial, step, neuron, (trials, steps, neurons))


def test_rates_in_bins_and_over_time_are_counts_over_time():
    rates = binned_rates_hz(trains(), trial_s=0.1, bins=4, groups=500)
    # Neuron 0 fires in steps 0, 10, ... 90 of 100 in trial 0, neuron 1 five times in trial 1.
    np.testing.assert_allclose(rates[0], np.array([3, 2, 3, 2] + [0] * 8) / 0.025)
    np.testing.assert_allclose(rates[1], np.array([0] * 4 + [2, 2, 0, 1] + [0] * 4) / 0.025)
    # Two groups: neurons 0 and 1, and neuron 2.
    grouped = binned_rates_hz(trains(), trial_s=0.1, bins=1, groups=2)
    np.testing.assert_allclose(grouped, [[50, 0], [25, 0]])
    course = time_course_hz(trains(), trial_s=0.1, bins=2)
    np.testing.assert_allclose(course, [(5 + 4) / 6 / 0.05, (5 + 1) / 6 / 0.05])
    whole = binned_rates_hz(poisson(0, 3), 1.0, 10, 500).reshape(3, 4, 10).mean(axis=2)
    np.testing.assert_allclose(whole, rates_hz(poisson(0, 3), 1.0))


def test_in_longer_steps_spikes_of_one_step_are_one():
    coarse = in_longer_steps(trains(), dt_ms=0.1, step_ms=0.4)
    assert coarse.n_steps == 25
    assert coarse.step[coarse.neuron == 1].tolist() == [0, 1, 7, 22]
    # A whole number of steps stays where it is.
    assert in_longer_steps(trains(), 0.1, 0.1).codes().tolist() == trains().codes().tolist()


def test_correlations_of_trials_drawn_anew_scatter_as_those_of_new_trials():
    one = poisson(0, 60)
    drawn = resampled_correlations(one, 1.0, 50.0, 200, np.random.default_rng(1))
    fresh = [count_correlations(poisson(seed, 60), 1.0, 50.0) for seed in range(2, 60)]
    # An s.d. of 58 numbers is known to 9 %, the mean of those of six pairs to some 5 %.
    assert np.std(drawn, axis=0).mean() == pytest.approx(np.std(fresh, axis=0).mean(), rel=0.15)
    # 200 draws of an s.d. of 0.03.
    np.testing.assert_allclose(
        np.mean(drawn, axis=0), count_correlations(one, 1.0, 50.0), atol=0.01
    )
