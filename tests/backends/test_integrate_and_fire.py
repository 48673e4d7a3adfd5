"""Integrate-and-fire neurons without a leak: rates by their formula, the same in every backend."""

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

from bridge.backends import simulate
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.integrate_and_fire import IntegrateAndFire
from bridge.spiking.population import Population

QUICK = ["reference", "brian2-numpy", "snntorch", "compiled"]


def neurons_under(currents_mv, dt_ms=0.1, **fields):
    given = {"tau_mem_ms": 10.0, "v_threshold_mv": 1.0} | fields
    units = Population(
        name="units",
        size=len(currents_mv),
        neurons=IntegrateAndFire(bias_mv=currents_mv, **given),
        initial_voltage=UniformVoltage(low_mv=0.0, high_mv=0.0),
    )
    return SpikingNetwork(
        dt_ms=dt_ms, populations=[units], projections=[], sample_steps=round(100 / dt_ms)
    )


def counts(network, label="reference", samples=10):
    backend, options = EXACT_BACKENDS[label]
    drive = Drive(inputs=np.zeros((samples, 1, 0)), noise=SharedNoise(seed=0))
    recording = simulate(network, drive, backend=backend, **options)
    return np.bincount(recording.spikes.neuron, minlength=network.size)


@pytest.mark.parametrize("label", QUICK)
def test_by_subtraction_the_rate_is_the_current_by_its_formula_whatever_the_step(label):
    currents = np.array([-1.0, 0.013, 0.3, 0.77, 3.9])
    # What the step means to the constants, all are told alike.
    for dt_ms in (0.1, 0.25) if label == "reference" else (0.25,):
        network = neurons_under(currents, dt_ms, reset_by="subtraction")
        # I t / (tau threshold) spikes in one second, none lost but the one that is under way.
        expected = np.maximum(currents, 0) * 1000 / 10
        assert np.all(np.abs(counts(network, label) - expected) <= 1)


def test_a_reset_to_a_value_loses_what_lies_beyond_threshold():
    # 0.3 mV a step: at 1.2 after four steps, not after three and a third.
    network = neurons_under([30.0], reset_by="value")
    assert counts(network).tolist() == [2500]
    assert abs(counts(neurons_under([30.0], reset_by="subtraction"))[0] - 3000) <= 1


@pytest.mark.parametrize("label", QUICK)
def test_threshold_itself_fires_only_where_it_is_said(label):
    # 0.25 mV a step is exact: v meets 1 after four steps, and passes it after five.
    for fires_where, steps in (("at_threshold", 4), ("above_threshold", 5)):
        network = neurons_under([25.0], fires_where=fires_where, reset_by="value")
        assert counts(network, label, samples=1).tolist() == [1000 // steps]


def test_a_negative_current_is_remembered():
    # Nothing leaks: the same current there and back leaves nothing.
    below = neurons_under([-25.0])
    drive = Drive(inputs=np.zeros((1, 1, 0)), noise=SharedNoise(seed=0))
    recording = simulate(below, drive, voltages=True)
    assert recording.voltages_mv[0, 0, 0] == -250.0
