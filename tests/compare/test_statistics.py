import numpy as np

from bridge.compare.statistics import cv_isi, intervals_ms, rates_hz
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
