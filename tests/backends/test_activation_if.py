"""Integrate-and-fire neurons with an activation: their rates by formula, alike in every backend."""

import numpy as np
import pytest
from conftest import EXACT_BACKENDS, drive_for

import bridge
from bridge.backends import simulate
from bridge.errors import FormatError, SpecError
from bridge.exchange.hdf5 import read_tree, write_tree
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.activation_if import ActivationIf
from bridge.spiking.population import Population

QUICK = ["reference", "brian2-numpy", "snntorch", "compiled"]
CURRENTS = np.array([-800.0, -3.0, -0.4, 0.0, 0.3, 1.7, 2.6, 800.0])
# By the functions of NumPy, not by the exact ones.
ACTIVATIONS = {
    "sigmoid": lambda c: 1 / (1 + np.exp(-np.clip(c, -700, None))),
    "softplus": lambda c: np.minimum(np.logaddexp(0, c), 4.0),
    "relu": lambda c: np.clip(c, 0, 4.0),
}


def neurons_under(currents, activation="relu", gain_hz=100.0, dt_ms=0.5, **fields):
    if activation != "sigmoid":
        fields = {"highest_rate": 4.0} | fields
    units = Population(
        name="units",
        size=len(currents),
        neurons=ActivationIf(activation=activation, gain_hz=gain_hz, bias=currents, **fields),
        initial_voltage=UniformVoltage(low_mv=0.0, high_mv=1.0),
    )
    return SpikingNetwork(
        dt_ms=dt_ms, populations=[units], projections=[], sample_steps=round(100 / dt_ms)
    )


def run(network, label="reference", samples=10):
    backend, options = EXACT_BACKENDS[label]
    drive = Drive(
        inputs=np.zeros((samples, 2, 0)), noise=SharedNoise(seed=0), v_initial_mv=start(network)
    )
    return simulate(network, drive, backend=backend, voltages=True, **options)


def start(network):
    return np.random.default_rng(3).random((2, network.size))


def counts(recording):
    """(B, N) spikes."""
    spikes = recording.spikes
    cells = spikes.trial.astype(int) * spikes.n_neurons + spikes.neuron
    return np.bincount(cells, minlength=2 * spikes.n_neurons).reshape(2, -1)


@pytest.mark.parametrize("label", QUICK)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_rate_is_the_gain_times_the_activation_to_one_spike(label, activation):
    # At most 0.8 of a spike a step. What the step means to the constants, all are told alike.
    for dt_ms in (0.5, 0.25) if label == "reference" else (0.5,):
        network = neurons_under(CURRENTS, activation, gain_hz=400.0, dt_ms=dt_ms)
        recording = run(network, label, samples=1)
        expected = 400.0 * ACTIVATIONS[activation](CURRENTS) * recording.trial_s
        assert np.all(np.abs(counts(recording) - expected) <= 1)


@pytest.mark.parametrize("waits", [0, 20])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_in_single_precision_the_rate_is_the_same(activation, waits):
    network = neurons_under(CURRENTS, activation, 400.0, initial_refractory_steps=waits)
    drive = Drive(inputs=np.zeros((3, 2, 0)), noise=SharedNoise(seed=0))
    recording = simulate(network, drive, backend="snntorch", dtype="float32")
    expected = 400.0 * ACTIVATIONS[activation](CURRENTS) * (recording.trial_s - waits * 0.5e-3)
    assert np.all(np.abs(counts(recording) - expected) <= 1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_spike_is_lost_and_the_voltage_stays_within_0_and_1(activation):
    network = neurons_under(CURRENTS, activation)
    recording = run(network)
    summed = 100.0 * ACTIVATIONS[activation](CURRENTS) * recording.trial_s
    left = start(network) + summed - counts(recording)
    # Sums of up to 200 over 2,000 steps, each rounded to 3e-14 at most.
    np.testing.assert_allclose(recording.voltages_mv[-1], left, rtol=0, atol=2e-11)
    assert recording.voltages_mv.min() >= 0
    assert recording.voltages_mv.max() < 1


def test_what_a_neuron_owes_beyond_one_spike_a_step_is_kept():
    # 1.6 spikes a step for as long as it lasts: one is fired, 0.6 stay.
    recording = run(neurons_under([800.0], gain_hz=800.0))
    assert counts(recording).tolist() == [[2000], [2000]]
    owed = start(neurons_under([0.0]))[:, 0] + 1200.0
    # 2,000 sums of up to 1,200, each rounded to 2e-13 at most.
    np.testing.assert_allclose(recording.voltages_mv[-1, :, 0], owed, rtol=0, atol=1e-10)


def test_each_neuron_has_its_gain_and_without_a_clip_there_is_none():
    network = neurons_under([50.0, 50.0], gain_hz=[10.0, 20.0], highest_rate=np.inf)
    assert np.all(np.abs(counts(run(network)) - [500, 1000]) <= 1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"gain_hz": 0.0}, "gain_hz: must be positive, got 0"),
        ({"gain_hz": np.inf}, "gain_hz: holds NaN or infinite values"),
        ({"highest_rate": -1.0}, "highest_rate: must be positive"),
        ({"activation": "tanh"}, "activation: 'sigmoid' or 'softplus' or 'relu', got 'tanh'"),
        ({"activation": "sigmoid", "highest_rate": 2.0}, "highest_rate: a sigmoid ends at 1"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, said):
    with pytest.raises(SpecError, match=said):
        neurons_under([1.0], **fields)


def test_nest_has_no_such_neuron():
    network = neurons_under([1.0])
    with pytest.raises(SpecError, match="NEST has no IF with activation neuron in steps of the"):
        simulate(network, drive_for(network, 2), backend="nest")


def test_a_file_keeps_the_clip_only_where_there_is_one(tmp_path):
    for number, highest in enumerate((4.0, np.inf)):
        network = neurons_under(CURRENTS, "softplus", highest_rate=highest)
        file = bridge.save(network, tmp_path / f"{number}.h5")
        held = read_tree(file)["populations"]["000"]
        assert (held["model"], held["activation"]) == ("activation_if", "softplus")
        assert ("highest_rate" in held) == np.isfinite(highest)
        assert read_tree(file)["format_version"] == 5
        back = bridge.load(file)
        again, before = (run(one, samples=2).voltages_mv for one in (back, network))
        np.testing.assert_array_equal(again, before)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("gain_hz", np.zeros(8), "gain_hz: must be positive"),
        ("gain_hz", np.ones(7), r"gain_hz: expected a number for each neuron, got shape \(7,\)"),
        ("highest_rate", np.full(8, np.nan), "highest_rate: holds NaN"),
        ("activation", "tanh", "activation: 'sigmoid' or 'softplus' or 'relu', got 'tanh'"),
        ("bias", None, "missing or misplaced parts"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(name, value, said, tmp_path):
    file = bridge.save(neurons_under(CURRENTS, "softplus"), tmp_path / "network.h5")
    tree = read_tree(file)
    held = tree["populations"]["000"]
    held.pop(name)
    if value is not None:
        held[name] = value
    write_tree(file, tree, overwrite=True)
    with pytest.raises(FormatError, match=said):
        bridge.load(file)
