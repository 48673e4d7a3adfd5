"""Shifts of what runs free, and how it is judged."""

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, STEPS, one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets.judgement import best_shifts


def test_shifts_are_those_by_which_the_pattern_was_moved_and_drift_beyond_a_trial():
    rng = np.random.default_rng(0)
    target = rng.normal(size=(100, 2))
    moved = np.array([0, 3, -4, -30, -60, -90, -130, -99])
    outputs = np.stack([np.roll(target, shift, axis=0) for shift in moved], axis=1)
    outputs += 0.1 * rng.normal(size=outputs.shape)
    np.testing.assert_array_equal(best_shifts(outputs, target), moved)


@pytest.fixture(scope="module")
def free():
    return bridge.fit_targets(one_sine(), **{**SMALL, "free_running": True, "test_trials": 8})


def test_a_network_makes_the_pattern_without_any_input(free):
    assert not free.trial.inputs.any()
    assert not free.drive(2).inputs.any()
    assert free.error < 0.1
    assert "after the best shift, drift" in repr(free)
    assert free.drift_ms == free.shifts_ms[-1]


def test_its_errors_are_those_of_the_shifted_target(free):
    z = bridge.simulate(free, free.drive(8)).readouts["output"][:, 0, 0].reshape(8, STEPS)
    f = free.trial.targets[:, 0, 0]
    for number, trial in enumerate(z):
        # The best of all shifts, tried one by one.
        tried = [np.square(trial - np.roll(f, shift)).sum() for shift in range(STEPS)]
        # Sums of 200 numbers in another order.
        assert free.errors[number] == pytest.approx(min(tried) / np.square(f).sum(), rel=5e-13)
        assert free.shifts_ms[number] % STEPS == np.argmin(tried)


def test_shifts_and_rates_are_of_the_time_that_samples_last():
    tiny = {"units": 10, "teacher_units": 8, "settle_trials": 1, "learn_trials": 1}
    free = bridge.fit_targets(one_sine(step_ms=5.0), **tiny, test_trials=4, free_running=True)
    recording = bridge.simulate(free, free.drive(4))
    outputs = recording.readouts["output"][:, 0].reshape(4, STEPS, 1).swapaxes(0, 1)
    shifts = best_shifts(outputs, free.trial.targets[:, 0])
    assert shifts.any()
    np.testing.assert_array_equal(free.shifts_ms, 5.0 * shifts)
    # Four trials of 1 s; seconds are computed from steps.
    assert free.rate_hz == pytest.approx(recording.spikes.count / (10 * 4), rel=1e-14)


def test_a_network_that_is_told_when_trials_begin_has_no_drift():
    bound = bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 1, "test_trials": 1})
    with pytest.raises(SpecError, match="only a network that runs free, and was judged"):
        _ = bound.drift_ms


@pytest.mark.full
def test_five_hundred_neurons_make_four_sines_freely_for_a_hundred_seconds():
    fit = bridge.fit_targets("four-sines", seed=6, free_running=True)
    # Trials of the same equations from other numbers: 0.0017 to 0.0028, and 21 to 94 ms.
    assert fit.error < 0.005
    assert abs(fit.drift_ms) < 150
