"""What differed first is found, located, and put down to what is wrong."""

import numpy as np
import pytest
from conftest import NETWORKS, drive_for, kim_network, quadratic_network

import bridge
from bridge.compare.explanation import by_step
from bridge.spiking.drive import FrozenNoise
from bridge.spiking.stimulation import Stimulation

EXPLAINED = {
    ("one-to-one", "refractory-1ms"): "moved on although it is refractory",
    ("one-to-one", "weights-0.98"): "the current of projection 'recurrent' is 0.98 of what it",
    ("one-to-one", "noise-0.8"): "the noise is 0.8 of what it should be",
    ("one-to-one", "delay-1step"): "the current of projection 'recurrent' is 1 step late",
    ("one-to-one", "delay-1ms"): "the current of projection 'recurrent' is 20 steps late",
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
    make, samples = NETWORKS[name]
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
    network = kim_network()
    drive = drive_for(network, 40)
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
    from dataclasses import replace

    frozen = replace(drive, noise=FrozenNoise(values_mv=values))
    fine = by_step(network, frozen, 150)
    assert fine[1].noise.values_mv.shape == (150, 2, 30)
    assert bridge.simulate(*fine).spikes.n_steps == 150
