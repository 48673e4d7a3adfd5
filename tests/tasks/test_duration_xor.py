import numpy as np
import pytest

import bridge
from bridge.tasks import rate_correct, spiking_correct

BOTH = (rate_correct, spiking_correct)
TASK = bridge.task("duration-xor")


@pytest.fixture
def trials():
    return TASK.trials(12, np.random.default_rng(0))


def spans(signal):
    """(first sample, length) of each stretch in which a signal is not 0."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(signal != 0, int), [0]])))
    return [(int(start), int(stop - start)) for start, stop in zip(*[iter(edges)] * 2, strict=True)]


def test_two_pulses_and_an_answer_follow_one_another(trials):
    assert trials.inputs.shape == trials.targets.shape == (320, 12, 1)
    assert set(np.unique(trials.inputs)) == {0.0, 1.0}
    for trial in range(12):
        (first, long1), (second, long2) = spans(trials.inputs[:, trial, 0])
        ((answer, length),) = spans(trials.targets[:, trial, 0])
        assert (first, second, answer) == (20, 20 + long1 + 40, second + long2 + 40)
        assert length == 80
        words = ["short" if each == 20 else "long" for each in (long1, long2)]
        assert {long1, long2} <= {20, 60}
        assert TASK.conditions[trials.labels[trial]] == ", ".join(words)
        sign = 1.0 if words[0] != words[1] else -1.0
        assert set(trials.targets[answer : answer + 80, trial, 0]) == {sign}


def test_each_pair_of_durations_occurs_equally_often(trials):
    assert np.bincount(trials.labels).tolist() == [3, 3, 3, 3]


def test_the_answer_counts_where_it_should_be_in_each_trial(trials):
    for trial in range(12):
        one = trials.chosen(np.array([trial]))
        ((start, _),) = spans(one.targets[:, 0, 0])
        for sample, counted in ((start - 1, False), (start, True), (start + 79, True),
                                (start + 80, False)):  # fmt: skip
            answer = np.zeros_like(one.targets)
            answer[sample] = 0.71 * one.targets[start]
            for correct in BOTH:
                assert correct(TASK, answer, one).tolist() == [counted]


@pytest.mark.parametrize(("height", "right"), [(0.7, False), (0.701, True), (-1.0, False)])
def test_the_answer_must_go_beyond_its_threshold_on_its_side(trials, height, right):
    for correct in BOTH:
        assert set(correct(TASK, height * trials.targets, trials)) == {right}


def test_strict_scoring_takes_no_answer_on_both_sides(trials):
    strict = bridge.task("duration-xor:strict")
    assert strict.name == "duration-xor:strict"
    for trial in range(12):
        ((start, _),) = spans(trials.targets[:, trial, 0])
        trials.targets[start + 30 : start + 40, trial] *= -1
    for correct in BOTH:
        assert correct(TASK, trials.targets, trials).all()
        assert not correct(strict, trials.targets, trials).any()
