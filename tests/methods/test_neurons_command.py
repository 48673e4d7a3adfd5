"""`spikebridge convert --neuron`: which neurons, with which options, told how."""

import signal

import numpy as np
import pytest
from methods.short_task import SHORT_TASK
from methods.test_search_gain import of_task, search

import bridge
from bridge.compare.report.conversion_figures import scale_curve
from bridge.tasks import go_nogo

WHERE = ("--trials", 2, "--backend", "compiled")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def rate_file(tmp_path):
    return bridge.save(of_task("relu"), tmp_path / "rate.h5")


def kind(file):
    return type(bridge.load(file).network.populations[0].neurons).__name__


def test_relu_becomes_integrate_and_fire_neurons_unless_told_otherwise(
    command, rate_file, tmp_path
):
    out = tmp_path / "if.h5"
    status, said, _ = command("convert", rate_file, "--out", out, "--gain-hz", "50,100", *WHERE)
    assert status in (0, 1)
    assert kind(out) == "ActivationIf"
    assert bridge.load(out).search.gains_hz.tolist() == [50, 100]
    found = bridge.load(out).search
    assert f"{out}: spiking network at gain = {found.best_gain_hz:g} Hz" in said
    assert f"a gain of {found.best_gain_hz:g} Hz makes" in said
    assert command("info", out)[0] == 0
    other = tmp_path / "lif.h5"
    command("convert", rate_file, "--out", other, "--neuron", "lif", "--inverse-scales", 10, *WHERE)
    assert kind(other) == "Lif"


@pytest.mark.parametrize("named", [("--neuron", "lif,if"), ("--neuron", "lif", "--neuron", "if")])
def test_several_are_told_in_one_table_and_go_side_by_side(named, command, rate_file, tmp_path):
    out, beside = tmp_path / "made.h5", tmp_path / "made_if.h5"
    options = ("--inverse-scales", 10, "--gain-hz", "50:100:50", *WHERE)
    _, said, _ = command("convert", rate_file, "--out", out, *named, *options)
    assert (kind(out), kind(beside)) == ("Lif", "ActivationIf")
    header = next(line for line in said.splitlines() if "output error" in line)
    assert header.split() == ["neuron", "at", "right", "output", "error", "rate", "(Hz)"]
    assert f"{out}: spiking network at 1/lambda = 10" in said
    assert f"{beside}: spiking network at gain = " in said


def test_no_file_is_written_where_one_of_them_is_there(refused, rate_file, tmp_path):
    out, beside = tmp_path / "made.h5", tmp_path / "made_if.h5"
    beside.write_text("kept")
    wanted = ("convert", rate_file, "--out", out, "--neuron", "lif,if")
    assert f"{beside} exists" in refused(*wanted)
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--neuron", "if", "--refractory-ms", 1), "refractory_ms: no option of neuron 'if'"),
        (("--neuron", "if", "--no-output-bias"), "output_bias: no option of neuron 'if'"),
        (("--neuron", "if", "--predict-scale"), "scale: no option of neuron 'if'"),
        (("--neuron", "lif", "--gain-hz", 50), "gain_hz: no option of neuron 'lif'"),
        (("--gain-hz", "fifty"), "--gain-hz 'fifty': expected FIRST:LAST:STEP"),
        (("--neuron", "if,if"), "neurons: expected each kind once, got if, if"),
        (("--neuron", "hh"), "neuron: 'lif', 'qif' or 'if', got 'hh'"),
    ],
)
def test_what_does_not_fit_is_refused(options, said, refused, rate_file, tmp_path):
    assert said in refused("convert", rate_file, "--out", tmp_path / "out.h5", *options)


def test_two_backends_are_compared_and_the_curve_of_the_gain_is_shown(command, rate_file, tmp_path):
    out, page = tmp_path / "if.h5", tmp_path / "agreement.html"
    command("convert", rate_file, "--out", out, "--gain-hz", "50,100", *WHERE)
    status, said, complaint = command(
        "compare", out, "--backends", "reference,compiled", "--trials", 2, "--out", page
    )
    assert status == 0, complaint
    assert "Agree: reference and compiled fired the same" in said
    text = page.read_text()
    assert "Search for the gain" in text
    assert "against the mean rate of its neurons, which the gain decides" in text


def test_the_curve_stands_over_the_rates_of_neurons_and_marks_the_chosen_one():
    accuracy, error = scale_curve(search()).axes
    (line,) = error.lines[:1]
    np.testing.assert_array_equal(line.get_xdata(), [3.0, 6.0])
    np.testing.assert_array_equal(line.get_ydata(), [0.2, 0.05])
    assert error.get_xscale() == "log"
    assert error.lines[1].get_ydata()[0] == 0.1
    assert error.lines[2].get_xdata()[0] == 6.0
    assert accuracy.lines[-1].get_xdata()[0] == 6.0
