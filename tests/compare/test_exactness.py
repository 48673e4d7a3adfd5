"""The exact level in parts: the same as in one piece."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import drive_for, longer_steps_network, two_population_network

from bridge.compare import exactness
from bridge.compare.exactness import compare_exactly, run_exactly
from bridge.compare.faults import find_fault
from bridge.compare.sides import Side

CLEAN = (Side("reference", "reference"), Side("compiled", "compiled"))


def quiet(_what, _fraction):
    pass


def test_trials_compared_some_at_a_time_are_compared_as_in_one_piece(monkeypatch):
    network = two_population_network()
    drive = drive_for(network, 40, trials=7, seed=6)
    faulty = replace(CLEAN[0], label="faulty", fault=find_fault("delay-1step"))
    sides = (CLEAN[0], faulty)
    (whole,), recordings, _ = run_exactly(network, drive, sides, quiet)
    # Room for the voltages of two trials.
    monkeypatch.setattr(exactness, "_VOLTAGE_BYTES", 2 * 8 * 40 * 32)
    (parts,), others, seconds = run_exactly(network, drive, sides, quiet)
    # How a sum of floats is rounded may depend on how many trials are decoded at once.
    assert parts.readout_difference == pytest.approx(whole.readout_difference, rel=1e-12)
    assert replace(parts, readout_difference=0, largest_output=0) == replace(
        whole, readout_difference=0, largest_output=0
    )
    assert whole.differing > 0
    # Not in the first part: its number in a part is not that of the trial.
    assert whole.first.trial > 1
    for label in ("reference", "faulty"):
        np.testing.assert_array_equal(
            recordings[label].spikes.codes(), others[label].spikes.codes()
        )
        assert others[label].spikes.n_trials == 7
        assert others[label].voltages_mv is None
        assert seconds[label] > 0


def test_the_certificate_is_that_of_all_parts(monkeypatch):
    network = longer_steps_network()
    drive = drive_for(network, 10, trials=5)
    monkeypatch.setattr(exactness, "_VOLTAGE_BYTES", 1)
    (found,), recordings, _ = run_exactly(network, drive, CLEAN, quiet)
    assert found.certified
    assert found.trials == 5
    runs = [side.run(network, drive, voltages=True, margins=True) for side in CLEAN]
    whole = compare_exactly(network, ("reference", "compiled"), *runs)
    assert found.margin_mv == whole.margin_mv
    assert found.largest_difference_mv == whole.largest_difference_mv
    assert found.spikes == whole.spikes
    assert recordings["compiled"].spikes.count == whole.spikes[1]


def test_progress_runs_from_part_to_part_and_never_back(monkeypatch):
    network = two_population_network()
    drive = drive_for(network, 10, trials=3)
    monkeypatch.setattr(exactness, "_VOLTAGE_BYTES", 1)
    seen = {}
    run_exactly(network, drive, CLEAN, lambda what, done: seen.setdefault(what, []).append(done))
    for fractions in seen.values():
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0


def test_readouts_that_differ_are_a_difference_though_all_spikes_are_the_same():
    network = longer_steps_network()
    drive = drive_for(network, 20)
    faulty = replace(CLEAN[0], label="faulty", fault=find_fault("readout-filter"))
    (found,), _, _ = run_exactly(network, drive, (CLEAN[0], faulty), quiet)
    assert found.identical
    assert not found.agreed
    assert found.readout_difference > 0.01 * found.largest_output
