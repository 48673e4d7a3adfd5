import numpy as np
import pytest

import bridge
from bridge.tasks.trials import balanced_labels

NAMES = (
    "go-nogo", "xor", "context", "oscillation", "flip-flop", "duration-xor", "ready-set-go",
    "reaching",
)  # fmt: skip


@pytest.mark.parametrize("conditions", [1, 2, 4, 8])
@pytest.mark.parametrize("count", [0, 1, 3, 8, 13])
def test_conditions_occur_equally_often_but_for_one(conditions, count):
    for seed in range(20):
        labels = balanced_labels(count, conditions, np.random.default_rng(seed))
        often = np.bincount(labels, minlength=conditions)
        assert (labels.shape, often.size) == ((count,), conditions)
        assert often.max() - often.min() <= 1


def test_chance_decides_which_condition_occurs_once_more():
    rng = np.random.default_rng(0)
    often = sum(np.bincount(balanced_labels(5, 4, rng), minlength=4) for _ in range(400))
    # Each of four conditions is the odd one in a quarter of 400 draws, s.d. sqrt(400 * 3/16) = 9.
    assert np.abs(often - 400 - 100).max() < 4 * 9


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_decides_over_the_trials(name):
    task = bridge.task(name)
    first, again, other = (task.trials(16, np.random.default_rng(seed)) for seed in (3, 3, 4))
    for part in ("inputs", "targets", "labels"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.inputs, other.inputs)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oscillation"])
def test_conditions_come_in_random_order(name):
    task = bridge.task(name)
    orders = {tuple(task.trials(8, np.random.default_rng(seed)).labels) for seed in range(9)}
    assert len(orders) > 6
