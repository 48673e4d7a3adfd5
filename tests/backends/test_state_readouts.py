"""Readouts that are states of populations, as each simulator shows them."""

from dataclasses import replace

import numpy as np
import pytest
from all_forms import all_forms_drive, all_forms_network
from conftest import EXACT_BACKENDS, drive_for, go_nogo_network, kim_network

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.spiking.computed_readouts import with_computed_readouts
from bridge.spiking.drive import Drive, OwnNoise, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork, StateReadout
from bridge.spiking.neurons import Lif
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

QUICK = ["reference", "brian2-numpy", "snntorch", "compiled"]
ZERO = UniformVoltage(low_mv=0.0, high_mv=0.0)


def run(label, network, drive, **options):
    backend, extra = EXACT_BACKENDS[label]
    return simulate(network, drive, backend=backend, **extra, **options)


def units(name, neurons, size):
    return Population(name=name, size=size, neurons=neurons, initial_voltage=ZERO)


def shown(target, weights):
    return Projection(name=target, source=INPUT, target=target, weights=weights, filter=Direct())


def leaky_integrators():
    """They are LIF neurons whose threshold nothing reaches."""
    never = {"v_threshold_mv": 1e9, "v_reset_mv": 0.0, "v_rest_mv": 0.0}
    return Lif(membrane_step="exact", tau_mem_ms=[5.0, 20.0], bias_mv=0.25, **never)


def read_network():
    """Leaky integrators and linear units that an input drives, and cells that nothing does."""
    return SpikingNetwork(
        dt_ms=1.0,
        populations=[
            units("leaky", leaky_integrators(), 2),
            units("sums", Linear(bias=[0.5, 0.0, -1.0]), 3),
            units("cells", Src(bias=-4.0), 2),
            units("alone", Linear(bias=[1.5, -2.0]), 2),
        ],
        projections=[
            shown("leaky", [[1.0, 0.5], [0.0, -2.0]]),
            shown("sums", [[1.0, 0.0], [0.25, 1.0], [-3.0, 0.5]]),
        ],
        readouts=[
            StateReadout(name="z", source="leaky"),
            StateReadout(name="slow", source="cells", state="h_s"),
            StateReadout(name="sum", source="sums"),
            StateReadout(name="constant", source="alone"),
        ],
        input_size=2,
        sample_steps=4,
    )


def expected_of(network, inputs):
    """(T, B, n) of every readout, in plain loops; the cells from their equations."""
    leaky, sums = (np.asarray(part.weights) for part in network.projections)
    left = np.exp(-1.0 / np.array([5.0, 20.0]))
    samples, trials, _ = inputs.shape
    h, h_s = np.zeros(2), np.zeros(2)
    v = np.zeros((trials, 2))
    found = {name: [] for name in ("z", "slow", "sum", "constant")}
    for sample in range(samples):
        current = 0.25 + inputs[sample] @ leaky.T
        for _ in range(4):
            v = current + (v - current) * left
            z_s = np.where(h > 0.5, 0.0, 0.9)
            h, h_s = np.tanh(2 * h - 7 * h_s - 4.0), z_s * h_s + (1 - z_s) * h
        found["z"].append(v)
        found["slow"].append(np.tile(h_s, (trials, 1)))
        found["sum"].append(np.array([0.5, 0.0, -1.0]) + inputs[sample] @ sums.T)
        found["constant"].append(np.tile([1.5, -2.0], (trials, 1)))
    return {name: np.array(rows) for name, rows in found.items()}


@pytest.mark.parametrize("label", QUICK)
def test_a_state_readout_is_the_state_at_the_end_of_each_sample(label):
    network = read_network()
    drive = drive_for(network, 10, trials=3)
    got = run(label, network, drive, margins=label != "snntorch")
    assert list(got.readouts) == ["z", "slow", "sum", "constant"]
    for name, values in expected_of(network, drive.inputs).items():
        assert got.readouts[name].shape == values.shape
        # The library's exp and tanh are some last places from ours.
        np.testing.assert_allclose(got.readouts[name], values, rtol=1e-12, atol=1e-14)
    assert got.voltages_mv is None


def test_it_is_what_is_recorded_as_the_voltage_and_takes_the_reset():
    network = go_nogo_network(size=16)
    read = replace(network, readouts=[StateReadout(name="v", source="units"), *network.readouts])
    drive = drive_for(network, 20)
    for label in QUICK:
        plain = run(label, network, drive, voltages=True)
        got = run(label, read, drive)
        assert (got.spikes.count > 50, got.voltages_mv) == (True, None)
        np.testing.assert_array_equal(got.readouts["v"], plain.voltages_mv)
        np.testing.assert_array_equal(got.readouts["output"], plain.readouts["output"])


# Both take minutes to compile; their statements are those of the numpy target, which always runs.
@pytest.mark.full
@pytest.mark.parametrize("label", ["brian2-cython", "brian2-standalone"])
def test_compiled_programs_show_the_same_states_and_compute_the_same_readouts(label):
    network = with_computed_readouts(kim_network(size=8))
    read = StateReadout(name="v", source="units")
    network = replace(network, readouts=[read, *network.readouts])
    drive = drive_for(network, 20, trials=3)
    expected, got = simulate(network, drive), run(label, network, drive)
    assert (list(got.readouts), expected.spikes.count > 20) == (["v", "output"], True)
    for name, values in expected.readouts.items():
        np.testing.assert_array_equal(got.readouts[name], values)


def test_trials_in_several_processes_and_in_float32_show_them_too():
    network = all_forms_network()
    drive = all_forms_drive(network, samples=6)
    whole = simulate(network, drive, backend="snntorch")
    parts = simulate(network, drive, backend="snntorch", workers=3)
    np.testing.assert_array_equal(parts.readouts["state"], whole.readouts["state"])
    single = simulate(network, drive, backend="snntorch", dtype="float32", dense=False)
    first = [each.readouts["state"][0] for each in (single, whole)]
    assert single.readouts["state"].dtype == np.float64
    # The first sample, before any spike is moved: float32 rounds to 6e-8 in each of its steps, and
    # what cancels is a thousand times smaller than what it is made of.
    np.testing.assert_allclose(*first, rtol=1e-3)


def two(**fields):
    network = read_network()
    return replace(network, readouts=[StateReadout(**{"name": "z", "source": "leaky"} | fields)])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: two(source="nobody"), "no population 'nobody'; this network has leaky"),
        (lambda: two(source="cells", state="v"), "cells has no state 'v'; SRC has i, h, h_s"),
        (lambda: two(state=3), "readout z: state: expected text on one line, got 3"),
        (lambda: two(name="a b"), "readouts: 'a b' is not a usable name"),
        (
            lambda: replace(
                read_network(),
                readouts=[
                    Readout(
                        name="z",
                        channels=[
                            Channel(
                                source="sums",
                                weights=np.ones((1, 3)),
                                filter=DoubleExponential(tau_rise_ms=1, tau_decay_ms=5),
                            )
                        ],
                    )
                ],
            ),
            "population sums passes on no spikes; read it by a StateReadout",
        ),
    ],
)
def test_a_state_that_cannot_be_read_is_refused(make, reason):
    with pytest.raises(SpecError, match=reason):
        make()


def test_nest_shows_no_states():
    network = kim_network(size=4)
    read = replace(network, readouts=[StateReadout(name="v", source="units")])
    drive = Drive(inputs=np.zeros((2, 1, 2)), noise=OwnNoise(seed=0))
    with pytest.raises(SpecError, match="readout v: NEST shows no states"):
        simulate(read, drive, backend="nest")


@pytest.mark.parametrize("label", QUICK[1:])
def test_noise_of_units_that_nothing_drives_is_not_added_up(label):
    network = read_network()
    *others, alone = network.populations
    noisy = replace(network, populations=[*others, replace(alone, noise_mv=0.5)])
    drive = drive_for(noisy, 10)
    expected, got = simulate(noisy, drive), run(label, noisy, drive)
    np.testing.assert_array_equal(got.readouts["constant"], expected.readouts["constant"])
    assert 0.3 < (expected.readouts["constant"] - [1.5, -2.0]).std() < 0.7


def test_nobody_without_a_threshold_is_near_one():
    network = read_network()
    only = replace(
        network, populations=network.populations[1:2], projections=network.projections[1:],
        readouts=(),
    )  # fmt: skip
    for label in QUICK:
        assert run(label, only, drive_for(only, 3), margins=True).margins_mv is None


def test_linear_units_hand_on_what_they_sum():
    network = read_network()
    second = units("second", Linear(), 1)
    last = Projection(
        name="second", source="sums", target="second", weights=[[1.0, 10.0, 100.0]],
        filter=Direct(), within_step=True,
    )  # fmt: skip
    network = replace(
        network,
        populations=[*network.populations, second],
        projections=[*network.projections, last],
        readouts=[StateReadout(name="sum", source="sums"), StateReadout(name="z", source="second")],
    )
    drive = Drive(inputs=np.random.default_rng(0).normal(size=(6, 2, 2)), noise=SharedNoise(seed=0))
    for label in QUICK:
        found = run(label, network, drive).readouts
        expected = found["sum"] @ [1.0, 10.0, 100.0]
        # NumPy's product of matrices sums three numbers in another order.
        np.testing.assert_allclose(found["z"][..., 0], expected, rtol=1e-13)
