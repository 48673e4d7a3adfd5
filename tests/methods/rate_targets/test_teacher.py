import math

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, drawn

from bridge.errors import SpecError
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.teacher import (
    draw_teacher,
    principal_components,
    project,
)

TRIAL = drawn(1, None)


def teacher_of(form, **options):
    chosen = TargetOptions(**{**SMALL, "teacher": form, **options})
    return draw_teacher(chosen, (1, 1), np.random.default_rng(5)), chosen


def plain_course(teacher, trials):
    """Currents or rates of the last trial, by the equations of the two forms, unit by unit."""
    left = math.exp(-1.0 / 10.0)
    state = teacher.start.tolist()
    for _ in range(trials):
        kept = []
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
def test_the_teacher_follows_its_equation_until_it_repeats_itself(form):
    teacher, _ = teacher_of(form, units=12, teacher_units=12)
    found = teacher.course(TRIAL, 1.0, 60)
    expected = plain_course(teacher, 25)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(expected).max() > 0.3


def test_a_teacher_that_never_repeats_itself_is_refused():
    teacher, _ = teacher_of("current", teacher_gain=8.0)
    with pytest.raises(SpecError, match="after 3 trials it does not yet repeat itself"):
        teacher.course(TRIAL, 1.0, 3)


def test_the_components_hold_the_power_asked_for_and_no_fewer_do():
    rng = np.random.default_rng(0)
    course = rng.normal(size=(300, 9)) * np.geomspace(10, 0.01, 9)
    power = np.linalg.svd(course, compute_uv=False) ** 2
    for kept in (0.5, 0.9, 0.999):
        directions = principal_components(course, kept)
        held = np.square(course @ directions).sum() / np.square(course).sum()
        count = directions.shape[1]
        assert held > kept >= power[: count - 1].sum() / power.sum()
        np.testing.assert_allclose(directions.T @ directions, np.eye(count), atol=1e-12)
    assert principal_components(course, 1.0).shape == (9, 9)


@pytest.mark.parametrize("form", ["current", "rate"])
def test_the_projection_gives_each_neuron_its_share_of_the_currents(form):
    teacher, options = teacher_of(form, variance_kept=1.0)
    course = teacher.course(TRIAL, 1.0, 40)
    targets = project(teacher, course, options, np.random.default_rng(6))
    # The same projection, by the same numbers and another way to make columns orthonormal.
    drawn_ = np.random.default_rng(6).uniform(-1, 1, (70, 50))
    u = 6.0 * (drawn_ @ np.linalg.inv(np.linalg.cholesky(drawn_.T @ drawn_)).T)
    currents = course
    if form == "rate":
        rates, f_out = course[:, :-1], course[:, -1:]
        currents = rates @ teacher.recurrent.T + f_out @ teacher.w_out.T
    found = targets.signals @ targets.onto.T
    # Columns are the same up to their signs, whose squares are the lengths.
    np.testing.assert_allclose(
        np.square(found).sum(axis=1), 36.0 * np.square(currents).sum(axis=1), rtol=1e-6
    )
    signs = np.sign((np.linalg.qr(drawn_)[0] * u).sum(axis=0))
    np.testing.assert_allclose(found, (currents * signs) @ u.T, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(targets.w_in, (u * signs) @ teacher.w_in, rtol=1e-9)
