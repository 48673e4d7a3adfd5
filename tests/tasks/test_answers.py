"""The classes that a task takes outputs for, checked."""

from types import SimpleNamespace

import numpy as np
import pytest

from bridge.errors import SpecError
from bridge.tasks import answers

OUTPUTS = np.zeros((3, 2, 4))


def named(given):
    """What a task of two conditions answers where its method gives that."""
    task = SimpleNamespace(name="mine", conditions=("a", "b"), answers=lambda _: given)
    return answers(task, OUTPUTS)


def test_answers_are_numbers_of_conditions_and_none_where_a_task_names_none():
    given = np.array([[0, 1], [1, 1], [0, 0]], np.uint8)
    np.testing.assert_array_equal(named(given), given)
    assert named(given).dtype == np.int64
    assert answers(SimpleNamespace(name="mine", conditions=("a",)), OUTPUTS) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [(np.zeros((3, 1), int), r"of shape \(3, 2\), got int64 of shape \(3, 1\)"),
     (np.zeros((3, 2)), r"got float64 of shape \(3, 2\)"),
     (np.full((3, 2), 2), "between 0 and 1, got 2 to 2"),
     (np.full((3, 2), -1), "between 0 and 1, got -1 to -1")],
)  # fmt: skip
def test_answers_of_another_shape_or_of_no_condition_are_refused(given, said):
    with pytest.raises(SpecError, match=f"task 'mine': answers must .*{said}"):
        named(given)
