import dataclasses

import numpy as np
import pytest
from methods.short_task import SHORT_TASK

import bridge
from bridge.errors import SpecError
from bridge.methods import conversion, search, search_trials
from bridge.methods.halving import expected_counts, still_in
from bridge.methods.scale_choice import middle_of_best_plateau
from bridge.methods.scoring import SEARCH
from bridge.methods.search_options import SearchOptions, default_inverse_scales
from bridge.methods.search_trials import SearchTrials, Tried
from bridge.methods.shown_trials import TaskTrials
from bridge.rate.network import RateNetwork
from bridge.tasks import go_nogo


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


def silent_network():
    # Without weights nothing answers: every NoGo trial is right and every Go trial wrong.
    return RateNetwork(
        recurrent=np.zeros((5, 5)), w_in=np.zeros((5, 1)), w_out=np.zeros((1, 5)), b_out=[0.0],
        tau_ms=np.full(5, 30.0), task="go-nogo",
    )  # fmt: skip


def test_every_scale_factor_is_tried_on_the_same_trials_and_nothing_else_changes(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    rate = silent_network()
    options = {"inverse_scales": [30, 20, 20, 25], "trials": 6, "backend": "reference"}
    made = bridge.convert(rate, **options)
    np.testing.assert_array_equal(made.search.inverse_scales, [20, 25, 30])
    np.testing.assert_array_equal(made.search.correct, [3, 3, 3])
    assert made.search.best_inverse_scale == 25
    assert made.rate is rate
    assert made.search.rates_hz.shape == (3,)
    assert made.network.provenance["inverse_scale"] == 25


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
        patch.setattr(conversion, "task_of", lambda rate: Held())
        options = {"inverse_scales": [20, 30, 60, 80], "trials": 4, "backend": "compiled"}
        found = bridge.convert(rate, **options).search
    np.testing.assert_array_equal(found.correct, [4, 4, 2, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inverse_scales": []}, "needs at least one value, all positive"),
        ({"inverse_scales": [20, -5]}, "needs at least one value, all positive"),
        ({"inverse_scales": [np.nan]}, "NaN"),
        ({"trials": 0}, "trials: expected a whole number of at least 1, got 0"),
        ({"rule": "best"}, "rule: 'faithful', 'accuracy', 'score', got 'best'"),
        ({"rule": 3}, "rule: expected text on one line, got 3"),
        ({"backend": "neuron"}, "unknown backend 'neuron'"),
        ({"backend": "nest"}, "NEST draws its own noise"),
        ({"backend": "reference", "device": "cuda"}, "only snntorch and compiled have devices"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        bridge.convert(silent_network(), **options)


def test_the_grid_is_that_of_the_activation(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    # Kim et al. 2019: 20 to 75 by 5; for softplus and ReLU 4 to 26 by 2.
    assert default_inverse_scales("sigmoid") == tuple(range(20, 80, 5))
    for name in ("softplus", "relu"):
        assert default_inverse_scales(name) == tuple(range(4, 28, 2))
    rate = dataclasses.replace(silent_network(), activation="relu")
    found = bridge.convert(rate, trials=2, backend="compiled", rule="accuracy").search
    np.testing.assert_array_equal(found.inverse_scales, range(4, 28, 2))


def test_a_network_without_a_task_cannot_be_searched():
    rate = RateNetwork(recurrent=[[0.0]], w_in=[[1.0]], w_out=[[1.0]], b_out=[0.0], tau_ms=[30.0])
    with pytest.raises(SpecError, match="names no task"):
        bridge.convert(rate)


def test_scale_factors_that_cannot_win_are_dropped_and_the_answer_stays():
    # Scale factor k answers each trial rightly with its own probability, from a fixed seed.
    rng = np.random.default_rng(0)
    chances = np.array([0.1, 0.4, 0.7, 0.95, 1.0, 0.97, 0.6, 0.2])
    for _ in range(50):
        answers = rng.random((chances.size, 100)) < chances[:, None]
        chosen, tested = played(answers, exhaustive=False)
        whole, all_tested = played(answers, exhaustive=True)
        assert np.all(all_tested == 100)
        assert chosen == whole == middle_of_best_plateau(answers.sum(axis=1))
        assert tested[4] == 100
        assert tested.sum() < 0.75 * all_tested.sum()


def played(answers, *, exhaustive):
    """The choice by accuracy among scale factors 1, 2, ..., less 1, and the trials done at each."""

    class Known:
        def __init__(self):
            self.tried = {}

        def advance(self, upto, report):
            report(0.5)
            for scale, end in upto.items():
                nothing = np.zeros(0)
                self.tried[scale] = Tried(answers[int(scale) - 1][:end], *[nothing] * 4)

    seen, known, grid = [], Known(), [float(n + 1) for n in range(len(answers))]
    options = SearchOptions(rule="accuracy", trials=answers.shape[1], exhaustive=exhaustive)
    best = search._by_accuracy(search._Race(known, seen.append), grid, options)
    assert seen == sorted(seen)
    assert 0 < seen[-1] <= 1
    return best - 1, np.array([known.tried[scale].trials for scale in grid])


def test_whoever_may_still_catch_up_or_was_unlucky_stays():
    right = np.ones(20, dtype=bool)
    nearly = right.copy()
    nearly[:5] = False
    # Seven trials lost to none: 1 in 128 by chance, above the level. Eight: 1 in 256, below it.
    unlucky, lost = right.copy(), right.copy()
    unlucky[:7], lost[:8] = False, False
    staying = still_in(np.array([right, nearly, unlucky, lost]), left=80)
    np.testing.assert_array_equal(staying, [True, True, True, False])
    # With two trials left nobody makes up for five.
    np.testing.assert_array_equal(still_in(np.array([right, nearly]), left=2), [True, False])
    # All alike: nobody goes, however many trials are left.
    assert still_in(np.zeros((3, 20), dtype=bool), left=0).all()


def test_a_dropped_scale_factor_counts_as_worse_than_the_best():
    counts = expected_counts(np.array([18, 60, 55]), np.array([20, 100, 100]), 100)
    np.testing.assert_array_equal(counts, [59, 60, 55])


def test_all_scale_factors_see_the_same_noise(monkeypatch):
    # Under other numbers two scale factors would answer differently in some trial.
    source, drive_of = TaskTrials(task=bridge.task("go-nogo"), count=6, seed=3), {}
    plan = SearchTrials(source.shown(SEARCH), silent_network(), SearchOptions(trials=6, seed=3))

    def note(network, drive, **_):
        drive_of["keys"] = drive.noise_keys()
        drive_of["start"] = drive.initial_voltages_mv(network)
        raise KeyboardInterrupt

    monkeypatch.setattr(search_trials, "simulate", note)
    with pytest.raises(KeyboardInterrupt):
        plan.advance({40.0: 4, 45.0: 4}, lambda _: None)
    for values in drive_of.values():
        np.testing.assert_array_equal(values[:4], values[4:])
        assert len(np.unique(values[:4], axis=0)) == 4


def test_a_search_in_rounds_runs_on_brian2_too(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    one, other = (
        bridge.convert(
            silent_network(),
            inverse_scales=[20, 30],
            trials=4,
            backend="brian2:numpy",
            exhaustive=choice,
        ).search
        for choice in (False, True)
    )
    np.testing.assert_array_equal(one.correct, other.correct)
    np.testing.assert_array_equal(one.tested, [4, 4])
