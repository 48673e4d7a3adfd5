"""Trials and scores are held against what a task says of itself."""

import re

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.tasks import check_task, draw, rate_correct, spiking_correct

RNG = np.random.default_rng(0)
RIGHT = {
    "inputs": np.ones((3, 5, 2)),
    "targets": np.zeros((3, 5, 1)),
    "labels": np.array([0, 1, 0, 1, 1]),
}
FIELDS = {
    "name": "mine", "step_ms": 5.0, "steps": 3, "input_size": 2, "output_size": 1,
    "conditions": ("a", "b"), "correct": lambda outputs, trials: np.ones(5, dtype=bool),
}  # fmt: skip


def drawing(**parts):
    """A task of one's own that draws these trials, else right ones."""
    trials = bridge.Trials(**{**RIGHT, **parts})
    return bridge.FunctionTask(**FIELDS, draw=lambda count, rng: trials)


def scoring(answer):
    """A task of one's own that scores so."""
    fields = {**FIELDS, "correct": lambda outputs, trials: answer}
    return bridge.FunctionTask(**fields, draw=lambda count, rng: bridge.Trials(**RIGHT))


def with_nan(value):
    targets = np.zeros((3, 5, 1))
    targets[2, 4, 0] = value
    return targets


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"inputs": np.ones((3, 5, 1))},
            "task 'mine': expected inputs of shape (3, 5, 2) (samples, trials, channels), "
            "got (3, 5, 1)",
        ),
        ({"inputs": np.ones((5, 3, 2))}, "expected inputs of shape (3, 5, 2)"),
        ({"targets": np.zeros((3, 5))}, "expected targets of shape (3, 5, 1)"),
        ({"targets": with_nan(np.nan)}, "task 'mine': targets hold NaN or infinite values"),
        ({"targets": with_nan(np.inf)}, "task 'mine': targets hold NaN or infinite values"),
        ({"targets": np.zeros((3, 5, 1), dtype=complex)}, "expected targets of real numbers"),
        ({"inputs": np.full((3, 5, 2), "one")}, "expected inputs of real numbers"),
        ({"labels": np.zeros(4, dtype=int)}, "expected labels of shape (5,) and whole numbers"),
        ({"labels": np.zeros(5)}, "expected labels of shape (5,) and whole numbers"),
        (
            {"labels": np.array([0, 1, 2, 0, 0])},
            "labels must lie between 0 and 1, one for each condition, got 0 to 2",
        ),
        ({"labels": np.array([0, 1, -1, 0, 0])}, "got -1 to 1"),
        ({"inputs": [[[1.0, 2.0]], [[1.0]]]}, "task 'mine': inputs is not an array ("),
        ({"labels": [[0], [1, 2]]}, "task 'mine': labels is not an array ("),
    ],
)
def test_trials_that_are_not_the_tasks_are_refused(parts, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        draw(drawing(**parts), 5, RNG)


def test_trials_of_another_type_are_refused():
    task = bridge.FunctionTask(**FIELDS, draw=lambda count, rng: (1, 2, 3))
    with pytest.raises(SpecError, match=r"are of type tuple, expected bridge\.Trials"):
        draw(task, 5, RNG)


def test_lists_and_other_numbers_become_arrays():
    made = draw(drawing(inputs=RIGHT["inputs"].astype(int).tolist()), 5, RNG)
    assert made.inputs.dtype == made.targets.dtype == np.float64
    assert made.labels.dtype == np.int64
    assert made.inputs.tolist() == RIGHT["inputs"].tolist()


@pytest.mark.parametrize("correct", [rate_correct, spiking_correct])
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.ones(5), "must give bools of shape (5,), one for each trial, got float64 of shape"),
        (np.ones(4, dtype=bool), "got bool of shape (4,)"),
        (np.ones((5, 1), dtype=bool), "got bool of shape (5, 1)"),
        (True, "got bool of shape ()"),
        (None, "got object of shape ()"),
    ],
)
def test_scores_that_are_not_one_bool_for_each_trial_are_refused(correct, answer, message):
    trials = bridge.Trials(**RIGHT)
    with pytest.raises(SpecError, match=re.escape(message)):
        correct(scoring(answer), RIGHT["targets"], trials)


@pytest.mark.parametrize("correct", [rate_correct, spiking_correct])
def test_outputs_of_another_shape_are_refused(correct):
    task = bridge.task("flip-flop:bits=2")
    trials = draw(task, 4, RNG)
    message = "expected outputs of shape (340, 4, 2) (samples, trials, outputs), got (340, 4, 1)"
    with pytest.raises(SpecError, match=re.escape(message)):
        correct(task, trials.targets[:, :, :1], trials)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "a b"}, "task 'a b': a name is of letters, digits and . _ -"),
        ({"name": ""}, "task '': a name is of letters"),
        ({"name": None}, "task None: a name is of letters"),
        ({"step_ms": 0}, "task 'mine': step_ms must be positive, got 0"),
        ({"step_ms": float("nan")}, "step_ms must be positive, got nan"),
        ({"step_ms": "5"}, "step_ms must be positive, got '5'"),
        ({"steps": 1}, "steps must be a whole number from 2 on, got 1"),
        ({"steps": 2.5}, "steps must be a whole number from 2 on, got 2.5"),
        ({"input_size": 0}, "input_size must be a whole number from 1 on, got 0"),
        ({"output_size": True}, "output_size must be a whole number from 1 on, got True"),
        ({"conditions": ()}, "conditions must be a tuple of names, got ()"),
        ({"conditions": "ab"}, "conditions must be a tuple of names, got 'ab'"),
        ({"conditions": (1, 2)}, "conditions must be a tuple of names, got (1, 2)"),
    ],
)
def test_a_task_that_says_of_itself_what_cannot_be_is_refused(changed, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        bridge.FunctionTask(**{**FIELDS, **changed}, draw=lambda count, rng: None)


def test_what_lacks_the_methods_of_a_task_is_none():
    class Half:
        name, step_ms, steps, input_size, output_size = "half", 5.0, 3, 1, 1
        trials = 7

    message = "Half is not a task: it lacks conditions, rate_correct, spiking_correct, trials"
    with pytest.raises(SpecError, match=message):
        check_task(Half())


def test_chosen_trials_come_in_the_order_given():
    trials = bridge.task("context").trials(6, RNG)
    part = trials.chosen(np.array([4, 1]))
    np.testing.assert_array_equal(part.inputs, trials.inputs[:, [4, 1]])
    np.testing.assert_array_equal(part.targets, trials.targets[:, [4, 1]])
    np.testing.assert_array_equal(part.labels, trials.labels[[4, 1]])
