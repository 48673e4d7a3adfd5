"""Our statistics, defined once, beside those of Elephant."""

import elephant.statistics
import numpy as np
import pytest
import quantities as pq
from conftest import drive_for, kim_network
from elephant.conversion import BinnedSpikeTrain
from elephant.spike_train_correlation import correlation_coefficient

import bridge
from bridge.compare.statistics.spike_statistics import count_correlations, fano_factors, lv
from bridge.exchange.spike_objects import to_neo
from bridge.spiking.firing import cv_isi, rates_hz
from bridge.spiking.recording import Spikes

# Elephant 1.2 calls quantities in a way that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:The 'copy' argument in Quantity")


@pytest.fixture(scope="module")
def recording():
    network = kim_network()
    return bridge.simulate(network, drive_for(network, 60, trials=4))


@pytest.fixture(scope="module")
def trains(recording):
    return [segment.spiketrains for segment in to_neo(recording).segments]


def of_each(trains, measure):
    return np.array([[float(measure(train)) for train in units] for units in trains])


def test_rates_are_elephant_s(recording, trains):
    expected = of_each(
        trains, lambda train: elephant.statistics.mean_firing_rate(train).rescale(pq.Hz)
    )
    np.testing.assert_allclose(rates_hz(recording.spikes, recording.trial_s), expected)


def test_interval_statistics_are_elephant_s(recording, trains):
    def of_intervals(measure, least):
        def of(train):
            intervals = elephant.statistics.isi(train)
            return measure(intervals.magnitude) if intervals.size >= least else np.nan

        return of

    found = cv_isi(recording.spikes, recording.dt_ms)
    # Elephant divides by n, and ours wants three intervals.
    expected = of_each(trains, of_intervals(elephant.statistics.cv, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert np.isfinite(found).any()
    found = lv(recording.spikes, recording.dt_ms)
    expected = of_each(trains, of_intervals(elephant.statistics.lv, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isfinite(found).any()


def test_fano_factors_are_elephant_s(recording, trains):
    expected = [
        elephant.statistics.fanofactor([units[neuron] for units in trains])
        for neuron in range(recording.spikes.n_neurons)
    ]
    np.testing.assert_allclose(fano_factors(recording.spikes), expected, rtol=1e-12)


def test_correlations_are_those_of_numpy_s_binned_counts(recording, trains):
    bins = np.arange(0, 300 + 1e-9, 20.0)
    counts = [
        np.concatenate([np.histogram(units[neuron].magnitude, bins)[0] for units in trains])
        for neuron in range(recording.spikes.n_neurons)
    ]
    varied = [count for count in counts if np.std(count) > 0]
    expected = np.corrcoef(varied)[np.triu_indices(len(varied), k=1)]
    found = count_correlations(recording.spikes, recording.dt_ms, 20.0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_correlations_are_elephant_s(recording, trains):
    # Elephant bins one stretch of time, so of the first trial.
    spikes = recording.spikes
    mine = np.flatnonzero(spikes.trial == 0)
    first = Spikes.gather(
        spikes.trial[mine], spikes.step[mine], spikes.neuron[mine],
        (1, spikes.n_steps, spikes.n_neurons),
    )  # fmt: skip
    fired = [train for train in trains[0] if len(train)]
    binned = BinnedSpikeTrain(fired, bin_size=20.0 * pq.ms, tolerance=None)
    expected = correlation_coefficient(binned, binary=False)
    found = count_correlations(first, recording.dt_ms, 20.0)
    np.testing.assert_allclose(found, expected[np.triu_indices(len(fired), k=1)], atol=1e-9)
