"""`spikebridge import` and `export`: what they write, say and refuse."""

import dataclasses
import re

import numpy as np
import pytest
from exchange.mat_files import UNITS, write_original
from scipy.io import loadmat

import bridge

NAME = "Task_go-nogo_N_7.mat"
SEARCH = {
    "opt_scaling_factor": np.uint8(45), "all_perfs": np.array([[0.5], [1.0]]),
    "scaling_factors": np.array([[40, 45]]),
}  # fmt: skip


def test_importing_writes_a_rate_network_and_says_what_it_is(command, tmp_path):
    file, out = write_original(tmp_path / NAME), tmp_path / "rate.h5"
    outcome = command("import", file, "--out", out)
    assert (outcome.status, outcome.err) == (0, "")
    assert f"{out}: rate network of 7 units" in outcome.out
    assert re.search(rf"\nsource +{NAME}\n", outcome.out)
    assert "1 PV, 4 PYR, 2 SOM" in outcome.out
    expected = bridge.import_network(file).rate
    np.testing.assert_array_equal(bridge.load(out).recurrent, expected.recurrent)
    assert (bridge.load(out).task, bridge.load(out).cell_types) == ("go-nogo", expected.cell_types)


def test_a_scale_factor_of_the_file_is_offered_and_used(command, tmp_path):
    file = write_original(tmp_path / NAME, **SEARCH)
    first = command("import", file, "--out", tmp_path / "rate.h5")
    assert "its file holds a chosen 1/lambda of 45: --out-lif FILE" in first.out
    outs = ("--out", tmp_path / "rate.h5", "--out-lif", tmp_path / "lif.h5", "--force")
    assert "lif.h5: spiking network at 1/lambda = 45" in command("import", file, *outs).out
    made = bridge.load(tmp_path / "lif.h5")
    expected = bridge.map_one_to_one(bridge.load(tmp_path / "rate.h5"), 45.0)
    np.testing.assert_array_equal(made.projections[0].weights, expected.projections[0].weights)
    assert made.task == "go-nogo"


def test_broken_dale_is_a_note_and_relu_repairs_it(command, tmp_path):
    w = np.random.default_rng(1).normal(0, 1, (UNITS, UNITS))
    file, out = write_original(tmp_path / NAME, w=w), tmp_path / "rate.h5"
    outcome = command("import", file, "--out", out)
    assert (outcome.status, outcome.err.count("\n")) == (0, 1)
    assert outcome.err.startswith("note: w holds ")
    assert bridge.load(out).excitatory is None
    command("import", file, "--out", out, "--relu", "--force")
    assert bridge.load(out).excitatory is not None


def test_a_task_that_is_not_certain_is_asked_for(command, refused, tmp_path):
    file, out = write_original(tmp_path / "model.mat"), tmp_path / "rate.h5"
    line = refused("import", file, "--out", out)
    assert "its task is not certain (input channels: 1), since neither its name nor" in line
    assert line.endswith("give --task NAME or --task none")
    assert command("import", file, "--out", out, "--task", "go-nogo").status == 0
    assert bridge.load(out).task == "go-nogo"
    assert command("import", file, "--out", out, "--task", "none", "--force").status == 0
    assert bridge.load(out).task == ""


def test_a_task_of_other_inputs_is_refused(refused, tmp_path):
    file = write_original(tmp_path / "model.mat", w_in=np.ones((UNITS, 3)))
    line = refused("import", file, "--out", tmp_path / "rate.h5", "--task", "go-nogo")
    assert "the task go-nogo has 1 input and 1 output, this network has 3 and 1" in line


def test_an_unknown_task_is_refused(refused, tmp_path):
    file = write_original(tmp_path / "model.mat")
    line = refused("import", file, "--out", tmp_path / "rate.h5", "--task", "juggling")
    assert "unknown task 'juggling'" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--activation", "gelu"), "unknown activation 'gelu'"),
        (("--from", "excel"), "unknown format 'excel'; known are matlab"),
        (("--out-lif", "lif.h5"), "holds no chosen scale factor"),
        (("--dt-ms", "0"), "dt_ms: expected a step in ms, got 0"),
        (("--dt-ms", "20", "--task", "go-nogo"), "has steps of 5 ms, this network takes steps of"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message, refused, tmp_path):
    file = write_original(tmp_path / NAME)
    assert message in refused("import", file, "--out", tmp_path / "rate.h5", *options)


def test_both_networks_need_files_of_their_own(refused, tmp_path):
    file, out = write_original(tmp_path / NAME, **SEARCH), tmp_path / "rate.h5"
    assert "name the same file" in refused("import", file, "--out", out, "--out-lif", out)


def test_nothing_is_overwritten_unasked(refused, tmp_path):
    file = write_original(tmp_path / NAME, **SEARCH)
    there = tmp_path / "there"
    there.write_text("mine")
    line = refused("import", file, "--out", tmp_path / "rate.h5", "--out-lif", there)
    assert "there exists already" in line
    assert "there exists already" in refused("import", file, "--out", there)


def test_a_file_that_is_no_mat_file_is_refused(refused, tmp_path):
    file = tmp_path / NAME
    file.write_text("w = 1")
    assert "no .mat file of version 5" in refused("import", file, "--out", tmp_path / "rate.h5")


def test_exporting_writes_the_format_and_says_what_it_lacks(command, tmp_path):
    rate = bridge.import_network(write_original(tmp_path / NAME)).rate
    bridge.save(dataclasses.replace(rate, activation="softplus"), tmp_path / "rate.h5")
    outcome = command(
        "export", tmp_path / "rate.h5", "--to", "matlab", "--out", tmp_path / "back.mat"
    )
    assert f"{tmp_path}/back.mat: written from {tmp_path}/rate.h5" in outcome.out
    assert outcome.err.startswith("note: the activation softplus")
    np.testing.assert_allclose(
        loadmat(tmp_path / "back.mat")["w"], loadmat(tmp_path / NAME)["w"] * _open(rate)
    )


def _open(rate):
    return rate.recurrent != 0


@pytest.mark.parametrize(
    ("task", "channels"),
    [
        ("go-nogo", 1),
        ("go-nogo:strict", 1),
        ("xor:strict", 2),
        ("context", 4),
        ("oscillation:period_ms=250", 1),
        ("flip-flop:bits=1,strict", 1),
        ("", 3),
    ],
)
@pytest.mark.parametrize("name", ["model.mat", "Task_go-nogo_N_7.mat"])
def test_a_network_that_went_out_comes_back_with_its_task(name, task, channels, command, tmp_path):
    rate = bridge.RateNetwork(
        recurrent=np.eye(3), w_in=np.ones((3, channels)), w_out=np.ones((1, 3)), b_out=[0.0],
        tau_ms=np.full(3, 35.0), task=task,
    )  # fmt: skip
    file, back = bridge.save(rate, tmp_path / "rate.h5"), tmp_path / "back.h5"
    assert command("export", file, "--to", "matlab", "--out", tmp_path / name).status == 0
    outcome = command("import", tmp_path / name, "--out", back)
    assert (outcome.status, outcome.err) == (0, "")
    assert bridge.load(back).task == task


def test_what_cannot_be_exported_is_refused(refused, tmp_path):
    rate = bridge.import_network(write_original(tmp_path / NAME)).rate
    bridge.save(bridge.map_one_to_one(rate, 40.0), tmp_path / "lif.h5")
    line = refused("export", tmp_path / "lif.h5", "--to", "matlab", "--out", tmp_path / "a.mat")
    assert "holds rate networks and conversions, not a SpikingNetwork" in line
    assert "unknown format 'os'" in refused(
        "export", tmp_path / "lif.h5", "--to", "os", "--out", tmp_path / "a.mat"
    )


def test_an_existing_file_is_not_exported_over(refused, tmp_path):
    rate = bridge.import_network(write_original(tmp_path / NAME)).rate
    bridge.save(rate, tmp_path / "rate.h5")
    line = refused("export", tmp_path / "rate.h5", "--to", "matlab", "--out", tmp_path / NAME)
    assert "exists already; use --force" in line
