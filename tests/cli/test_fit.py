"""`spikebridge fit`: a file that goes on where it was left, and refusals."""

import dataclasses

import numpy as np
import pytest
from typer.main import get_command

from bridge import cli
from bridge.exchange.store import load
from bridge.methods.rate_targets import fitting
from bridge.methods.rate_targets.least_squares import RecursiveLeastSquares
from bridge.methods.rate_targets.options import MOST_TEACHING, MOST_TRAINED, TargetOptions

FIT = (
    "fit", "four-sines", "--units", 12, "--teacher-units", 10, "--settle-trials", 1,
    "--test-trials", 1,
)  # fmt: skip


def stop_in_trial(number, monkeypatch):
    learned_trial = fitting.learned_trial

    def stopped(run):
        if len(run.errors) == number:
            raise KeyboardInterrupt
        return learned_trial(run)

    monkeypatch.setattr(fitting, "learned_trial", stopped)


def test_ctrl_c_leaves_a_network_that_runs_and_goes_on(command, tmp_path, monkeypatch):
    out, whole = tmp_path / "sines.h5", tmp_path / "whole.h5"
    with monkeypatch.context() as patch:
        stop_in_trial(2, patch)
        outcome = command(*FIT, "--out", out, "--trials", 4)
    assert outcome.status not in (0, 2)
    assert "interrupted after 2 trials of learning, not judged (--resume goes on)" in outcome.out
    assert "interrupted, 2 trials" in command("info", out).out
    ran = command("run", out, "--trials", 1, "--backend", "reference", "--out", tmp_path / "r.h5")
    assert ran.status == 0
    assert command("lesion", out, "--units", 1, "--out", tmp_path / "less.h5").status == 0
    resumed = command("fit", "four-sines", "--out", out, "--resume")
    assert "in 1 trial on its own" in resumed.out
    assert command(*FIT, "--out", whole, "--trials", 4).status == 0
    ended, unbroken = load(out), load(whole)
    np.testing.assert_array_equal(ended.checkpoint.weights, unbroken.checkpoint.weights)
    np.testing.assert_array_equal(ended.errors, unbroken.errors)
    assert "1 trial on its own" in command("info", out).out


def test_learning_that_diverges_leaves_the_last_good_state(command, tmp_path, monkeypatch):
    update, calls = RecursiveLeastSquares.update, []

    def spoilt(self, regressors, errors):
        calls.append(1)
        # In the second trial: in each, about 500 of 1000 steps are learned from.
        update(self, regressors, errors * (np.nan if len(calls) > 700 else 1.0))

    monkeypatch.setattr(RecursiveLeastSquares, "update", spoilt)
    outcome = command(*FIT, "--out", tmp_path / "sines.h5", "--trials", 4)
    assert outcome.status == 2
    assert "of trial 1; " in outcome.err
    assert "holds what was learned before that trial" in outcome.err
    assert load(tmp_path / "sines.h5").checkpoint.trials == 1


def test_the_command_fits_with_the_defaults_of_python():
    # What is not given is left to Python, so what the help shows must be what Python does.
    shown = {each.name: each for each in get_command(cli.app).commands["fit"].params}
    for entry in dataclasses.fields(TargetOptions):
        assert shown[entry.name].default == entry.default, entry.name
    assert shown["trained"].show_default == f"0.4 of all, {MOST_TRAINED} at most"
    assert shown["teacher_units"].show_default == f"as many as neurons, {MOST_TEACHING} at most"


def test_a_trained_network_is_the_teacher(command, refused, tmp_path):
    out = tmp_path / "go.h5"
    asked = ("fit", "go-nogo", "--units", 210, "--settle-trials", 1, "--trials", 1,
             "--test-trials", 1, "--out", out)  # fmt: skip
    rate = "models/go_nogo_n200.h5"
    assert "rate network" in refused(*asked, "--teacher", "data/reference_drive.h5")
    assert "is of a teacher that is drawn" in refused(
        *asked, "--teacher", rate, "--teacher-gain", 1
    )
    assert "--form: is of a teacher that is drawn, and --teacher gives" in refused(
        *asked, "--teacher", rate, "--form", "rate"
    )
    assert command(*asked, "--teacher", rate).status == 0
    assert load(out).teacher.size == 200
    assert "taught by" in command("info", out).out


def test_a_picture_is_drawn_on_request(command, refused, tmp_path):
    out, picture = tmp_path / "sines.h5", tmp_path / "sines.svg"
    asked = (*FIT, "--trials", 1, "--out", out, "--picture")
    assert ".png, .svg, .pdf, got '.gif'" in refused(*asked, tmp_path / "sines.gif")
    picture.write_text("there")
    assert "sines.svg" in refused(*asked, picture)
    assert not out.exists()
    outcome = command(*asked, picture, "--force")
    assert outcome.status == 0
    assert "picture of the fit" in outcome.out
    assert "effective recurrent weights" in picture.read_text()


def test_a_report_is_written_on_request(command, refused, tmp_path):
    out, page = tmp_path / "sines.h5", tmp_path / "sines.html"
    asked = (*FIT, "--trials", 1, "--out", out, "--report", page)
    page.write_text("there")
    assert "sines.html" in refused(*asked)
    assert not out.exists()
    assert "report of the fit" in command(*asked, "--force").out
    assert "four-sines: a fit to rate dynamics" in page.read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--out", "a.h5", "--report", "a.h5"), "--out and --report name the same file"),
        (("--out", "a.svg", "--picture", "b/../a.svg"), "--out and --picture name the same file"),
        (
            ("--out", "a.h5", "--picture", "a.svg", "--report", "a.svg"),
            "--picture and --report name the same file",
        ),
    ],
)
def test_what_it_writes_does_not_replace_what_it_wrote(options, said, refused, tmp_path):
    (tmp_path / "b").mkdir()
    given = [each if each.startswith("--") else tmp_path / each for each in options]
    assert said in refused(*FIT, *given)
    assert not any(each.is_file() for each in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--teacher-units", 13), "teacher_units: at most the 12 spiking neurons"),
        (("--trials", 0), "learn_trials: expected a whole number"),
        (("--settle-trials", 0), "settle_trials: expected a whole number"),
        (("--form", "brain"), "--form: current or rate, got 'brain'"),
        (("--form", "network"), "--form: current or rate, got 'network'"),
        (("--resume",), "no such file"),
        (("--resume", "--force"), "--resume goes on with"),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused(options, reason, refused, tmp_path):
    assert reason in refused(*FIT, *options, "--out", tmp_path / "sines.h5")


def test_neither_what_exists_nor_what_is_no_fit_is_replaced(refused, tmp_path):
    out = tmp_path / "sines.h5"
    out.write_bytes(b"there")
    assert "exists already; use --resume" in refused(*FIT, "--out", out)
    assert "no HDF5 file" in refused(*FIT, "--out", out, "--resume")


def test_a_network_that_is_no_fit_does_not_go_on(refused):
    name = "models/go_nogo_n200.h5"
    assert "a fit is needed, this file holds: rate network" in refused(
        *FIT, "--out", name, "--resume"
    )
