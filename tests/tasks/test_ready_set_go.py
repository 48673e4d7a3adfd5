import math

import numpy as np
import pytest

import bridge
from bridge.tasks import measured, rate_correct, spiking_correct

BOTH = (rate_correct, spiking_correct)
TASK = bridge.task("ready-set-go")
INTERVALS_MS = (300, 400, 500, 600, 700)


@pytest.fixture
def trials():
    return TASK.trials(20, np.random.default_rng(0))


def moved(trials, samples, height=1.0):
    """The targets, so many samples later."""
    return height * np.roll(trials.targets, samples, axis=0)


def test_the_answer_comes_as_long_after_set_as_set_came_after_ready(trials):
    assert trials.inputs.shape == trials.targets.shape == (340, 20, 1)
    found = set()
    for trial in range(20):
        pulse, target = trials.inputs[:, trial, 0], trials.targets[:, trial, 0]
        ready, set_ = np.flatnonzero(np.diff(pulse, prepend=0) == 1)
        assert np.flatnonzero(pulse).tolist() == [*range(20, 30), *range(set_, set_ + 10)]
        go = np.argmax(target)
        assert go - set_ == set_ - ready
        assert TASK.conditions[trials.labels[trial]] == f"{5 * (set_ - ready)} ms"
        # Half a period of a squared sine, 200 ms long.
        for sample in range(340):
            phase = math.pi * (sample - go) / 40
            expected = math.cos(phase) ** 2 if abs(phase) < math.pi / 2 else 0.0
            assert target[sample] == pytest.approx(expected, abs=1e-12)
        found.add(5 * (set_ - ready))
    assert found == set(INTERVALS_MS)
    assert np.bincount(trials.labels).tolist() == [4] * 5


@pytest.mark.parametrize("correct", BOTH)
@pytest.mark.parametrize(
    ("samples", "height", "right"),
    [(0, 1.0, True), (9, 1.0, True), (-9, 1.0, True), (10, 1.0, False), (-10, 1.0, False),
     (0, 0.49, False), (0, 0.51, True), (0, -1.0, False)],
)  # fmt: skip
def test_an_answer_is_right_that_is_nearest_to_its_own_interval(
    trials, correct, samples, height, right
):
    assert set(correct(TASK, moved(trials, samples, height), trials)) == {right}


def test_the_measure_is_how_far_an_answer_is_off(trials):
    for samples in (0, 4, -7):
        off_ms = measured(TASK, moved(trials, samples), trials)
        # Means of a few sample numbers.
        np.testing.assert_allclose(off_ms, 5.0 * abs(samples), rtol=0, atol=1e-9)
    # One that never comes is off by its interval.
    never = measured(TASK, 0 * trials.targets, trials)
    assert never.tolist() == [INTERVALS_MS[label] for label in trials.labels]


def test_an_output_that_is_up_too_long_or_before_set_is_no_answer(trials):
    one = trials.chosen(np.array([0]))
    go = int(np.argmax(one.targets[:, 0, 0]))
    set_ = (20 + go) // 2
    for half, right in ((20, True), (21, False)):
        broad = np.zeros_like(one.targets)
        broad[go - half : go + half] = 1.0
        for correct in BOTH:
            assert correct(TASK, broad, one).tolist() == [right]
    early = np.zeros_like(one.targets)
    early[:set_] = 1.0
    assert measured(TASK, early, one).tolist() == [5.0 * (go - set_)]
    assert rate_correct(TASK, early + one.targets, one).all()
