import math

import numpy as np
import pytest

import bridge
from bridge.tasks import measured, rate_correct

TASK = bridge.task("reaching")


@pytest.fixture
def trials():
    return TASK.trials(16, np.random.default_rng(0))


def test_the_input_says_wait_and_where_to_in_two_channels(trials):
    assert trials.inputs.shape == (190, 16, 3)
    assert np.bincount(trials.labels).tolist() == [2] * 8
    assert not trials.targets[:70].any()
    for trial, label in enumerate(trials.labels):
        wait, cosine, sine = trials.inputs[:, trial].T
        assert wait.tolist() == [1.0] * 70 + [0.0] * 120
        angle = math.radians(int(TASK.conditions[label].removesuffix(" degrees")))
        # Sines of the same angle, in degrees and in turns.
        np.testing.assert_allclose(cosine, 0.5 * math.cos(angle), rtol=0, atol=1e-15)
        np.testing.assert_allclose(sine, 0.5 * math.sin(angle), rtol=0, atol=1e-15)


def test_muscles_pull_brake_and_hold_by_the_angle_between_them_and_the_reach():
    patterns = TASK.patterns()
    assert patterns.shape == (8, 120, 4)
    for place in range(8):
        for muscle in range(4):
            pull = math.cos(math.radians(45 * place - 90 * muscle))
            for sample in (0, 30, 55, 60, 119):
                time_ms = 5 * sample
                start = math.exp(-(((time_ms - 150) / 50) ** 2) / 2)
                brake = math.exp(-(((time_ms - 300) / 60) ** 2) / 2)
                hold = 0.3 / (1 + math.exp(-(time_ms - 400) / 40)) * (1 + pull) / 2
                expected = max(pull, 0) * start + max(-pull, 0) * brake + hold
                assert patterns[place, sample, muscle] == pytest.approx(expected, abs=1e-13)


def test_a_trial_shows_the_pattern_of_its_direction_and_is_scored_by_nmse(trials):
    patterns = TASK.patterns()
    for trial, label in enumerate(trials.labels):
        np.testing.assert_array_equal(trials.targets[70:, trial], patterns[label])
    half = measured(TASK, 0.5 * trials.targets, trials)
    np.testing.assert_allclose(half, 0.25, rtol=1e-14)
    # A tenth of the power is left at 1 - sqrt(0.1) = 0.684 of the height.
    for height, right in ((0.68, False), (0.69, True)):
        assert set(rate_correct(TASK, height * trials.targets, trials)) == {right}
