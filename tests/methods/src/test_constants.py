"""What `data/constants_theory.py` says of a single cell is so, and `data/constants.py` tries."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import bridge
from bridge.spiking.neurons.src import Src

DATA = Path(__file__).parents[3] / "data"


@pytest.fixture(scope="module")
def study():
    sys.path.insert(0, str(DATA))
    try:
        import constants
        import constants_theory
    finally:
        sys.path.remove(str(DATA))
    return constants, constants_theory


def in_the_reference(cell, drives, steps):
    """(T, N) h of cells whose only current is their bias."""
    size = len(drives)
    cells = bridge.Population(
        name="cells",
        size=size,
        neurons=Src(**asdict(replace(cell, bias=0.0)) | {"bias": drives}),
        initial_voltage=bridge.UniformVoltage(low_mv=0.0, high_mv=0.0),
    )
    silent = bridge.Projection(
        name="in",
        source="input",
        target="cells",
        weights=np.zeros((size, 1)),
        filter=bridge.Direct(),
    )
    network = bridge.SpikingNetwork(
        dt_ms=1.0, input_size=1, populations=[cells], projections=[silent], readouts=[]
    )
    drive = bridge.Drive(inputs=np.zeros((steps, 1, 1)), noise=bridge.SharedNoise(seed=0))
    return np.asarray(bridge.simulate(network, drive, voltages=True).voltages_mv)[:, 0]


@pytest.mark.parametrize("changed", [{}, {"r": 1.4, "r_s": -9.0, "z_hyp": 0.8, "z_dep": 0.3}])
def test_a_cell_of_the_theory_is_one_of_the_simulator(study, changed):
    _, theory = study
    cell, drives = theory.Constants(**changed), np.array([-6.5, -5.0, -4.0, -2.0, -0.5, 2.0])
    h = in_the_reference(cell, drives, theory.SETTLING + theory.WATCHED)
    above = h > 0.5
    rising = (above[1:] & ~above[:-1])[theory.SETTLING - 1 :].sum(axis=0)
    assert len(set(rising)) > 3
    np.testing.assert_array_equal(theory.onsets(cell, drives), rising)


@pytest.mark.parametrize("bias", [-6.0, -5.0])
def test_a_step_leaves_a_resting_cell_as_it_is(study, bias):
    _, theory = study
    cell = theory.Constants(bias=bias)
    at_rest = theory.rest(cell)
    assert -1 < at_rest < -0.7
    # What the root finder leaves: 1e-12.
    assert np.tanh((cell.r + cell.r_s) * at_rest + bias) == pytest.approx(at_rest, abs=1e-10)


def test_what_is_expected_of_a_cell_follows_from_its_threshold(study):
    _, theory = study
    lowest, highest = theory.tonic(theory.Constants())
    # Of a search by bisection; the grid has steps of 0.01.
    assert lowest == pytest.approx(-4.4196, abs=0.011)
    assert lowest < highest
    said = {
        (-6.0, 3.0): "excitable",
        (-6.0, 1.5): "needs more current",
        (-4.3, 3.0): "fires by itself",
    }
    for (bias, rho), word in said.items():
        assert theory.expected(theory.Constants(bias=bias, rho=rho)) == word
    assert theory.expected(theory.Constants(r_s=0.0)) == "never fires"


def test_a_sweep_changes_one_constant_and_the_hypercube_covers_all(study):
    constants, theory = study
    made, published = constants.designs(), asdict(theory.Constants())
    for (changed, _), cell in made.items():
        differing = {name for name, value in asdict(cell).items() if value != published[name]}
        if changed in constants.SWEEPS:
            assert differing == {changed}
    drawn = [cell for (changed, _), cell in made.items() if changed == "all"]
    for name, (low, high) in constants.RANGES.items():
        assert low < published[name] < high or published[name] == low
        # One draw in each of as many parts of the range; values are rounded to four digits.
        part = (np.array([getattr(cell, name) for cell in drawn]) - low) / (high - low) * len(drawn)
        assert np.abs(np.sort(part) - np.arange(len(drawn)) - 0.5).max() < 0.55, name
