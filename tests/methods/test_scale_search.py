import numpy as np
import pytest
from scipy import stats

import bridge
import bridge.methods.scale_search as scale_search
from bridge.errors import SpecError
from bridge.methods.scale_search import middle_of_best_plateau, wilson
from bridge.rate.network import RateNetwork


@pytest.mark.parametrize(
    ("correct", "best"),
    [
        ([1, 9, 3], 1),
        ([9, 9, 9, 2, 1], 1),
        ([5, 9, 9, 9, 9, 5], 2),
        ([5, 9, 9, 9, 9, 8], 3),
        ([9, 1, 9, 9, 9, 1], 3),
        ([9, 9, 0, 5, 9, 9, 6], 5),
        ([7], 0),
        ([0, 0, 0], 1),
    ],
)
def test_ties_are_broken_toward_the_middle_of_the_best_plateau(correct, best):
    assert middle_of_best_plateau(np.array(correct)) == best


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (97, 100)])
def test_the_wilson_interval_is_scipys(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    # Our z has seven digits.
    np.testing.assert_allclose(wilson(successes, trials), expected, atol=1e-6)


def silent_network():
    # Without weights nothing answers: every NoGo trial is right and every Go trial wrong.
    return RateNetwork(
        recurrent=np.zeros((5, 5)), w_in=np.zeros((5, 1)), w_out=np.zeros((1, 5)), b_out=[0.0],
        tau_ms=np.full(5, 30.0), task="go-nogo",
    )  # fmt: skip


def test_every_scale_factor_is_tried_on_the_same_trials_and_nothing_else_changes():
    rate = silent_network()
    conversion = bridge.convert(rate, inverse_scales=[30, 20, 20, 25], trials=6)
    np.testing.assert_array_equal(conversion.search.inverse_scales, [20, 25, 30])
    np.testing.assert_array_equal(conversion.search.correct, [3, 3, 3])
    assert conversion.search.best_inverse_scale == 25
    assert conversion.rate is rate
    assert conversion.network.provenance["inverse_scale"] == 25


def test_the_search_finds_the_scale_at_which_a_known_readout_answers():
    # One strongly driven unit fires at a known rate f; o = w f / scale must pass 0.7 in Go only.
    # w is such that this happens below 1/lambda = 40 and not above.
    drive_mv = 30.0
    period_ms = 2.0 + 10 * np.log((drive_mv + 25) / drive_mv)
    rate = RateNetwork(
        recurrent=[[0.0]], w_in=[[drive_mv]], w_out=[[0.7 * 40 / (1000 / period_ms)]], b_out=[0.0],
        tau_ms=[300.0], task="go-nogo",
    )  # fmt: skip

    class Held:
        """Go-NoGo whose stimulus stays on, so that one unit without memory can answer."""

        def __getattr__(self, name):
            return getattr(bridge.task("go-nogo"), name)

        def trials(self, count, rng):
            trials = bridge.task("go-nogo").trials(count, rng)
            trials.inputs[50:, trials.labels == 1] = 1.0
            return trials

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scale_search, "find_task", lambda name: Held())
        search = bridge.convert(rate, inverse_scales=[20, 30, 60, 80], trials=4).search
    np.testing.assert_array_equal(search.correct, [4, 4, 2, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inverse_scales": []}, "needs at least one value, all positive"),
        ({"inverse_scales": [20, -5]}, "needs at least one value, all positive"),
        ({"inverse_scales": [np.nan]}, "NaN"),
        ({"trials": 0}, "trials: expected a whole number of at least 1, got 0"),
        ({"backend": "nest"}, "unknown backend 'nest'"),
        ({"backend": "reference", "device": "cuda"}, "only snntorch has devices"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        bridge.convert(silent_network(), **options)


def test_a_network_without_a_task_cannot_be_searched():
    rate = RateNetwork(recurrent=[[0.0]], w_in=[[1.0]], w_out=[[1.0]], b_out=[0.0], tau_ms=[30.0])
    with pytest.raises(SpecError, match="names no task"):
        bridge.convert(rate)
