"""The rule by output error, played on scale factors whose truth is known."""

import numpy as np
import pytest

from bridge.methods import search
from bridge.methods.halving import still_faithful
from bridge.methods.scale_choice import beyond, halfway, least_error
from bridge.methods.search_options import INVERSE_SCALES, SearchOptions
from bridge.methods.search_trials import SearchTrials, Tried

TRIALS = 100
NOTHING = np.zeros(0)


class Network:
    """What a network does at any scale factor: a chance to be right, and an error in each trial."""

    first = 20
    # A network of its own, so that only what is asked for stands in the way.
    error, variation = SearchTrials.error, lambda *_: 1.0

    def __init__(self, seed, *, edge=45.0, best=45.0):
        self.rng_seed, self.edge, self.best = seed, edge, best
        self.tried, self.batches = {}, []

    def advance(self, upto, report):
        report(0.5)
        self.batches.append(dict(upto))
        for scale, end in upto.items():
            rng = np.random.default_rng((self.rng_seed, 1))
            # The same draws decide at every scale factor: trials are shared.
            luck, size = rng.random(TRIALS), rng.gamma(2.0, 0.5, TRIALS)
            right = luck < 1.0 / (1.0 + np.exp((scale - self.edge) / 2.0))
            own = np.random.default_rng((self.rng_seed, int(100 * scale))).gamma(20, 0.05, TRIALS)
            errors = size * own * (0.1 + ((scale - self.best) / 10.0) ** 2) / TRIALS
            self.tried[scale] = Tried(right[:end], errors[:end], NOTHING, NOTHING, NOTHING)


def chosen(network, grid=None, **options):
    """The choice, those that count as tried, and what was run."""
    seen = []
    options = SearchOptions(inverse_scales=grid, trials=TRIALS, **options)
    race = search._Race(network, seen.append)
    tried, best = search._by_error(race, list(grid or INVERSE_SCALES), options)
    assert seen == sorted(seen)
    assert 0 < seen[-1] <= 1
    return best, tried, network


@pytest.mark.parametrize("edge", [42.0, 45.0, 50.0, 60.0])
def test_rounds_choose_what_an_exhaustive_search_chooses_on_fewer_trials(edge):
    same, spent = [], []
    for seed in range(40):
        best, tried, rounds = chosen(Network(seed, edge=edge))
        whole, all_tried, exhaustive = chosen(Network(seed, edge=edge), exhaustive=True)
        same.append((best, set(tried)) == (whole, set(all_tried)))
        assert rounds.tried[best].trials == TRIALS
        spent.append(
            [sum(each.trials for each in one.tried.values()) for one in (rounds, exhaustive)]
        )
    # One that was dropped may be right in a trial more than all that stayed.
    assert sum(same) >= 39
    few, many = np.sum(spent, axis=0)
    assert few < 0.75 * many


def test_the_choice_has_the_least_error_of_those_right_about_as_often_as_the_best():
    for seed in range(20):
        best, tried, network = chosen(Network(seed), exhaustive=True)
        right = {scale: network.tried[scale].correct.sum() for scale in tried}
        errors = {scale: network.tried[scale].errors.sum() for scale in tried}
        # Two points less at most; of those between the grid's, one.
        lost = {scale: 2 if scale in INVERSE_SCALES else 1 for scale in tried}
        able = [scale for scale in tried if right[scale] >= max(right.values()) - lost[scale]]
        assert best == min(able, key=errors.__getitem__)


def test_four_more_are_tried_halfway_to_the_neighbours_then_halfway_again():
    best, tried, _ = chosen(Network(3, edge=60.0, best=44.0), exhaustive=True)
    added = sorted(set(tried) - set(INVERSE_SCALES))
    # 45 is nearest of the grid; of 42.5, 45 and 47.5 it stays so or 42.5 is.
    assert len(added) == 4
    assert added[:1] + added[-1:] in ([41.25, 47.5], [42.5, 47.5])
    assert abs(best - 44.0) <= 1.25


@pytest.mark.parametrize(("best", "end"), [(9.0, 10.0), (96.0, 100.0)])
def test_the_grid_is_extended_in_its_own_step_only_as_far_as_the_choice_lies_at_its_end(best, end):
    found, tried, _ = chosen(Network(1, edge=1000.0, best=best), exhaustive=True)
    assert abs(found - best) <= 1.25
    grid = [scale for scale in tried if scale % 5 == 0]
    assert [min(grid), max(grid)] == ([5.0, 75.0] if end < 20 else [20.0, 100.0])


def test_the_grid_ends_at_5_and_150():
    assert chosen(Network(1, edge=1e3, best=1.0), exhaustive=True)[1][0] == 5.0
    assert chosen(Network(1, edge=1e3, best=165.0), exhaustive=True)[1][-1] == 150.0
    # The grid of activations without an upper end begins below 5 already.
    assert beyond(4.0, [4.0, 6.0, 8.0]) is None
    assert beyond(8.0, [4.0, 6.0, 8.0]) == 10.0
    assert beyond(6.0, [4.0, 6.0, 8.0]) is None
    assert beyond(30.0, [30.0]) is None


def test_scale_factors_that_are_given_are_tried_and_no_others():
    grid = (20.0, 30.0, 40.0, 60.0)
    for exhaustive in (False, True):
        best, tried, _ = chosen(Network(1, edge=60.0, best=38.0), grid, exhaustive=exhaustive)
        assert (best, tuple(tried)) == (40.0, grid)


def test_halfway_lies_between_a_scale_factor_and_its_neighbours():
    assert halfway(45.0, [20.0, 40.0, 45.0, 60.0]) == [42.5, 52.5]
    assert halfway(20.0, [20.0, 40.0]) == [30.0]
    assert halfway(20.0, [20.0]) == []


def test_two_points_below_the_best_is_close_enough_and_three_are_not():
    errors = np.array([9.0, 0.2, 0.1])
    assert least_error(np.array([100, 98, 97]), errors, 100) == 1
    assert least_error(np.array([100, 98, 98]), errors, 100) == 2
    # One that lies between those of the grid may lose a single point.
    tolerance = np.array([0.02, 0.01, 0.01])
    assert least_error(np.array([100, 98, 99]), errors, 100, tolerance) == 2
    assert least_error(np.array([100, 98, 98]), errors, 100, tolerance) == 0
    # Of 20 trials two points are less than one trial.
    assert least_error(np.array([20, 19, 19]), errors, 20) == 0


def test_whoever_is_clearly_further_from_the_rate_network_is_out():
    right = np.ones((4, 20), dtype=bool)
    errors = np.ones((4, 20))
    errors[1] = 0.5
    # Nearer in 5 of 20 trials: 15 of 20 is likely enough by chance (2 %), 20 of 20 is not.
    errors[2, :5] = 0.1
    errors[3, 15:] = 1e-3
    staying = still_faithful(right, errors, 100)
    # The first has the same answers and the least number in ties of the plateau's middle: number 1.
    np.testing.assert_array_equal(staying, [False, True, True, True])
    # Who is most surely right stays whatever its error: the best accuracy tells who may be chosen.
    right[[1, 2, 3], 0] = False
    np.testing.assert_array_equal(still_faithful(right, errors, 100), [True, True, True, True])


def test_a_dropped_one_comes_back_where_the_expected_choice_fails_later():
    # Right in the first fifth, and then in three of four trials: the least error of all.
    class Late(Network):
        def advance(self, upto, report):
            super().advance(upto, report)
            for scale, tried in self.tried.items():
                if scale > 42.0:
                    fails = (np.arange(tried.trials) >= 20) & (np.arange(tried.trials) % 4 == 0)
                    self.tried[scale] = Tried(~fails, tried.errors, NOTHING, NOTHING, NOTHING)

    for seed in range(10):
        best, _, _ = chosen(Late(seed, edge=1000.0, best=55.0))
        whole, _, _ = chosen(Late(seed, edge=1000.0, best=55.0), exhaustive=True)
        assert best == whole
        assert 40.0 <= best <= 42.0
