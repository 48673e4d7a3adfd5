"""A sine of 5 Hz with a pulse at the start of each period: the smallest task to learn."""

import numpy as np

import bridge
from bridge.methods.rate_targets.learner import Learner, draw_fixed
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.targets import LessonsInARow, draw_projection, project
from bridge.methods.rate_targets.teacher import Course, draw_teacher

STEPS = 200
SMALL = {
    "units": 70, "teacher_units": 50, "settle_trials": 25, "mean_trials": 3, "learn_trials": 30,
    "test_trials": 5, "teacher": "rate",
}  # fmt: skip


def drawn(count, rng):
    turns = np.arange(STEPS) / STEPS
    alike = (np.where(turns < 0.1, 0.5, 0.0), np.sin(2 * np.pi * turns))
    inputs, targets = (np.tile(each[:, None, None], (1, count, 1)) for each in alike)
    return bridge.Trials(inputs=inputs, targets=targets, labels=np.zeros(count, dtype=int))


def one_sine(**fields):
    given = {
        "name": "one-sine", "step_ms": 1.0, "steps": STEPS, "input_size": 1, "draw": drawn
    } | fields  # fmt: skip
    return bridge.FunctionTask(output_size=1, conditions=("only",), measure=bridge.nmse(), **given)


def learner_of(**options):
    """A learner that has not learned, its targets, and its lessons."""
    chosen = TargetOptions(**{**SMALL, **options})
    trial = drawn(1, None)
    teacher = draw_teacher(chosen, (1, 1), np.random.default_rng(1))
    course = Course(teacher, trial, 1.0)
    projection = draw_projection(chosen, np.random.default_rng(2))
    targets = project(teacher, course, chosen, projection)
    fixed = draw_fixed(chosen, targets, np.random.default_rng(3))
    return Learner(fixed, targets.onto, 1, 1.0), targets, LessonsInARow(targets, course, trial)
