import numpy as np
import pytest

import bridge
from bridge.tasks import rate_correct, spiking_correct


@pytest.fixture
def trials():
    return bridge.task("context").trials(400, np.random.default_rng(0))


def test_the_streams_are_noise_around_half_in_the_first_second(trials):
    streams = trials.inputs[:, :, :2]
    assert trials.inputs.shape == (500, 400, 4)
    assert not streams[:50].any()
    assert not streams[250:].any()
    shown = streams[50:250]
    assert np.all(shown != 0)
    # A mean of 200 samples of s.d. 1 has the s.d. 1 / sqrt(200) = 0.07.
    means = shown.mean(axis=0)
    assert np.abs(np.abs(means) - 0.5).max() < 5 / np.sqrt(200)
    # The s.d. of 200 * 800 samples is known to 1 / sqrt(2 * 160000), within five of which it lies.
    assert (shown - 0.5 * np.sign(means)).std() == pytest.approx(1, abs=5 / np.sqrt(320_000))


def test_the_target_is_the_sign_of_the_stream_that_the_cue_names(trials):
    task = bridge.task("context")
    cue = trials.inputs[:, :, 2:]
    assert np.all(cue == cue[0])
    assert np.all(cue[0].sum(axis=1) == 1)
    assert set(cue[0].ravel()) == {0, 1}
    signs = np.sign(trials.inputs[50:250, :, :2].mean(axis=0))
    expected = np.where(cue[0, :, 0] == 1, signs[:, 0], signs[:, 1])
    assert not trials.targets[:250].any()
    np.testing.assert_array_equal(trials.targets[250:, :, 0], np.tile(expected, (250, 1)))
    for trial, label in enumerate(trials.labels[:50]):
        text = "".join("+" if sign > 0 else "-" for sign in signs[trial])
        assert task.conditions[label] == f"cue {1 + int(cue[0, trial, 1])}: {text}"


def test_each_cue_with_each_pair_of_signs_occurs_equally_often(trials):
    assert np.bincount(trials.labels).tolist() == [50] * 8
    assert len(set(bridge.task("context").conditions)) == 8


@pytest.mark.parametrize(("correct", "first"), [(rate_correct, 300), (spiking_correct, 260)])
def test_the_answer_counts_in_the_last_second_or_from_1300_ms_on(trials, correct, first):
    # 300 of 500 samples: the last 200 samples. 260 samples of 5 ms: 1.3 s.
    task = bridge.task("context")
    answer = np.zeros_like(trials.targets)
    answer[first - 1] = trials.targets[-1]
    assert not correct(task, answer, trials).any()
    answer[first] = 0.71 * trials.targets[-1]
    assert correct(task, answer, trials).all()
    assert not correct(task, -answer, trials).any()


def test_strict_scoring_takes_no_answer_on_both_sides(trials):
    both = trials.targets.copy()
    both[-1] *= -1
    for correct in (rate_correct, spiking_correct):
        assert correct(bridge.task("context"), both, trials).all()
        assert not correct(bridge.task("context:strict"), both, trials).any()
