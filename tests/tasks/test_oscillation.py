import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.tasks import rate_correct, spiking_correct

TASK = bridge.task("oscillation")
STRICT = bridge.task("oscillation:strict")


@pytest.fixture
def trials():
    return TASK.trials(30, np.random.default_rng(0))


def sine(trials, period_ms=400.0, phase=0.0, amplitude=1.0):
    """A sine in each trial that starts where its pulse ends, by its own formula."""
    ends_ms = 5.0 * (1 + np.array([np.flatnonzero(one)[-1] for one in trials.inputs[:, :, 0].T]))
    time_ms = 5.0 * np.arange(TASK.steps)[:, None] - ends_ms
    return amplitude * np.sin(2 * np.pi * time_ms / period_ms + phase)[:, :, None]


def test_a_pulse_of_100_ms_starts_a_sine_that_outlasts_it(trials):
    assert trials.inputs.shape == trials.targets.shape == (400, 30, 1)
    starts = set()
    for pulse, target in zip(trials.inputs[:, :, 0].T, trials.targets[:, :, 0].T, strict=True):
        on = np.flatnonzero(pulse)
        assert on.tolist() == list(range(on[0], on[0] + 20))
        assert set(pulse) == {0.0, 1.0}
        assert not target[: on[-1] + 1].any()
        starts.add(on[0])
    assert 20 <= min(starts) < max(starts) < 60
    assert len(starts) > 10
    shown = np.abs(trials.targets) > 0
    np.testing.assert_allclose(trials.targets[shown], sine(trials)[shown], atol=1e-12)


def test_the_period_decides_over_the_length():
    task = bridge.task("oscillation:period_ms=250")
    # 80 samples until the latest start is over, and four periods of 50 samples.
    assert task.steps == 80 + 4 * 50
    target = task.trials(1, np.random.default_rng(0)).targets[100:, 0, 0]
    np.testing.assert_allclose(target[:-50], target[50:], atol=1e-12)


@pytest.mark.parametrize("correct", [rate_correct, spiking_correct])
@pytest.mark.parametrize(
    ("made", "right"),
    [
        ({}, True),
        ({"amplitude": 0.51}, True),
        ({"amplitude": 0.49}, False),
        ({"amplitude": 1.49}, True),
        ({"amplitude": 1.51}, False),
        ({"amplitude": 0.0}, False),
        ({"period_ms": 400 * 1.2}, False),
        ({"period_ms": 400 / 1.2}, False),
        ({"period_ms": 200}, False),
    ],
)
def test_amplitude_and_period_count(trials, correct, made, right):
    assert set(correct(TASK, sine(trials, **made), trials)) == {right}


def test_a_period_off_by_an_eighth_at_most_is_the_same(trials):
    # The part of a sine in a wave of another frequency, over three periods of the wave, is
    # sinc(3 (f/f0 - 1)) where its mirror image is left out: 0.8 of it is left at 11.9 %.
    for off, right in ((0.06, True), (0.18, False)):
        for faster in (1 + off, 1 / (1 + off)):
            answer = sine(trials, period_ms=400 / faster)
            assert set(TASK.spiking_correct(answer, trials)) == {right}


def test_the_phase_counts_in_rate_networks_and_in_strict_scoring(trials):
    # cos 30 degrees = 0.87 of the sine is in phase, cos 45 degrees = 0.71: the limit is 0.8.
    for phase, right in ((np.pi / 6, True), (np.pi / 4, False), (np.pi, False)):
        answer = sine(trials, phase=phase)
        assert set(rate_correct(TASK, answer, trials)) == {right}
        assert set(spiking_correct(TASK, answer, trials)) == {True}
        assert set(spiking_correct(STRICT, answer, trials)) == {right}


def test_noise_and_a_mean_are_borne_up_to_the_likeness_of_four_fifths(trials):
    # Likeness 1 / sqrt(1 + 2 sd^2): 0.8 at sd = 0.53. A mean is no part of it.
    noise = np.random.default_rng(1).standard_normal(trials.targets.shape)
    for sd, right in ((0.42, True), (0.65, False)):
        answer = sine(trials) + sd * noise + 3.0
        assert set(spiking_correct(TASK, answer, trials)) == {right}


def test_only_the_last_three_periods_count(trials):
    late = sine(trials)
    late[:160] = 5.0
    assert TASK.spiking_correct(late, trials).all()
    late[160:170] = 5.0
    assert not TASK.spiking_correct(late, trials).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("oscillation:period_ms=95", "period_ms must lie between 100 and 2000, got 95"),
        ("oscillation:period_ms=2005", "period_ms must lie between 100 and 2000, got 2005"),
        ("oscillation:period_ms=402", "period_ms must be a multiple of 5, got 402"),
    ],
)
def test_a_period_that_cannot_be_is_refused(name, message):
    with pytest.raises(SpecError, match=message):
        bridge.task(name)
