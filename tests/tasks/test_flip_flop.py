import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.tasks import rate_correct, spiking_correct

TASK = bridge.task("flip-flop:bits=2")
STRICT = bridge.task("flip-flop:bits=2,strict")


@pytest.fixture
def trials():
    return TASK.trials(60, np.random.default_rng(0))


def pulses_of(channel):
    """First sample and sign of each pulse of a channel (T,)."""
    starts = np.flatnonzero((channel[1:] != 0) & (channel[:-1] == 0)) + 1
    return [(int(start), channel[start]) for start in starts]


def test_each_output_holds_the_sign_of_the_last_pulse_that_ended(trials):
    assert trials.inputs.shape == trials.targets.shape == (340, 60, 2)
    for trial in range(60):
        for channel in range(2):
            shown, target = trials.inputs[:, trial, channel], trials.targets[:, trial, channel]
            expected, on = np.zeros(340), np.zeros(340)
            for start, sign in pulses_of(shown):
                on[start : start + 20] = sign
                expected[start + 20 :] = sign
            np.testing.assert_array_equal(shown, on)
            np.testing.assert_array_equal(target, expected)


def test_pulses_start_within_the_first_samples_of_their_slot(trials):
    starts = [
        start for channel in trials.inputs.reshape(340, -1).T for start, _ in pulses_of(channel)
    ]
    within = (np.array(starts) - 40) % 60
    assert set(within) == set(range(10))
    slots = np.bincount((np.array(starts) - 40) // 60, minlength=5)
    assert slots[0] == 120
    # A fair coin for each of 480 other slots: within four standard deviations.
    assert abs(slots[1:].sum() - 240) < 4 * np.sqrt(480) / 2


def test_the_states_at_the_end_occur_equally_often_and_name_the_condition(trials):
    assert np.bincount(trials.labels).tolist() == [15] * 4
    for label, end in zip(trials.labels, trials.targets[-1], strict=True):
        assert TASK.conditions[label] == "".join("+" if sign > 0 else "-" for sign in end)


def test_all_pulses_are_of_either_sign_equally_often():
    inputs = TASK.trials(400, np.random.default_rng(1)).inputs
    signs = [sign for channel in inputs.reshape(340, -1).T for _, sign in pulses_of(channel)]
    assert abs(np.mean(signs)) < 4 / np.sqrt(len(signs))


@pytest.mark.parametrize("correct", [rate_correct, spiking_correct])
def test_every_output_must_be_right_at_the_end_of_every_slot(trials, correct):
    assert correct(TASK, 0.71 * trials.targets, trials).all()
    assert not correct(TASK, 0.7 * trials.targets, trials).any()
    assert not correct(TASK, -trials.targets, trials).any()
    for slot in range(5):
        for output in range(2):
            answer = trials.targets.copy()
            end = 40 + 60 * (slot + 1)
            # Before the last 20 samples nothing counts, one sample in them is enough.
            answer[end - 60 : end - 1, :, output] = 0
            assert correct(TASK, answer, trials).all()
            answer[end - 1, :, output] = 0
            assert not correct(TASK, answer, trials).any()
            answer[end - 21, :, output] = trials.targets[end - 1, :, output]
            assert not correct(TASK, answer, trials).any()


def test_strict_scoring_takes_no_output_on_both_sides(trials):
    both = trials.targets.copy()
    both[95, :, 1] *= -1
    assert spiking_correct(TASK, both, trials).all()
    assert not spiking_correct(STRICT, both, trials).any()


def test_bits_are_inputs_and_outputs():
    task = bridge.task("flip-flop")
    assert (task.input_size, task.output_size, len(task.conditions)) == (3, 3, 8)
    eight = bridge.task("flip-flop:bits=8")
    assert eight.trials(2, np.random.default_rng(0)).targets.shape == (340, 2, 8)
    for bits in (0, 9):
        with pytest.raises(SpecError, match=f"bits must lie between 1 and 8, got {bits}"):
            bridge.task(f"flip-flop:bits={bits}")
