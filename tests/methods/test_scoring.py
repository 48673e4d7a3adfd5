import numpy as np
import pytest
from methods.short_task import SHORT_TASK
from scipy import stats

import bridge
from bridge.errors import SpecError
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scoring import REFIT, SCORE, SEARCH, Score, task_drive, wilson
from bridge.rate.network import RateNetwork
from bridge.tasks import go_nogo


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)


def silent_network(task="go-nogo"):
    rate = RateNetwork(
        recurrent=np.zeros((5, 5)), w_in=np.zeros((5, 1)), w_out=np.zeros((1, 5)), b_out=[0.0],
        tau_ms=np.full(5, 30.0), task=task,
    )  # fmt: skip
    return map_one_to_one(rate, 30.0)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (97, 100)])
def test_the_wilson_interval_is_scipys(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    # Our z has seven digits.
    np.testing.assert_allclose(wilson(successes, trials), expected, atol=1e-6)
    assert Score(correct=successes, trials=trials).interval == wilson(successes, trials)


def test_a_silent_network_is_right_in_nogo_trials_alone():
    # Half of the trials are NoGo.
    found = bridge.score(silent_network(), trials=6, seed=1, backend="reference")
    assert (found.correct, found.trials, found.accuracy) == (3, 6, 0.5)


def test_search_score_and_refit_of_one_seed_see_other_trials_and_noise():
    network = silent_network()
    both = [task_drive(network, 60, 3, use) for use in (SEARCH, SCORE, REFIT)]
    made, drives = zip(*both, strict=True)
    assert len({trials.labels.tobytes() for trials in made}) == 3
    keys = np.concatenate([drive.noise_keys() for drive in drives])
    assert len(np.unique(keys, axis=0)) == 180


def test_a_network_without_a_task_has_no_score():
    with pytest.raises(SpecError, match="names no task"):
        bridge.score(silent_network(task=""))
