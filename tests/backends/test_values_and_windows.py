"""What populations hand on at the end of each sample, and every state in a window of the trial."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from all_forms import all_forms_drive, all_forms_network
from backends.test_state_readouts import expected_of, read_network
from conftest import EXACT_BACKENDS, drive_for, kim_network

import bridge
from bridge.backends import simulate
from bridge.backends.reference.simulation import Stepper
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise
from bridge.spiking.filters import Direct
from bridge.spiking.projection import Projection
from bridge.spiking.recording import Recording
from bridge.spiking.window import Window

QUICK = ["reference", "brian2-numpy", "snntorch", "compiled"]
COMPILED = [pytest.param("brian2-cython", marks=pytest.mark.full), "brian2-standalone"]


def run(label, network, drive, **options):
    backend, extra = EXACT_BACKENDS[label]
    return simulate(network, drive, backend=backend, **extra, **options)


def graded_network():
    """Neurons that fire, linear units, and cells that hand their values on to them."""
    network = read_network()
    on = Projection(
        name="on", source="cells", target="sums", filter=Direct(),
        weights=[[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]],
    )  # fmt: skip
    return replace(network, projections=[*network.projections, on])


def same(one, other):
    """Whether two windows hold the same bits."""
    assert (one.start_step, one.n_steps) == (other.start_step, other.n_steps)
    assert {name: list(of) for name, of in one.states.items()} == {
        name: list(of) for name, of in other.states.items()
    }
    for name, states in one.states.items():
        for state, values in states.items():
            np.testing.assert_array_equal(values, other.states[name][state])
    assert list(one.values) == list(other.values)
    for name, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[name])


@pytest.mark.parametrize("label", QUICK)
def test_values_are_those_of_the_last_step_of_each_sample(label):
    network = read_network()
    drive = drive_for(network, 10, trials=3)
    got = run(label, network, drive, values=True)
    assert list(got.values) == ["sums", "cells", "alone"]
    expected = expected_of(network, drive.inputs)
    # The library's exp and tanh are some last places from ours.
    np.testing.assert_allclose(got.values["sums"], expected["sum"], rtol=1e-12)
    assert got.values["cells"].shape == (10, 3, 2)
    assert got.values["cells"].min() == 0.0 < got.values["cells"].max()
    assert run(label, network, drive).values is None


@pytest.mark.parametrize("label", QUICK)
def test_a_window_holds_every_step_of_it(label):
    network, (start, stop) = graded_network(), (7, 19)
    drive = drive_for(network, 10, trials=3)
    run_by_hand = Stepper(network, drive)
    steps = []
    for step in range(stop):
        run_by_hand.step(step, None)
        steps.append({n.name: (dict(n.state), n.emitted) for n in run_by_hand.populations})
    got = run(label, network, drive, window=(start, stop)).window
    assert (got.start_step, got.stop_step, got.n_steps) == (7, 19, 12)
    assert list(got.states) == [part.name for part in network.populations]
    for name, states in got.states.items():
        for state, values in states.items():
            expected = np.stack([each[name][0][state] for each in steps[start:]])
            np.testing.assert_array_equal(values, expected)
    assert list(got.values) == ["sums", "cells", "alone"]
    for name, values in got.values.items():
        np.testing.assert_array_equal(values, np.stack([each[name][1] for each in steps[start:]]))


@pytest.mark.parametrize("label", QUICK[1:])
def test_a_window_and_values_change_nothing_else_and_fit_what_is_sampled(label):
    network = all_forms_network()
    drive = all_forms_drive(network, samples=32)
    expected = simulate(network, drive, voltages=True, margins=True, window=(295, 311))
    got = run(label, network, drive, voltages=True, margins=True, window=(295, 311))
    same(got.window, expected.window)
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)
    # Steps 299 and 309 are the last of their samples.
    for part in network.populations:
        v, span = got.window.states[part.name]["v"], network.span(part.name)
        np.testing.assert_array_equal(v[[4, 14]], got.voltages_mv[29:31, :, span])


@pytest.mark.parametrize("label", COMPILED)
def test_compiled_programs_record_the_same_and_read_frozen_noise_trial_by_trial(label):
    network = graded_network()
    network = replace(
        network,
        populations=[part for part in network.populations if part.name in ("sums", "cells")],
        projections=network.projections[1:],
        readouts=(),
    )
    drive = drive_for(network, 10, trials=2)
    noise_mv = np.random.default_rng(3).normal(0, 0.1, (drive.n_steps(network), 2, network.size))
    drive = replace(
        drive,
        noise=FrozenNoise(values_mv=noise_mv),
        v_initial_mv=drive.initial_voltages_mv(network),
    )
    for window in ((7, 19), (30, 31)):
        expected = simulate(network, drive, values=True, window=window)
        got = run(label, network, drive, values=True, window=window)
        same(got.window, expected.window)
        for name, values in expected.values.items():
            np.testing.assert_array_equal(got.values[name], values)


def test_processes_and_chosen_trials_have_their_part_of_them():
    network = graded_network()
    drive = drive_for(network, 10, trials=5)
    whole = simulate(network, drive, values=True, window=(7, 19))
    parts = simulate(network, drive, backend="snntorch", workers=2, values=True, window=(7, 19))
    same(parts.window, whole.window)
    np.testing.assert_array_equal(parts.values["cells"], whole.values["cells"])
    chosen = whole.chosen([3, 1])
    one = whole.window.states["cells"]["h_s"][:, [3, 1]]
    np.testing.assert_array_equal(chosen.window.states["cells"]["h_s"], one)
    np.testing.assert_array_equal(chosen.values["sums"], whole.values["sums"][:, [3, 1]])
    same(pickle.loads(pickle.dumps(whole)).window, whole.window)
    other = simulate(network, drive, window=(8, 20))
    assert Recording.joined([whole, other]).window is None
    assert Recording.joined([whole, other]).values is None


@pytest.mark.parametrize("label", QUICK)
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"window": (7, 41)}, "window: steps 7 to 41 reach beyond a trial of 40 steps"),
        ({"window": (7, 7)}, "window: there is no step from 7 on before 7"),
        ({"window": (-1, 7)}, "window: first step: expected a whole number of at least 0, got -1"),
        ({"window": (0.5, 7)}, "window: first step: expected a whole number"),
        ({"window": 7}, "window: expected its first step and the first step after it, got 7"),
        ({"values": 1}, "values: expected True or False"),
    ],
)
def test_what_a_run_cannot_show_is_refused(label, options, reason):
    network = read_network()
    with pytest.raises(SpecError, match=reason):
        run(label, network, drive_for(network, 10), **options)


def test_values_are_asked_of_a_network_that_has_some():
    network = kim_network(size=4)
    for label in QUICK:
        with pytest.raises(SpecError, match="values: no population of this network passes on val"):
            run(label, network, drive_for(network, 2), values=True)
    drive = Drive(inputs=np.zeros((2, 1, 2)), noise=OwnNoise(seed=0))
    with pytest.raises(SpecError, match="backend nest: unknown option 'window'"):
        simulate(network, drive, backend="nest", window=(0, 3))


def a_window(**fields):
    states = {"p": {"v": np.zeros((3, 2, 4)), "w": np.ones((3, 2, 4))}}
    return Window(**{"start_step": 5, "states": states} | fields)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"start_step": -1}, "window: start_step: expected a whole number of at least 0"),
        ({"states": {}}, "as many steps and trials, some, of every state"),
        ({"states": [1]}, "window: states: expected names with values"),
        ({"states": {"p": {"v": np.zeros((3, 2))}}}, r"population p: v: expected shape \(any, any"),
        ({"states": {"p": {"v": np.full((3, 2, 4), np.nan)}}}, "population p: v: holds NaN"),
        ({"states": {"p": {"a/b": np.zeros((3, 2, 4))}}}, "'a/b' is not a usable name"),
        ({"values": {"q": np.zeros((3, 2, 4))}}, "values q: of no population whose states"),
        ({"values": {"p": np.zeros((3, 2, 5))}}, "values p: of no population whose states"),
        ({"values": {"p": np.zeros((2, 2, 4))}}, "as many steps and trials"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(fields, reason):
    assert repr(a_window()) == "Window(3 steps from step 5 on, states of p)"
    with pytest.raises(SpecError, match=reason):
        a_window(**fields)


def test_what_is_exported_elsewhere_loses_them_and_says_so(tmp_path):
    network = graded_network()
    recording = simulate(network, drive_for(network, 10), values=True, window=(3, 5))
    lost = bridge.export_recording(recording, tmp_path / "recording.h5", to="sonata")
    assert "values that populations pass on are not kept in this format" in lost
    assert "what was recorded step by step is not kept in this format" in lost


def test_a_part_of_a_recording_holds_the_values_of_its_samples(tmp_path):
    network = graded_network()
    recording = simulate(network, drive_for(network, 10), values=True, window=(3, 5))
    path = bridge.save(recording, tmp_path / "recording.h5")
    part = bridge.load_recording(path, window_s=(0.008, 0.02))
    np.testing.assert_array_equal(part.values["cells"], recording.values["cells"][2:5])
    assert part.window is None
    assert "step by step: left out" in part.provenance["notes"]
