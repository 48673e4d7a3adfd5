"""`spikebridge tasks`, and the option --task-file of every command."""

import os

import numpy as np
import pytest
from matplotlib.image import imread

import bridge
from bridge.tasks import names, picture

FILE = """
import numpy as np
import bridge


def trials(count, rng):
    labels = np.arange(count) % 2
    inputs = np.zeros((20, count, 1))
    inputs[5:10, :, 0] = 1.0 - 2.0 * labels
    return bridge.Trials(inputs=inputs, targets=np.repeat(inputs, 2, axis=2), labels=labels)


def correct(outputs, trials):
    return outputs[-1, :, 0] > -np.inf


bridge.register_task(
    bridge.FunctionTask(
        name="{name}", step_ms=5.0, steps=20, input_size=1, output_size=2,
        conditions=("up", "down"), draw=trials, correct=correct,
    )
)
"""


@pytest.fixture
def files(tmp_path):
    """Two Python files, each with a task of one's own."""
    paths = [tmp_path / f"{name}.py" for name in ("one", "two")]
    for path in paths:
        path.write_text(FILE.replace("{name}", f"task-{path.stem}"))
    return paths


def test_all_tasks_and_options_are_listed(command):
    status, out, err = command("tasks")
    assert (status, err) == (0, "")
    for name in ("go-nogo:strict", "xor", "context", "oscillation:period_ms=400", "flip-flop:bits"):
        assert name in out


def test_one_task_is_told(command):
    status, out, _ = command("tasks", "flip-flop:bits=2")
    assert status == 0
    assert "inputs 2, outputs 2, 340 samples of 5 ms (1.7 s)" in out
    assert "++, +-, -+, --" in out


@pytest.mark.parametrize(("kind", "start"), [("PDF", b"%PDF"), ("svg", b"<?xml")])
def test_a_picture_is_drawn_in_the_format_of_its_name(command, tmp_path, kind, start):
    out = tmp_path / f"xor.{kind}"
    assert command("tasks", "xor", "--out", out)[0] == 0
    assert out.read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_picture_is_not_overwritten_unless_asked(command, tmp_path):
    out = tmp_path / "xor.png"
    out.write_bytes(b"mine")
    status, _, err = command("tasks", "xor", "--out", out)
    assert status == 2
    assert "exists already; use --force" in err
    assert out.read_bytes() == b"mine"
    assert command("tasks", "xor", "--out", out, "--force")[0] == 0
    assert imread(out).ndim == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xor", "--out", "xor.jpeg"), "a picture ends in .png, .svg, .pdf, got '.jpeg'"),
        (("xor", "--out", "xor"), "a picture ends in .png, .svg, .pdf, got ''"),
        (("--out", "all.png"), "--out needs the name of a task to draw"),
        (("chess",), "unknown task 'chess'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(command, arguments, message):
    status, out, err = command("tasks", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert message in err


def lines_of(task):
    figure = picture.trials_figure(bridge.task(task))
    return [[line.get_ydata() for line in axes.lines] for axes in figure.axes], figure.axes


def test_a_picture_shows_inputs_and_targets_of_each_condition():
    lines, axes = lines_of("xor")
    assert [one.get_title() for one in axes[:4]] == list(bridge.task("xor").conditions)
    for (first, second), (target,) in zip(lines[:4], lines[4:], strict=True):
        np.testing.assert_array_equal(np.flatnonzero(first), np.arange(50, 100))
        np.testing.assert_array_equal(np.flatnonzero(second), np.arange(110, 160))
        assert target[200] == first[60] * second[120]


def test_of_many_conditions_four_are_shown_and_of_many_channels_eight_are_named():
    assert len(lines_of("context")[1]) == 2 * 4
    lines, axes = lines_of("flip-flop:bits=8")
    assert [len(one) for one in lines] == [8] * 8
    assert len(axes[3].get_legend().get_texts()) == 8


def test_a_file_of_ones_own_is_known_to_the_command(command, files, tmp_path):
    status, out, _ = command("--task-file", files[0], "tasks", "task-one")
    assert status == 0
    assert "inputs 1, outputs 2, 20 samples of 5 ms (0.1 s)" in out
    rate = tmp_path / "rate.h5"
    training = ("--units", 5, "--batch", 2, "--max-updates", 1, "--out", rate)
    assert command("--task-file", files[0], "train", "task-one", *training)[0] == 0
    assert bridge.load(rate).task == "task-one"
    assert bridge.load(rate).w_out.shape == (2, 5)


def test_the_environment_names_files_for_every_command(command, files, monkeypatch):
    monkeypatch.setenv("SPIKEBRIDGE_TASKS", os.pathsep.join(map(str, files)))
    for name in ("task-one", "task-two"):
        assert command("tasks", name)[0] == 0


def test_a_stored_name_runs_no_file(command, files, tmp_path):
    rate = tmp_path / "rate.h5"
    training = ("--units", 5, "--batch", 2, "--max-updates", 1, "--out", rate)
    command("--task-file", files[0], "train", "task-one", *training)
    names._own.clear()
    assert command("info", rate)[0] == 0
    status, _, err = command("convert", rate, "--out", tmp_path / "lif.h5")
    assert status == 2
    assert "unknown task 'task-one'; known are " in err
    assert "--task-file FILE.py" in err
    assert not (tmp_path / "lif.h5").exists()


def test_a_task_file_that_is_missing_is_refused_in_one_line(command, tmp_path):
    status, out, err = command("--task-file", tmp_path / "none.py", "tasks")
    assert (status, out) == (2, "")
    assert err == f"spikebridge: {tmp_path}/none.py: expected a Python file, NAME.py, that " + (
        "registers tasks\n"
    )
