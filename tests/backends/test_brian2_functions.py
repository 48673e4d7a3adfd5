"""Functions of our own that Brian2's numpy target calls in every step."""

import numpy as np
import pytest

from bridge.backends.brian2.late import late_function
from bridge.backends.brian2.runtime import _table
from bridge.backends.brian2.statements import CHOOSE, FLOOR
from bridge.backends.brian2.vocabulary import functions

CASES = {
    "choose": (
        lambda: functions()[CHOOSE], (np.array([1, 0]), np.ones(2), np.zeros(2)), [1.0, 0.0]
    ),
    "floor": (lambda: functions()[FLOOR], (np.array([-0.5, 3e10 + 0.5]),), [-1.0, 3e10]),
    "late": (
        lambda: late_function("late", np.array([0, 2], dtype=np.int32)),
        (np.array([5.0, 6.0]), np.array(7), np.arange(2)),
        [5.0, 0.0],
    ),
    "table": (
        lambda: _table("table", np.array([4, 5, -1], dtype=np.int32)), (np.array([2, 0]),), [-1, 4]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_step_makes_no_text_of_what_a_function_gives(name):
    # Brian2 would check units, with the array itself in the sentence for when they are wrong: half
    # of the time of a run.
    def refused(number):
        raise AssertionError(f"{number} was made a text")

    make, given, expected = CASES[name]
    code = make().implementations["numpy"].get_code(None)
    with np.printoptions(formatter={"all": refused}):
        got = code(*given)
    assert got.tolist() == expected
