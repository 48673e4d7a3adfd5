"""`run` and `compare` on what a file or a train drives a network with, instead of its task."""

import json
import re
import warnings

import numpy as np
import pytest
from conftest import go_nogo_network, longer_steps_network
from methods.short_task import SHORT_TASK

import bridge
from bridge.methods.scoring import task_drive
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.tasks import go_nogo


@pytest.fixture
def net(tmp_path):
    """A network without a task, of two inputs."""
    return bridge.save(longer_steps_network(12), tmp_path / "net.h5")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "drive.csv"
    path.write_text("unit,time,trial,condition\n0,0.001,0,left\n0,0.004,0,left\n1,0.03,1,right\n")
    return path


def codes(path):
    return bridge.load(path).spikes.codes()


def test_a_network_without_a_task_is_run_from_a_file(command, net, table, tmp_path):
    out = tmp_path / "out.h5"
    outcome = command("run", net, "--drive", table, "--backend", "reference", "--out", out)
    assert outcome.status == 0
    assert outcome.out.strip().endswith(f"{out}: recording of 2 trials")
    assert re.search(r"\ndrive +drive.csv", outcome.out)
    recording = bridge.load(out)
    drive = bridge.load_drive(table, bridge.load(net))
    np.testing.assert_array_equal(recording.inputs, drive.inputs)
    expected = bridge.simulate(bridge.load(net), drive)
    np.testing.assert_array_equal(recording.spikes.codes(), expected.spikes.codes())
    assert recording.trials_of("right").tolist() == [1]


def test_the_inputs_of_a_task_in_a_file_give_the_tasks_spikes(command, tmp_path, monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    network = bridge.save(go_nogo_network(12), tmp_path / "lif.h5")
    shown = task_drive(go_nogo_network(12), 2, 6)[1].inputs
    np.savez(tmp_path / "shown.npz", inputs=shown, sample_ms=5.0)
    run = ("run", network, "--backend", "reference", "--seed", 6, "--out")
    command(*run, tmp_path / "task.h5", "--trials", 2)
    command(*run, tmp_path / "file.h5", "--drive", tmp_path / "shown.npz")
    assert codes(tmp_path / "task.h5").size > 100
    np.testing.assert_array_equal(codes(tmp_path / "task.h5"), codes(tmp_path / "file.h5"))


def test_our_own_drive_is_run_as_it_was_saved_or_with_another_seed(command, net, tmp_path):
    network = bridge.load(net)
    drive = bridge.Drive(inputs=np.ones((4, 2, 2)), noise=bridge.SharedNoise(seed=41))
    path = bridge.save(drive, tmp_path / "drive.h5")
    run = ("run", net, "--drive", path, "--backend", "reference", "--out")
    command(*run, tmp_path / "kept.h5")
    command(*run, tmp_path / "seeded.h5", "--seed", 0)
    kept = bridge.simulate(network, drive).spikes
    np.testing.assert_array_equal(codes(tmp_path / "kept.h5"), kept.codes())
    assert not np.array_equal(codes(tmp_path / "seeded.h5"), kept.codes())


def graded_file(folder):
    """A network of linear units, which hand on what they sum, in steps of 0.5 ms."""
    start = UniformVoltage(low_mv=0.0, high_mv=0.0)
    units = Population(name="sums", size=2, neurons=Linear(), initial_voltage=start)
    shown = Projection(
        name="shown", source="input", target="sums", weights=[[1.0], [2.0]], filter=Direct()
    )
    network = SpikingNetwork(
        dt_ms=0.5, populations=[units], projections=[shown], input_size=1, sample_steps=4
    )
    return bridge.save(network, folder / "graded.h5")


def test_values_and_a_window_of_steps_are_recorded_and_told(command, tmp_path):
    np.savez(tmp_path / "shown.npz", inputs=np.arange(5.0)[:, None], sample_ms=2.0)
    run = ("run", graded_file(tmp_path), "--drive", tmp_path / "shown.npz")
    run += ("--backend", "reference", "--out", tmp_path / "out.h5")
    outcome = command(*run, "--values", "--window", "0.003:0.005")
    recording = bridge.load(tmp_path / "out.h5")
    sums = np.arange(5.0)[:, None] * [1.0, 2.0]
    np.testing.assert_array_equal(recording.values["sums"][:, 0], sums)
    # Steps 6 to 9 are of the samples 1 and 2.
    assert (recording.window.start_step, recording.window.stop_step) == (6, 10)
    np.testing.assert_array_equal(recording.window.states["sums"]["y"][:, 0], sums[[1, 1, 2, 2]])
    for told in (outcome.out, command("info", tmp_path / "out.h5").out):
        assert re.search(r"values sums +\(5, 1, 2\) samples, trials, neurons", told)
        assert re.search(
            r"window +every step from 6 on, before 10: y of sums; values of sums", told
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--window", "0.003:0.011"), "window: steps 6 to 22 reach beyond a trial of 20 steps"),
        (("--window", "0.3"), "--window '0.3': expected START_S:STOP_S, as 0.25:0.3"),
        (("--window", "0.3:0.2"), "--window '0.3:0.2': expected START_S:STOP_S"),
        (("--window", "0:inf"), "--window '0:inf': expected START_S:STOP_S"),
        (("--window", "0.0001:0.0002"), "window: there is no step from 0 on before 0"),
        (("--values", "--backend", "nest"), "unknown option 'values'"),
    ],
)
def test_a_window_that_is_none_is_refused(words, said, refused, tmp_path):
    np.savez(tmp_path / "shown.npz", inputs=np.arange(5.0)[:, None], sample_ms=2.0)
    run = (
        "run",
        graded_file(tmp_path),
        "--drive",
        tmp_path / "shown.npz",
        "--backend",
        "reference",
    )
    assert said in refused(*run, "--out", tmp_path / "out.h5", *words)


@pytest.mark.parametrize("kind", ["poisson", "regular"])
def test_trains_drive_every_input(kind, command, net, tmp_path):
    out = tmp_path / "out.h5"
    trains = (f"--{kind}", 40, "--seconds", 0.1, "--trials", 3, "--seed", 2)
    outcome = command("run", net, *trains, "--backend", "reference", "--out", out)
    assert "recording of 3 trials" in outcome.out
    make = {"poisson": bridge.poisson_drive, "regular": bridge.regular_drive}[kind]
    expected = make(bridge.load(net), 40.0, seconds=0.1, trials=3, seed=2)
    np.testing.assert_array_equal(bridge.load(out).inputs, expected.inputs)
    assert bridge.load(out).provenance["drive"].endswith("trains of 40 Hz for 0.1 s")


def test_what_is_left_out_of_a_file_is_a_note(command, net, tmp_path):
    np.savez(tmp_path / "d.npz", inputs=np.ones((2, 1, 2)), target=np.ones(3))
    run = ("run", net, "--drive", tmp_path / "d.npz", "--backend", "reference")
    with warnings.catch_warnings():
        # Not an error, as in other tests, but what a user has.
        warnings.simplefilter("default")
        outcome = command(*run, "--out", tmp_path / "out.h5")
    assert outcome.status == 0
    assert "note: " in outcome.err
    assert "target: not looked at" in outcome.err


def test_backends_are_compared_on_what_a_file_drives_with(command, net, table, tmp_path):
    out = tmp_path / "out.html"
    two = ("--backends", "reference,reference", "--inject", "weights-0.98")
    outcome = command("compare", net, "--drive", table, *two, "--out", out)
    assert outcome.status == 1, outcome.err
    # The file lasts seven samples of 5 ms, and has two trials.
    assert "Disagree" in outcome.out
    told = json.loads(out.with_suffix(".json").read_text())
    assert "weights" in json.dumps(told)


def test_backends_agree_on_trains(command, net, tmp_path):
    trains = ("--poisson", 100, "--seconds", 0.05, "--trials", 2)
    two = ("--backends", "reference,brian2:numpy", "--out", tmp_path / "out.html")
    outcome = command("compare", net, *trains, *two)
    assert outcome.status == 0, outcome.err
    assert "Agree" in outcome.out


TASK = """
import bridge

bridge.register_task(
    bridge.FunctionTask(
        name="never-shown", step_ms=5.0, steps=9, input_size=2, output_size=1,
        conditions=("none",), draw=lambda rng, trials: None, correct=lambda outputs, trials: None,
    )
)
"""
NO_TASK = ("--drive", "drive.csv", "--task-file", "task.py")


@pytest.mark.parametrize("name", ["run", "compare"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--drive", "drive.csv", "--poisson", 3), "--drive and --poisson: give one of them"),
        (("--regular", 3, "--poisson", 3), "--poisson and --regular: give one of them"),
        (NO_TASK, "--task-file and --drive: a network is shown trials of a task, or --drive"),
        (("--seconds", 3), "--seconds: for --poisson, --regular or a --drive of spikes"),
        (("--seconds", 0), "--seconds: for --poisson, --regular or a --drive of spikes"),
        (("--poisson", 3, "--series", "x"), "--series: for a --drive in NWB"),
        (("--poisson", -3), "rate_hz: must lie in 0 to 1e+06, got -3"),
        (("--poisson", "nan"), "rate_hz: expected a finite number"),
        (("--poisson", 3, "--seconds", 0.0001), "is not a whole number of samples of 5 ms"),
        (("--poisson", 3, "--seconds", 0), "seconds: 0 s is not a whole number of samples"),
        (("--poisson", 3, "--trials", 0), "trials: expected a whole number of at least 1"),
        (("--drive", "drive.csv", "--trials", 1), "a spike of trial 1, of 1 trials"),
        (("--drive", "drive.csv", "--seconds", 0.01), "lies beyond the 0.01 s of a trial"),
        (("--drive", "net.h5"), "a drive is needed, this file holds a SpikingNetwork"),
        (("--drive", "none.csv"), "none.csv: no such file"),
        (("--drive", "task.py"), "task.py: of no kind that is known"),
        ((), "this network names no task to draw trials of"),
    ],
)
def test_options_that_exclude_each_other_are_refused(
    name, options, said, refused, net, table, tmp_path
):
    (tmp_path / "task.py").write_text(TASK)
    files = ("drive.csv", "net.h5", "none.csv", "task.py")
    given = [tmp_path / each if each in files else each for each in options]
    assert said in refused(name, net, *given, "--out", tmp_path / "out.html")


@pytest.mark.parametrize(
    "option",
    [("--drive", "x"), ("--series", "x"), ("--poisson", 3), ("--regular", 0), ("--seconds", 3)],
)
def test_two_recordings_are_driven_by_nothing(option, refused, tmp_path):
    pair = ("compare", tmp_path / "a.h5", tmp_path / "b.h5", "--out", tmp_path / "out.html")
    assert "are for simulators, not for recordings" in refused(*pair, *option)


def test_the_effect_decides_no_number_of_trials_where_a_drive_has_them(refused, net, tmp_path):
    levels = ("--levels", "statistical", "--effect", 0.1, "--out", tmp_path / "out.html")
    assert "give one of the two" in refused("compare", net, "--poisson", 40, *levels)


@pytest.mark.parametrize("name", ["run", "compare"])
def test_help_says_what_spikes_become(name, command):
    text = " ".join(re.sub("[│ \n]+", " ", command(name, "--help").out).split())
    assert "the value of a sample is the number of spikes in it" in text
    assert f"$ spikebridge {name} net.h5 --drive inputs.csv" in text
