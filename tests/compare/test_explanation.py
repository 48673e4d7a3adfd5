"""What differed first is found, located, and put down to what is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import (
    drive_for,
    kim_network,
    longer_steps_network,
    quadratic_network,
    two_channel_network,
    two_population_network,
)

import bridge
from bridge.compare.explanation import by_step
from bridge.compare.report.outcome import outcome
from bridge.spiking.drive import Drive, FrozenNoise, SharedNoise
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.stimulation import Stimulation

AT_REST = UniformVoltage(low_mv=0.0, high_mv=0.0)
# With how many samples each shows all of its faults.
RUN = {
    "one-to-one": (longer_steps_network, 12),
    "two channels": (two_channel_network, 120),
    "two populations": (two_population_network, 40),
    "quadratic": (quadratic_network, 40),
}
EXPLAINED = {
    ("one-to-one", "refractory-1ms"): "moved on although it is refractory",
    ("one-to-one", "weights-0.98"): "the current of projection 'recurrent' is 0.98 of what it",
    ("one-to-one", "noise-0.8"): "the noise is 0.8 of what it should be",
    ("one-to-one", "delay-1step"): "the current of projection 'recurrent' is 1 step late",
    ("one-to-one", "delay-1ms"): "the current of projection 'recurrent' is 4 steps late",
    ("one-to-one", "input-late"): "the current of projection 'stimulus' is 1 step late",
    ("one-to-one", "decays-averaged"): "most of which comes over projection 'recurrent'",
    ("one-to-one", "transposed"): "most of which comes over projection 'recurrent'",
    ("two channels", "refractory-1ms"): "stood still although it is not refractory",
    ("two channels", "input-late"): "the current of projection 'drive' is 1 step late",
    ("two populations", "weights-0.95"): "the current of projection 'exc_to_exc' is 0.95",
    ("two populations", "delay-1step"): "'exc_to_exc' is missing, or comes later",
    ("quadratic", "refractory-0"): "moved on although it is refractory",
    ("quadratic", "weights-0.98"): "the current of projection 'recurs' is 0.98",
    ("quadratic", "noise-0.8"): "the noise is 0.8 of what it should be",
}


@pytest.mark.parametrize(("name", "fault"), EXPLAINED)
def test_a_fault_is_explained_by_what_it_is(name, fault):
    make, samples = RUN[name]
    network = make()
    found = bridge.compare(
        network,
        backends=["reference", "reference"],
        drive=drive_for(network, samples, trials=3),
        inject=fault,
    )
    (comparison,) = found.exact
    why = comparison.explanation
    assert EXPLAINED[name, fault] in why.quantity
    assert why.quantity.startswith(f"reference with {fault}: ")
    # A voltage differs before a spike can.
    assert why.step <= comparison.first.step
    assert why.values_mv[0] == why.values_mv[2] != why.values_mv[1]


def test_the_side_that_is_wrong_is_named_whichever_it_is(monkeypatch):
    network = longer_steps_network()
    drive = drive_for(network, 20)
    load = bridge.backends.load

    def faulty(network, drive, **options):
        from bridge.compare.faults import FAULTS

        return load("reference")(*FAULTS["weights-0.95"].change(network, drive), **options)

    monkeypatch.setattr(
        bridge.backends, "load", lambda name: faulty if name == "snntorch" else load(name)
    )
    found = bridge.compare(network, backends=["snntorch", "reference"], drive=drive)
    why = found.exact[0].explanation
    assert why.quantity == (
        "snntorch: the current of projection 'recurrent' is 0.95 of what it should be."
    )


def test_what_a_rounding_decides_is_said_to_be_decided_by_rounding(monkeypatch):
    # Each step halves the way to 2 mV: threshold, 1 mV, is met exactly.
    membrane = Lif(
        membrane_step="euler", tau_mem_ms=2.0, v_rest_mv=0.0, v_threshold_mv=1.0, v_reset_mv=0.0,
        bias_mv=0.0,
    )  # fmt: skip
    network = SpikingNetwork(
        dt_ms=1.0,
        populations=[Population(name="u", size=1, neurons=membrane, initial_voltage=AT_REST)],
        projections=[
            Projection(name="in", source=INPUT, target="u", weights=[[2.0]], filter=Direct())
        ],
        input_size=1,
    )
    drive = Drive(inputs=np.ones((30, 1, 1)), noise=SharedNoise(seed=0))
    load = bridge.backends.load

    def rounded(network, drive, **options):
        (part,) = network.projections
        less = replace(part, weights=part.weights * (1 - 1e-14))
        return load("reference")(replace(network, projections=[less]), drive, **options)

    monkeypatch.setattr(
        bridge.backends, "load", lambda name: rounded if name == "snntorch" else load(name)
    )
    found = bridge.compare(network, backends=["reference", "snntorch"], drive=drive)
    assert not found.agreed
    assert "u[0] met threshold to 0 mV: rounding decided" in found.exact[0].explanation.quantity
    assert any("is not certified" in line for line in outcome(found).evidence)


def test_sampled_in_every_step_a_run_is_the_same_run():
    network = quadratic_network()
    kick = Stimulation(start_step=3, stop_step=40, neurons=[1, 16], amplitude_mv=2.0)
    drive = drive_for(network, 30, stimulation=(kick,))
    whole = bridge.simulate(network, drive, voltages=True)
    fine = bridge.simulate(*by_step(network, drive, 300), voltages=True)
    np.testing.assert_array_equal(fine.spikes.codes(), whole.spikes.codes())
    np.testing.assert_array_equal(fine.voltages_mv[9::10], whole.voltages_mv)


def test_frozen_noise_is_cut_to_the_steps_that_are_run():
    network = kim_network()
    values = np.random.default_rng(0).normal(0, 0.1, (400, 2, 30))
    drive = drive_for(network, 4, v_initial_mv=np.full((2, 30), -50.0))
    frozen = replace(drive, noise=FrozenNoise(values_mv=values))
    fine = by_step(network, frozen, 150)
    assert fine[1].noise.values_mv.shape == (150, 2, 30)
    assert bridge.simulate(*fine).spikes.n_steps == 150
