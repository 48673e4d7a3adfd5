import numpy as np
import pytest

import bridge
from bridge.tasks import rate_correct, spiking_correct

BOTH = (rate_correct, spiking_correct)


@pytest.fixture
def trials():
    return bridge.task("xor").trials(12, np.random.default_rng(0))


def where(values):
    return np.flatnonzero(values).tolist()


def test_two_stimuli_and_the_answer_are_where_the_paper_has_them(trials):
    assert trials.inputs.shape == (300, 12, 2)
    assert trials.targets.shape == (300, 12, 1)
    for trial in range(12):
        first, second = trials.inputs[:, trial].T
        target = trials.targets[:, trial, 0]
        assert where(first) == list(range(50, 100))
        assert where(second) == list(range(110, 160))
        assert where(target) == list(range(170, 270))
        signs = first[60], second[120]
        assert set(np.abs(signs)) == {1.0}
        assert set(target[170:270]) == {signs[0] * signs[1]}
        name = "".join("+" if sign > 0 else "-" for sign in signs)
        assert bridge.task("xor").conditions[trials.labels[trial]] == name


def test_each_pair_of_signs_occurs_equally_often(trials):
    assert np.bincount(trials.labels).tolist() == [3, 3, 3, 3]


def test_the_answer_counts_from_one_second_on(trials):
    task = bridge.task("xor")
    answer = np.zeros_like(trials.targets)
    for sample, counted in ((199, False), (200, True), (299, True)):
        answer[:] = 0
        answer[sample] = 0.71 * trials.targets[180]
        for correct in BOTH:
            assert set(correct(task, answer, trials)) == {counted}


@pytest.mark.parametrize(("height", "right"), [(0.7, False), (0.701, True), (-1.0, False)])
def test_the_answer_must_go_beyond_its_threshold_on_its_side(trials, height, right):
    for correct in BOTH:
        assert set(correct(bridge.task("xor"), height * trials.targets, trials)) == {right}


def test_strict_scoring_takes_no_answer_on_both_sides(trials):
    both = trials.targets.copy()
    both[220:230] *= -1
    usual, strict = bridge.task("xor"), bridge.task("xor:strict")
    for correct in BOTH:
        assert correct(usual, both, trials).all()
        assert not correct(strict, both, trials).any()
        both[220:230] = -0.7 * trials.targets[180]
        assert correct(strict, both, trials).all()
        both[220:230] = -trials.targets[180]
    # Before the window nothing counts.
    early = trials.targets.copy()
    early[:200] *= -1
    assert strict.spiking_correct(early, trials).all()


def test_an_output_that_is_no_number_is_wrong(trials):
    nothing = np.full_like(trials.targets, np.nan)
    for name in ("xor", "xor:strict"):
        assert not bridge.task(name).rate_correct(nothing, trials).any()
