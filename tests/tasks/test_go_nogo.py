import numpy as np
import pytest

import bridge
from bridge.tasks.go_nogo import GO


@pytest.fixture
def trials():
    return bridge.task("go-nogo").trials(10, np.random.default_rng(0))


def test_half_of_the_trials_are_go_in_a_random_order(trials):
    assert trials.labels.sum() == 5
    orders = {
        tuple(bridge.task("go-nogo").trials(10, np.random.default_rng(s)).labels) for s in range(9)
    }
    assert len(orders) > 5


def test_a_coin_decides_a_single_trial():
    task = bridge.task("go-nogo")
    labels = [task.trials(1, np.random.default_rng(seed)).labels[0] for seed in range(200)]
    # 200 fair coins: within four standard deviations.
    assert abs(np.mean(labels) - 0.5) < 4 * 0.5 / np.sqrt(200)


def test_the_stimulus_and_the_answer_are_where_the_paper_has_them(trials):
    go = int(np.argmax(trials.labels == GO))
    assert trials.inputs.shape == trials.targets.shape == (200, 10, 1)
    np.testing.assert_array_equal(np.flatnonzero(trials.inputs[:, go, 0]), np.arange(50, 75))
    np.testing.assert_array_equal(np.flatnonzero(trials.targets[:, go, 0]), np.arange(75, 200))
    nogo = trials.labels != GO
    assert not trials.inputs[:, nogo].any()
    assert not trials.targets[:, nogo].any()


def test_the_target_itself_is_right_and_its_opposite_wrong(trials):
    for task in (bridge.task("go-nogo"), bridge.task("go-nogo:strict")):
        for correct in (task.rate_correct, task.spiking_correct):
            assert correct(trials.targets, trials).all()
            assert not correct(1 - trials.targets, trials).any()


def test_the_windows_differ_between_rate_and_spiking_networks(trials):
    # A burst between 0.375 s and 0.5 s: after the stimulus, before the spiking window.
    task = bridge.task("go-nogo")
    early = trials.targets.copy()
    early[80:95] = 1.0
    nogo = trials.labels != GO
    assert task.spiking_correct(early, trials).all()
    np.testing.assert_array_equal(task.rate_correct(early, trials), ~nogo)


def test_a_rate_network_must_stay_quiet_on_both_sides_in_nogo(trials):
    task = bridge.task("go-nogo")
    low = trials.targets - 0.5 * (trials.targets == 0)
    nogo = trials.labels != GO
    assert not task.rate_correct(low, trials)[nogo].any()
    assert task.spiking_correct(low, trials)[nogo].all()
    assert not bridge.task("go-nogo:strict").spiking_correct(low, trials)[nogo].any()


def test_strict_go_never_falls_below_the_other_side(trials):
    # One sample at 0.6 s far below zero.
    dip = trials.targets.copy()
    dip[120] = np.where(trials.labels == GO, -0.31, 0)[:, None]
    usual, strict = bridge.task("go-nogo"), bridge.task("go-nogo:strict")
    for scoring in ("rate_correct", "spiking_correct"):
        assert getattr(usual, scoring)(dip, trials).all()
        np.testing.assert_array_equal(getattr(strict, scoring)(dip, trials), trials.labels != GO)
    dip[120] = np.where(trials.labels == GO, -0.3, 0)[:, None]
    assert strict.spiking_correct(dip, trials).all()
