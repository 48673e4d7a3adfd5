"""`convert` on inputs from a file, of a rate network that names no task."""

import hashlib
import json
import re

import numpy as np
import pytest
from methods.switch_network import switch_network, switched_inputs

import bridge


@pytest.fixture
def rate_file(tmp_path):
    return bridge.save(switch_network(), tmp_path / "rate.h5")


@pytest.fixture
def inputs(tmp_path):
    np.savez(tmp_path / "inputs.npz", inputs=switched_inputs(), sample_ms=5.0)
    return tmp_path / "inputs.npz"


def convert(command, rate, drive, out, *more):
    return command(
        "convert", rate, "--drive", drive, "--out", out, "--backend", "compiled",
        "--inverse-scales", "50,100", *more,
    )  # fmt: skip


def test_the_output_error_is_told_and_compare_tells_it_again(
    command, rate_file, inputs, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    out, page = tmp_path / "lif.h5", tmp_path / "report.html"
    status, said, _ = convert(command, rate_file, inputs, out)
    assert status == 0
    made = bridge.load(out)
    error = made.search.output_error[0]
    assert f"1/lambda = 50, output error {error:.2g} in 6 trials" in said
    assert "nothing says which answers are right, so the output alone is judged" in said
    assert "right in" not in said
    assert made.network.provenance["drive"] == "inputs.npz"
    drive = bridge.load_drive(inputs, made.network)
    again = bridge.convert(
        switch_network(), drive=drive, backend="compiled", inverse_scales=[50, 100]
    )
    np.testing.assert_array_equal(again.search.output_error, made.search.output_error)
    told = command("info", out).out
    assert re.search(r"chosen 1/lambda +50, by the rule faithful", told)
    assert re.search(r"\ndrive +inputs.npz", told)
    assert re.search(rf"against the rate network +output error {error:.2g}", told)
    status, said, _ = command(
        "compare", out, "--drive", inputs, "--backends", "compiled,reference", "--out", page
    )
    assert status == 0
    assert "Conversion: faithful in its output; nothing says which answers are right" in said
    found = json.loads(page.with_suffix(".json").read_text())["faithfulness"]
    # Other noise moves it little.
    assert found["output_error"] == pytest.approx(error, rel=0.1)
    assert (found["correct"], found["failed"], found["output_kept"]) == (None, False, True)
    assert "The spiking network with all recurrent and output weights divided" in page.read_text()


def test_an_output_that_is_lost_ends_with_status_1_and_is_written(
    command, rate_file, inputs, tmp_path
):
    out = tmp_path / "lif.h5"
    status, said, _ = command(
        "convert", rate_file, "--drive", inputs, "--out", out, "--backend", "compiled",
        "--inverse-scales", 12,
    )  # fmt: skip
    assert status == 1
    assert "the conversion failed: the output is not the rate network's" in " ".join(said.split())
    assert bridge.load(out).faithfulness().failed


def test_a_file_of_one_trial_is_shown_as_often_as_is_asked(command, rate_file, tmp_path):
    one, out = tmp_path / "one.csv", tmp_path / "lif.h5"
    rows = "\n".join(str(value) for value in switched_inputs(1)[:, 0, 0])
    one.write_text(f"input_0\n{rows}\n")
    assert convert(command, rate_file, one, out, "--trials", 4).status == 0
    assert bridge.load(out).search.trials == 4


def test_a_drive_of_ours_with_conditions_of_the_task_is_judged_by_it(command, tmp_path):
    task = bridge.task("go-nogo")
    made = task.trials(4, np.random.default_rng(0))
    drive = bridge.Drive(
        inputs=made.inputs, noise=bridge.SharedNoise(seed=0), labels=made.labels,
        conditions=task.conditions,
    )  # fmt: skip
    rate = bridge.save(switch_network(task="go-nogo"), tmp_path / "rate.h5")
    shown, out = bridge.save(drive, tmp_path / "drive.h5"), tmp_path / "lif.h5"
    status, said, _ = convert(command, rate, shown, out)
    # A network that knows no task is right by chance, and is said to be.
    assert status == 1
    assert "of 4 trials right" in said
    assert bridge.load(out).search.correct is not None


TASK = """
import bridge, numpy as np

def draw(count, rng):
    labels = np.arange(count) % 2
    targets = np.broadcast_to(1.0 * labels[:, None], (3, count, 1))
    return bridge.Trials(inputs=np.zeros((3, count, 1)), targets=targets, labels=labels)

bridge.register_task(bridge.FunctionTask(
    name="mine", step_ms=5.0, steps=3, input_size=1, output_size=1, conditions=("low", "high"),
    draw=draw, correct=lambda outputs, trials: trials.targets[0, :, 0] == 1.0,
))
"""


def test_a_task_of_ones_own_judges_the_conditions_of_a_drive(command, tmp_path):
    (tmp_path / "mine.py").write_text(TASK)
    rate = bridge.save(switch_network(task="mine"), tmp_path / "rate.h5")
    shown, out = tmp_path / "drive.csv", tmp_path / "lif.h5"
    names = ("low", "high", "high")
    rows = [f"{k},{name},{sample}" for k, name in enumerate(names) for sample in range(3)]
    shown.write_text("\n".join(["trial,condition,input_0", *rows, ""]))
    outcome = convert(command, rate, shown, out, "--task-file", tmp_path / "mine.py")
    assert outcome.status == 0
    # By its rule all trials that want what is high are right.
    np.testing.assert_array_equal(bridge.load(out).search.correct, [2, 2])
    assert "66.7% of 3 trials right" in outcome.out


def written(tmp_path, text):
    path = tmp_path / "drive.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("input_0,input_1\n1,2\n3,4\n", "takes 1 input channel, this file holds 2"),
        ("input_0\n1\n", "has one sample"),
        ("input_0\n1\nnan\n", "NaN"),
        ("input_0\n0\n0\n0\n", "output never varies in these trials"),
        ("time_s,input_0\n0,1\n0.007,1\n0.014,-1\n", "one must be a whole multiple of the other"),
    ],
)
def test_a_file_that_cannot_drive_the_network_is_refused(
    command, rate_file, tmp_path, text, message
):
    outcome = convert(command, rate_file, written(tmp_path, text), tmp_path / "lif.h5")
    assert outcome.status == 2
    assert message in " ".join(outcome.err.split())
    assert not (tmp_path / "lif.h5").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--trials", 4), "has 6 trials, not 4; leave out --trials"),
        (("--rule", "accuracy"), "nothing judges the answers to this drive"),
        (("--series", "lever"), "no NWB file, so it has no --series"),
        (("--seconds", 2), "has samples that fix its length"),
        (("--refit-readout",), "takes at least 9, and this drive has 6"),
    ],
)
def test_options_that_do_not_go_with_a_drive_are_refused(
    command, rate_file, inputs, tmp_path, more, message
):
    outcome = convert(command, rate_file, inputs, tmp_path / "lif.h5", *more)
    assert outcome.status == 2
    assert message in " ".join(outcome.err.split())


@pytest.mark.parametrize("option", [("--series", "lever"), ("--seconds", 2)])
def test_options_of_a_drive_are_refused_without_one(command, rate_file, tmp_path, option):
    outcome = command("convert", rate_file, "--out", tmp_path / "lif.h5", *option)
    assert outcome.status == 2
    assert f"{option[0]}: for" in " ".join(outcome.err.split())


def test_a_file_of_spikes_shows_a_rate_network_their_counts(command, rate_file, tmp_path):
    table = written(tmp_path, "unit,time,trial\n0,0.001,0\n0,0.0012,0\n0,0.2,1\n")
    outcome = convert(command, rate_file, table, tmp_path / "lif.h5", "--seconds", 0.3)
    assert outcome.status in (0, 1)
    counts = np.zeros((60, 2, 1))
    counts[0, 0], counts[40, 1] = 2, 1
    digest = bridge.load(tmp_path / "lif.h5").network.provenance["drive_sha256"]
    assert digest == hashlib.sha256(counts.tobytes()).hexdigest()


def test_the_report_of_a_drive_that_the_rate_network_answers_flatly_is_of_simulators_alone(
    command, rate_file, inputs, tmp_path
):
    out = tmp_path / "lif.h5"
    convert(command, rate_file, inputs, out)
    flat = bridge.Drive(inputs=np.zeros((10, 6, 1)), noise=bridge.SharedNoise(seed=0))
    found = bridge.compare(bridge.load(out), drive=flat, backends=["reference", "compiled"])
    assert found.agreed
    assert found.faithfulness is None
