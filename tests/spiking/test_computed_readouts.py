"""Readouts computed inside a simulator are what decoding makes of its spikes."""

from dataclasses import replace

import numpy as np
import pytest
from all_forms import all_forms_drive, all_forms_network
from conftest import EXACT_BACKENDS, NETWORKS, drive_for, kim_network

from bridge.backends import simulate
from bridge.exchange.store import format_version, load, save
from bridge.spiking.computed_readouts import with_computed_readouts, with_computed_units
from bridge.spiking.decoding import decode
from bridge.spiking.drive import FrozenNoise, NoiseStream
from bridge.spiking.network import StateReadout

QUICK = ("reference", "compiled")
# What a simulator makes of each form is asked where all of them are in one network.
ALL = ("reference", "brian2-numpy", "snntorch", "compiled")


def run(label, network, drive):
    backend, extra = EXACT_BACKENDS[label]
    return simulate(network, drive, backend=backend, **extra)


def decoded(network, recording, drive):
    """What decoding makes of the spikes, and what rounding may move it by.

    Each of the N products is rounded once and so is each sum, in another order; and a trace that
    decays step by step has been rounded three times in each of K steps. All of it is relative to
    the sum of the absolute values.
    """
    spikes, gain = recording.spikes, drive.recurrent_gain
    spikes = replace(spikes, n_neurons=network.size)
    absolute = [
        replace(
            readout,
            bias=np.abs(readout.bias),
            channels=[replace(part, weights=np.abs(part.weights)) for part in readout.channels],
        )
        for readout in network.decoded
    ]
    sizes = decode(replace(network, readouts=absolute), spikes, gain)
    roundings = (2 * network.size + 3 * spikes.n_steps) * np.finfo(float).eps
    bounds = {name: roundings * values for name, values in sizes.items()}
    return decode(network, spikes, gain), bounds


CASES = {
    name: (make, lambda net: drive_for(net, 20, trials=3)) for name, (make, _) in NETWORKS.items()
}
CASES["a gain for each trial"] = (
    kim_network,
    lambda net: drive_for(net, 20, trials=3, recurrent_gain=[1.0, 0.5, 2.0]),
)
CASES["all forms"] = (all_forms_network, all_forms_drive)


@pytest.mark.parametrize("name", CASES)
def test_every_backend_computes_what_is_decoded(name):
    make, driven = CASES[name]
    network = make()
    drive = driven(network)
    computed = with_computed_readouts(network)
    assert not computed.decoded
    expected = None
    for label in ALL if name == "all forms" else QUICK:
        got = run(label, computed, drive)
        assert got.spikes.count > 20
        truth, bounds = decoded(network, got, drive)
        for readout, values in truth.items():
            assert np.ptp(values) > 1e3 * bounds[readout].max()
            assert np.all(np.abs(got.readouts[readout] - values) <= bounds[readout])
        # And they are the same bits everywhere.
        expected = expected or got
        for readout, values in expected.readouts.items():
            np.testing.assert_array_equal(got.readouts[readout], values)


@pytest.mark.parametrize("name", NETWORKS)
def test_spikes_stay_what_they_are(name):
    make, samples = NETWORKS[name]
    network = make()
    drive = drive_for(network, samples // 4)
    plain, computed = (simulate(net, drive) for net in (network, with_computed_readouts(network)))
    for part in ("trial", "step", "neuron"):
        np.testing.assert_array_equal(getattr(plain.spikes, part), getattr(computed.spikes, part))


def test_noise_and_voltages_that_are_given_are_so_without_the_units():
    network = kim_network(size=6)
    drive = drive_for(network, 10)
    noise = NoiseStream(network, drive).take(drive.n_steps(network))
    given = replace(
        drive, noise=FrozenNoise(values_mv=noise), v_initial_mv=drive.initial_voltages_mv(network)
    )
    computed = with_computed_readouts(network)
    expected = simulate(computed, drive)
    got = simulate(computed, with_computed_units(given, computed))
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(got.readouts["output"], expected.readouts["output"])


def test_names_that_are_taken_are_left_to_who_has_them():
    network = kim_network(size=6)
    (readout,) = network.readouts
    (units,) = network.populations
    recurrent, stimulus = network.projections
    taken = replace(
        network,
        readouts=[replace(readout, name="units"), StateReadout(name="v", source="units")],
        projections=[replace(recurrent, name="units__from_units"), stimulus],
    )
    computed = with_computed_readouts(taken)
    assert [part.name for part in computed.populations] == ["units", "units_"]
    assert [part.name for part in computed.readouts] == ["units", "v"]
    assert computed.projections[-1].name == "units__from_units_"
    assert computed.populations[0] is units


def test_such_a_network_is_kept_in_files_of_version_5(tmp_path):
    network = kim_network(size=6)
    computed = with_computed_readouts(network)
    state = StateReadout(name="v", source="units", state="v")
    computed = replace(computed, readouts=[*computed.readouts, state])
    assert (format_version(network), format_version(computed)) == (1, 5)
    back = load(save(computed, tmp_path / "network.h5"))
    assert [vars(part) for part in back.readouts] == [vars(part) for part in computed.readouts]
    drive = drive_for(network, 4)
    expected, got = simulate(computed, drive), simulate(back, drive)
    np.testing.assert_array_equal(got.readouts["output"], expected.readouts["output"])
    np.testing.assert_array_equal(got.readouts["v"], expected.readouts["v"])
