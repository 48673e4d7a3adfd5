"""Poisson and regular trains on the inputs of a network, as counts in each sample."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import go_nogo_network, kim_network

import bridge
from bridge.errors import SpecError
from bridge.methods.scoring import task_drive


def test_poisson_counts_have_the_mean_and_the_variance_of_their_rate():
    # 80,000 counts of mean 0.2: the mean of a Poisson variable has s.e. sqrt(mean / n), and its
    # sample variance sqrt((mean + 2 mean^2) / n).
    drive = bridge.poisson_drive(kim_network(), 40.0, seconds=10.0, trials=20, seed=3)
    assert drive.inputs.shape == (2000, 20, 2)
    mean, n = 40.0 * 0.005, drive.inputs.size
    assert abs(drive.inputs.mean() - mean) < 3 * np.sqrt(mean / n)
    assert abs(drive.inputs.var() - mean) < 3 * np.sqrt((mean + 2 * mean**2) / n)


def test_poisson_trains_of_channels_and_trials_are_independent():
    inputs = bridge.poisson_drive(kim_network(), 40.0, seconds=10.0, trials=2, seed=3).inputs
    correlations = np.corrcoef(inputs.reshape(len(inputs), -1).T)
    apart = correlations[~np.eye(4, dtype=bool)]
    # The s.e. of a correlation of n independent pairs is 1 / sqrt(n).
    assert np.abs(apart).max() < 4 / np.sqrt(len(inputs))


def test_a_trial_is_the_same_however_many_run_beside_it():
    few, many = (
        bridge.poisson_drive(kim_network(), 40.0, seconds=1.0, trials=trials, seed=3)
        for trials in (2, 5)
    )
    np.testing.assert_array_equal(few.inputs, many.inputs[:, :2])
    other = bridge.poisson_drive(kim_network(), 40.0, seconds=1.0, trials=2, seed=4)
    assert not np.array_equal(few.inputs, other.inputs)


@pytest.mark.parametrize("rate_hz", [0.0, 3.0, 30.0, 60.0, 200.0, 700.0, 1 / 3])
def test_a_regular_train_fires_at_whole_multiples_of_its_interval(rate_hz):
    # Samples of 5 ms: spike k, at k / rate, is in sample k * 200 / rate, rounded down, in whole
    # numbers where the rate is one.
    inputs = bridge.regular_drive(kim_network(), rate_hz, seconds=6.0, trials=2).inputs
    expected = np.zeros(1200)
    count = 0
    while rate_hz and (place := int(round(count * 200 / rate_hz, 9))) < 1200:
        expected[place] += 1
        count += 1
    for trial, channel in np.ndindex(2, 2):
        np.testing.assert_array_equal(inputs[:, trial, channel], expected)


def test_a_spike_on_the_edge_of_a_sample_is_the_first_of_it():
    # 1000 Hz in samples of 0.3 ms, the tenth of which ends at 3 ms but for the last digit.
    network = replace(kim_network(), dt_ms=0.1, sample_steps=3)
    inputs = bridge.regular_drive(network, 1000.0, seconds=0.3, trials=1).inputs[:, 0, 0]
    expected = np.zeros(1000)
    expected[np.arange(300) * 10 // 3] = 1
    np.testing.assert_array_equal(inputs, expected)


def test_one_seed_gives_the_noise_that_trials_of_a_task_have():
    network = go_nogo_network()
    expected = task_drive(network, 1, 7)[1].noise
    for make in (bridge.poisson_drive, bridge.regular_drive):
        drive = make(network, 10.0, seconds=0.1, trials=1, seed=7)
        assert (drive.noise, drive.seed) == (expected, 7)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rate_hz": -1.0}, "rate_hz: must lie in 0 to 1e"),
        ({"rate_hz": np.nan}, "rate_hz: expected a finite number"),
        ({"rate_hz": 1e9}, "rate_hz: must lie in 0 to 1e"),
        ({"seconds": 0.0}, "0 s is not a whole number of samples of 5 ms"),
        ({"seconds": 0.0123}, "0.0123 s is not a whole number of samples of 5 ms"),
        ({"seconds": 1e300}, "too long; it can have 1,000,000,000 steps"),
        ({"seconds": 1e4, "trials": 1000}, "too many; at most 200,000,000 values"),
        ({"trials": 0}, "trials: expected a whole number of at least 1"),
        ({"seed": -1}, "seed: expected a whole number"),
        ({"network": "net.h5"}, "network: expected a SpikingNetwork"),
    ],
)
@pytest.mark.parametrize("make", [bridge.poisson_drive, bridge.regular_drive])
def test_trains_that_make_no_sense_are_refused_in_a_sentence(make, given, said):
    call = {"network": kim_network(), "rate_hz": 10.0, "seconds": 1.0, "trials": 1} | given
    with pytest.raises(SpecError, match=said):
        make(**call)
