"""Tasks whose trials differ, or whose samples are long: a sample holds, a trial begins anew."""

import dataclasses
import threading

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, STEPS, drawn, one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets import fitting, judgement
from bridge.methods.rate_targets.plan import plan_fit
from bridge.methods.rate_targets.targets import Anew
from bridge.methods.rate_targets.teacher import draw_teacher
from bridge.methods.scoring import SCORE, task_drive
from bridge.spiking.essentials import several
from bridge.tasks import names

QUICK = {**SMALL, "teacher": "current", "units": 100, "learn_trials": 100, "test_trials": 10}
TINY = {"units": 10, "teacher_units": 8, "settle_trials": 1, "learn_trials": 1, "test_trials": 3}


def either_sign(count, rng):
    """A sine of 5 Hz whose sign is that of the pulse."""
    one = drawn(count, rng)
    signs = np.where(rng.random(count) < 0.5, -1.0, 1.0)[:, None]
    return bridge.Trials(inputs=one.inputs * signs, targets=one.targets * signs, labels=one.labels)


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(draw=either_sign), **QUICK)


def test_a_network_learns_trials_that_differ(fit):
    assert fit.trial is fit.start_mv is None
    assert fit.errors.shape == (10,)
    # Without an output it would be 1.
    assert fit.error < 0.3
    assert fit.right is None
    # Trials start at rest.
    assert not any(part.initial_states for part in fit.network.projections)


def test_its_errors_are_those_of_fresh_trials_from_drawn_voltages(fit, monkeypatch):
    monkeypatch.setitem(names._own, "one-sine", one_sine(draw=either_sign))
    drive = fit.drive(10)
    assert drive.v_initial_mv is None
    z = bridge.simulate(fit, drive, backend="reference").readouts["output"]
    # The sign of a pulse is that of its sine.
    signs = np.sign(drive.inputs[0, :, 0])
    f = drawn(10, None).targets[:, :, 0] * signs
    expected = np.square(z[:, :, 0] - f).sum(axis=0) / np.square(f).sum(axis=0)
    # Sums of 200 numbers, perhaps in another order.
    np.testing.assert_allclose(fit.errors, expected, rtol=1e-14)
    assert set(signs) == {-1.0, 1.0}


def test_each_trial_begins_at_voltages_that_are_spread_from_reset_to_threshold():
    task = one_sine(draw=either_sign, step_ms=5.0)
    plan = plan_fit(task, **QUICK)
    lessons = fitting.begun(plan, lambda *_: None, threading.Event(), None).lessons
    one, other = lessons.next(), lessons.next()
    assert not np.array_equal(one.start, other.start)
    for lesson in (one, other):
        # Of 100 even numbers.
        assert -10 <= lesson.start.min() < -9
        assert -1 < lesson.start.max() <= 0
        # Each of its samples holds.
        held = lesson.desired[:, -1].reshape(STEPS, 5)
        wanted = np.repeat(drawn(1, None).targets[:, 0], 5, axis=1)
        np.testing.assert_array_equal(np.abs(held), np.abs(wanted))


def test_it_goes_on_from_a_file_where_it_was_interrupted(fit, monkeypatch, tmp_path):
    learned_trial = fitting.learned_trial

    def stopped(run):
        error = learned_trial(run)
        if len(run.errors) == 5:
            raise KeyboardInterrupt
        return error

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "learned_trial", stopped)
        half = bridge.fit_targets(one_sine(draw=either_sign), **QUICK)
    back = bridge.load(bridge.save(half, tmp_path / "half.h5"))
    whole = bridge.fit_targets(one_sine(draw=either_sign), resume=back)
    np.testing.assert_array_equal(whole.checkpoint.p, fit.checkpoint.p)
    np.testing.assert_array_equal(whole.checkpoint.weights, fit.checkpoint.weights)
    np.testing.assert_array_equal(whole.learning_errors, fit.learning_errors)
    np.testing.assert_array_equal(whole.errors, fit.errors)


def test_a_sample_holds_for_steps_of_about_a_millisecond():
    coarse = bridge.fit_targets(one_sine(step_ms=5.0), **{**QUICK, "learn_trials": 1})
    assert coarse.network.dt_ms == 1.0
    assert coarse.network.sample_steps == 5
    assert coarse.trial.inputs.shape == (STEPS, 1, 1)
    odd = bridge.fit_targets(one_sine(step_ms=2.6), **{**QUICK, "learn_trials": 1})
    assert (odd.network.dt_ms, odd.network.sample_steps) == (2.6 / 3, 3)


def now_and_then_upside_down(part):
    def draw(count, rng):
        one = drawn(count, rng)
        signs = np.where(rng.random(count) < 0.1, -1.0, 1.0)[:, None]
        return dataclasses.replace(one, **{part: getattr(one, part) * signs})

    return draw


@pytest.mark.parametrize("part", ["inputs", "targets"])
def test_what_the_teacher_shows_is_of_the_trial_that_came_and_from_rest(part):
    draw, rng = now_and_then_upside_down(part), np.random.default_rng(0)
    teacher = draw_teacher(plan_fit(one_sine(), **TINY).options, (1, 1), np.random.default_rng(0))
    course = Anew(teacher, lambda: draw(1, rng), 1.0)
    signs = set()
    for _ in range(20):
        shown = course.next()
        expected = teacher.trial(np.zeros(8), course.trial, 1.0)[0]
        np.testing.assert_array_equal(shown, expected)
        signs.add(np.sign(getattr(course.trial, part)[10, 0, 0]))
    assert signs == {-1.0, 1.0}


@pytest.mark.parametrize("part", ["inputs", "targets"])
def test_trials_of_which_few_differ_are_not_taken_for_one(part):
    assert plan_fit(one_sine(draw=now_and_then_upside_down(part))).trial is None
    assert plan_fit(one_sine()).trial is not None


def test_trials_that_say_what_is_right_are_counted(tmp_path):
    made = bridge.fit_targets("oscillation", seed=2, **TINY)
    score = bridge.score(made.network, trials=3, seed=2, backend="reference")
    assert made.right == score.correct
    said = f"{several(made.right, 'answer')} right and nMSE {made.error:.3g} in "
    assert f"{said}{several(len(made.errors), 'trial')} with output to give" in repr(made)
    back = bridge.load(bridge.save(made, tmp_path / "fit.h5"))
    assert (back.right, back.rate_hz) == (made.right, made.rate_hz)
    assert back.rate_hz > 0
    assert back.trial is back.start_mv is None


def test_trials_whose_answer_is_nothing_have_no_nmse_and_are_counted(monkeypatch):
    def as_taken(network, drive, **options):
        recording = simulate(network, drive, **options)
        taken.append((drive, recording))
        return recording

    simulate, taken = judgement.simulate, []
    monkeypatch.setattr(judgement, "simulate", as_taken)
    made = bridge.fit_targets("go-nogo", seed=3, **{**TINY, "learn_trials": 3, "test_trials": 6})
    ((drive, recording),) = taken
    seeded = task_drive(made.network, 6, 3, SCORE)[1].inputs
    np.testing.assert_array_equal(drive.inputs, seeded)
    go = np.abs(drive.inputs).max(axis=(0, 2)) > 0
    assert 0 < go.sum() < 6
    assert made.errors.shape == (go.sum(),)
    # Of an output that would divide by 0.
    assert np.abs(recording.readouts["output"][:, ~go]).max() > 0
    seconds = 6 * recording.trial_s
    # The same quotient.
    assert made.rate_hz == pytest.approx(recording.spikes.count / (10 * seconds), rel=1e-14)
    none = dataclasses.replace(made, errors=np.empty(0))
    assert f"{several(made.right, 'answer')} right on its own" in repr(none)


def test_pictures_that_are_held_out_are_not_learned_from():
    with pytest.raises(SpecError, match="held out, so nothing learns from them"):
        plan_fit(bridge.task("digits"))


def test_trials_that_differ_cannot_run_free(fit):
    with pytest.raises(SpecError, match="free_running: is for tasks whose trials are all alike"):
        bridge.fit_targets(one_sine(draw=either_sign), **{**QUICK, "free_running": True})
    with pytest.raises(SpecError, match="start_mv and trial: there are both"):
        dataclasses.replace(fit, start_mv=np.zeros(fit.network.size))


@pytest.mark.full
def test_three_hundred_neurons_oscillate_after_a_pulse_that_comes_at_any_time():
    made = bridge.fit_targets("oscillation", units=300, teacher_units=300, learn_trials=100, seed=1)
    assert made.right >= 95
