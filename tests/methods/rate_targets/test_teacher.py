import math

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, drawn

from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.targets import (
    LessonsInARow,
    draw_projection,
    principal_components,
    project,
)
from bridge.methods.rate_targets.teacher import Course, draw_teacher

TRIAL = drawn(1, None)


def teacher_of(form, **options):
    chosen = TargetOptions(**{**SMALL, "teacher": form, **options})
    return draw_teacher(chosen, (1, 1), np.random.default_rng(5)), chosen


def drawn_projection(options):
    return draw_projection(options, np.random.default_rng(6))


def plain_course(teacher, trials):
    """Currents or rates, trial after trial, by the equations of the two forms, unit by unit."""
    left = math.exp(-1.0 / 10.0)
    state, kept = teacher.start.tolist(), []
    for _ in range(trials):
        for f_in, f_out in zip(TRIAL.inputs[:, 0, 0], TRIAL.targets[:, 0, 0], strict=True):
            rates = [math.tanh(x) for x in state] if teacher.form == "current" else state
            currents = [
                math.fsum(w * r for w, r in zip(row, rates, strict=True)) + out * f_out
                for row, out in zip(teacher.recurrent, teacher.w_out[:, 0], strict=True)
            ]
            goals = [h + in_ * f_in for h, in_ in zip(currents, teacher.w_in[:, 0], strict=True)]
            if teacher.form == "rate":
                goals = [math.tanh(goal) for goal in goals]
            kept.append(currents if teacher.form == "current" else [*state, f_out])
            state = [g + (x - g) * left for x, g in zip(state, goals, strict=True)]
    return np.array(kept)


@pytest.mark.parametrize("form", ["current", "rate"])
def test_the_teacher_follows_its_equation(form):
    teacher, _ = teacher_of(form, units=12, teacher_units=12)
    course = Course(teacher, TRIAL, 1.0)
    found = np.concatenate([course.next(), course.next()])
    expected = plain_course(teacher, 2)
    # Each step sums 12 products of numbers up to 2 in another order.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert np.abs(expected).max() > 0.3


def test_what_repeats_itself_is_not_computed_again():
    teacher, options = teacher_of("rate")
    course = Course(teacher, TRIAL, 1.0)
    made = [course.next() for _ in range(40)]
    assert made[-1] is made[-2]
    assert course.repeats
    # What changes by less than 1e-12 of its power, 1e-6 of its amplitude, counts as repeated.
    again = teacher.trial(course._state, TRIAL, 1.0)[0]
    np.testing.assert_allclose(made[-1], again, rtol=0, atol=2e-6)
    lessons = LessonsInARow(
        project(teacher, course, options, drawn_projection(options)), course, TRIAL
    )
    assert lessons.next() is lessons.next()


def test_a_teacher_that_stays_chaotic_goes_on_from_lesson_to_lesson():
    teacher, options = teacher_of("current", teacher_gain=8.0, component_trials=3)
    course = Course(teacher, TRIAL, 1.0)
    targets = project(teacher, course, options, drawn_projection(options))
    lessons = LessonsInARow(targets, course, TRIAL)
    one, other = lessons.next(), lessons.next()
    assert not course.repeats
    assert np.abs(one.signals - other.signals).max() > 0.1
    # The 25 trials to settle end in the first from which components are taken, and two follow.
    alike = Course(teacher, TRIAL, 1.0)
    seen = [alike.next() for _ in range(25 + 2 + 2)]
    np.testing.assert_array_equal(one.signals, seen[-2] @ targets.directions)
    np.testing.assert_array_equal(other.signals, seen[-1] @ targets.directions)
    held = np.concatenate(seen[-5:-2]) @ targets.directions
    # Means of numbers up to 42, trial by trial or of all at once.
    np.testing.assert_allclose(targets.mean, held.mean(axis=0), rtol=0, atol=1e-12)


def test_the_components_hold_the_power_asked_for_and_no_fewer_do():
    rng = np.random.default_rng(0)
    course = rng.normal(size=(300, 9)) * np.geomspace(10, 0.01, 9)
    power = np.linalg.svd(course, compute_uv=False) ** 2
    for kept in (0.5, 0.9, 0.999):
        directions = principal_components(course.T @ course, kept)
        held = np.square(course @ directions).sum() / np.square(course).sum()
        count = directions.shape[1]
        assert held > kept >= power[: count - 1].sum() / power.sum()
        # Orthonormal but for rounding.
        np.testing.assert_allclose(directions.T @ directions, np.eye(count), rtol=0, atol=1e-14)
    assert principal_components(course.T @ course, 1.0).shape == (9, 9)


@pytest.mark.parametrize("form", ["current", "rate"])
def test_the_projection_gives_each_neuron_its_share_of_the_currents(form):
    teacher, options = teacher_of(form, variance_kept=1.0)
    running = Course(teacher, TRIAL, 1.0)
    targets = project(teacher, running, options, drawn_projection(options))
    course = running.next()
    # The same projection, by the same numbers and another way to make columns orthonormal.
    drawn_ = np.random.default_rng(6).uniform(-1, 1, (70, 50))
    u = 6.0 * (drawn_ @ np.linalg.inv(np.linalg.cholesky(drawn_.T @ drawn_)).T)
    currents = course
    if form == "rate":
        rates, f_out = course[:, :-1], course[:, -1:]
        currents = rates @ teacher.recurrent.T + f_out @ teacher.w_out.T
    found = LessonsInARow(targets, running, TRIAL).next().forced
    # Currents are taken as they are. Of rates and outputs, components with 1e-16 of the power are
    # lost to rounding: 1e-8 of the amplitude.
    rounded = 1e-12 if form == "current" else 1e-6
    # Columns are the same up to their signs, whose squares are the lengths.
    np.testing.assert_allclose(
        np.square(found).sum(axis=1), 36.0 * np.square(currents).sum(axis=1), rtol=rounded
    )
    signs = np.sign((np.linalg.qr(drawn_)[0] * u).sum(axis=0))
    np.testing.assert_allclose(found, (currents * signs) @ u.T, rtol=rounded, atol=rounded)
    # Two ways to make 50 columns of 70 numbers orthonormal.
    np.testing.assert_allclose(targets.w_in, (u * signs) @ teacher.w_in, rtol=1e-12)
