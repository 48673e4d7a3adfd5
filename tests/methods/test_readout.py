import dataclasses
import functools

import numpy as np
import pytest
from conftest import drive_for, two_population_network

import bridge
from bridge.errors import SpecError
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.readout import PENALTIES, filtered_spikes, refit_readout, ridge
from bridge.methods.scoring import REFIT, task_drive
from bridge.rate.network import RateNetwork
from bridge.spiking.filters import Exponential
from bridge.spiking.network import Channel, Readout
from bridge.tasks import go_nogo


@pytest.fixture(autouse=True)
def _held_stimulus(monkeypatch):
    """Go-NoGo of 120 ms whose stimulus lasts: neurons without connections can answer it."""

    short = functools.partial(
        go_nogo.GoNoGo, steps=24, stimulus_start=5, stimulus_stop=6, spiking_window_start=14
    )

    class Held:
        def __init__(self, **options):
            self.task = short(**options)

        def __getattr__(self, name):
            return getattr(self.task, name)

        def trials(self, count, rng):
            trials = self.task.trials(count, rng)
            trials.inputs[5:, trials.labels == 1] = 1.0
            return trials

    monkeypatch.setattr(go_nogo, "GoNoGo", Held)


def deaf_network():
    """Driven neurons, and output weights that are zero: no Go trial is answered."""
    rng = np.random.default_rng(2)
    rate = RateNetwork(
        recurrent=np.zeros((20, 20)), w_in=rng.normal(0, 10, (20, 1)), w_out=np.zeros((1, 20)),
        b_out=[0.0], tau_ms=rng.uniform(20, 30, 20), task="go-nogo",
    )  # fmt: skip
    return map_one_to_one(rate, 30.0)


@pytest.mark.parametrize("penalty", [1e-6, 0.3, 30.0])
def test_ridge_solves_the_augmented_least_squares_problem(penalty):
    rng = np.random.default_rng(1)
    x, z = rng.normal(3, [1, 2, 5, 0.1], (50, 4)), rng.normal(0, 1, (50, 2))
    (weights,), (bias,) = ridge(x, z, np.array([penalty]))
    # One row more for each weight asks it to be zero; the bias, the last column, is free.
    root = np.sqrt(penalty * x.var(axis=0).mean() * len(x))
    rows = np.block([[x, np.ones((50, 1))], [root * np.eye(4), np.zeros((4, 1))]])
    expected, *_ = np.linalg.lstsq(rows, np.vstack([z, np.zeros((4, 2))]), rcond=None)
    np.testing.assert_allclose(weights, expected[:4].T, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(bias, expected[4], rtol=1e-8)


def test_silent_neurons_get_no_weight():
    weights, bias = ridge(np.zeros((9, 3)), np.full((9, 1), 0.4), np.array([0.1]))
    np.testing.assert_array_equal(weights, np.zeros((1, 1, 3)))
    np.testing.assert_allclose(bias, [[0.4]])


def test_a_refitted_readout_answers_and_nothing_else_changes():
    network = deaf_network()
    changed = refit_readout(network, trials=20, seed=3, backend="compiled")
    before, after = (
        bridge.score(each, trials=20, seed=3, backend="compiled") for each in (network, changed)
    )
    assert (before.accuracy, after.accuracy) == (0.5, 1.0)
    assert changed.projections == network.projections
    assert changed.populations == network.populations
    assert changed.readouts[0].channels[0].filter.tau_decay_ms.tobytes() == (
        network.readouts[0].channels[0].filter.tau_decay_ms.tobytes()
    )
    assert changed.provenance["readout_penalty"] in PENALTIES
    assert changed.provenance["inverse_scale"] == 30.0


def test_the_weights_are_the_ridge_regression_on_all_trials_at_the_chosen_penalty():
    network = deaf_network()
    changed = refit_readout(network, trials=10, seed=5, backend="compiled")
    made, drive = task_drive(network, 10, 5, REFIT)
    spikes = bridge.simulate(network, drive).spikes
    traces = filtered_spikes(network, network.readouts[0], spikes)
    penalty = np.array([changed.provenance["readout_penalty"]])
    weights, bias = ridge(traces.reshape(-1, 20), made.targets.reshape(-1, 1), penalty)
    channel = changed.readouts[0].channels[0]
    np.testing.assert_allclose(channel.weights, weights[0], rtol=1e-9)
    np.testing.assert_allclose(changed.readouts[0].bias, bias[0], rtol=1e-9)


def test_filtered_spikes_weighed_by_a_readout_are_its_output():
    network = two_population_network()
    recording = bridge.simulate(network, drive_for(network, 30))
    readout = network.readouts[0]
    traces = filtered_spikes(network, readout, recording.spikes)
    assert traces.shape == (30, 2, 32)
    weights = np.hstack([channel.weights for channel in readout.channels])
    # Summed in another order: rounding.
    np.testing.assert_allclose(traces @ weights.T, recording.readouts["both"], rtol=1e-9)


def test_what_cannot_be_refitted_is_refused():
    network = deaf_network()
    with pytest.raises(SpecError, match="refit the readout: expected a whole number of at least 5"):
        refit_readout(network, trials=4)
    with pytest.raises(SpecError, match="one readout can be refitted, this network has 0"):
        refit_readout(dataclasses.replace(network, readouts=()))
    filter_ = Exponential(tau_ms=20, normalisation="area")
    wide = Channel(source="units", weights=np.ones((2, 20)), filter=filter_)
    two = dataclasses.replace(network, readouts=(Readout(name="two", channels=(wide,)),))
    with pytest.raises(SpecError, match="has 1 input and 1 output, this network has 1 and 2"):
        refit_readout(two)
    with pytest.raises(SpecError, match="names no task"):
        refit_readout(dataclasses.replace(network, task=""))
