"""The test behind the statistical level: its false alarms, its power, and what it takes."""

import numpy as np
import pytest
from scipy import stats

from bridge.compare.statistics.design import Design, Quantity
from bridge.compare.statistics.power import Sensitivity, Spread
from bridge.compare.statistics.significance import compare_sets, without_outliers
from bridge.errors import SpecError


def correlated(rng, sets, trials, units, *, skewed=True):
    """Counts of units that share fluctuations, of conditions that differ: nothing is normal."""
    shared = rng.gamma(2.0, 0.5, (sets, trials, 1))
    condition = 1.0 + np.arange(trials)[None, :, None] % 2
    rate = np.linspace(0.5, 15.0, units) * condition * (shared if skewed else np.ones_like(shared))
    return rng.poisson(rate).astype(float)


def p_of(values, rng, draws=400):
    parts = [Quantity(name="rate", unit="Hz", values=values)]
    return compare_sets(parts, rng, draws)[1]


@pytest.mark.parametrize("sets", [2, 3])
def test_false_alarms_come_as_often_as_promised_for_counts_that_hang_together(sets):
    rng = np.random.default_rng(sets)
    chances = np.array([p_of(correlated(rng, sets, 16, 30), rng) for _ in range(400)])
    for alpha in (0.05, 0.2):
        alarms = (chances <= alpha).sum()
        # In one of a thousand runs of this test more would come by chance.
        assert alarms <= stats.binom.isf(0.001, 400, alpha)
    # Nor is it timid: p is spread evenly (Kolmogorov-Smirnov).
    assert stats.kstest(chances, "uniform").pvalue > 0.001


def test_several_quantities_cost_no_false_alarms():
    rng = np.random.default_rng(5)

    def p():
        one, other = correlated(rng, 3, 16, 20), correlated(rng, 3, 16, 20)
        parts = [
            Quantity(name="a", unit="", values=one),
            Quantity(name="b", unit="", values=other),
            # The same once more: tests that are not independent.
            Quantity(name="c", unit="", values=one**2),
        ]
        return compare_sets(parts, rng, 400)[1]

    alarms = sum(p() <= 0.05 for _ in range(300))
    assert alarms <= stats.binom.isf(0.001, 300, 0.05)


def test_a_small_difference_of_all_units_is_found_as_spread():
    rng = np.random.default_rng(1)
    values = correlated(rng, 3, 60, 50, skewed=False)
    values[2] += rng.choice([-1.0, 1.0], 50)
    found, p = compare_sets([Quantity(name="rate", unit="Hz", values=values)], rng)
    assert p < 0.01
    assert found[0].p_spread < 0.001
    assert found[0].notable > 3 * found[0].notable_yardstick


def test_a_difference_of_a_single_unit_is_found_as_such():
    rng = np.random.default_rng(2)
    values = correlated(rng, 3, 60, 200, skewed=False)
    values[2, :, 17] += 6.0
    found, p = compare_sets([Quantity(name="rate", unit="Hz", values=values)], rng)
    assert p < 0.01
    assert found[0].p_single < 0.01
    assert np.nanargmax(np.abs(found[0].z)) == 17


def test_a_trial_that_goes_quite_differently_does_not_hide_the_others():
    rng = np.random.default_rng(11)
    values = correlated(rng, 3, 40, 50, skewed=False)
    values[2] += 1.5 * rng.choice([-1.0, 1.0], 50)
    for names in ((1, 7), (2, 30)):
        # The network of one set answered otherwise: every unit fires by far more.
        values[names] *= 8.0
    assert p_of(values, rng, 2000) < 0.01


def test_outliers_are_held_and_what_seldom_differs_is_left_as_it_is():
    rng = np.random.default_rng(12)
    differences = rng.normal(0, 2.0, (3, 4000, 2))
    differences[0, 5] = 1000.0
    differences[..., 1] *= rng.random((3, 4000)) < 0.3
    held = without_outliers(differences)
    # 3 s.d. of a normal distribution.
    assert held[..., 0].max() == pytest.approx(6.0, rel=0.05)
    np.testing.assert_array_equal(held[..., 1], differences[..., 1])
    inside = np.abs(differences[..., 0]) < 5.5
    np.testing.assert_array_equal(held[inside, 0], differences[inside, 0])


@pytest.mark.parametrize("odd", [0, 1, 2])
def test_whichever_of_the_three_differs_is_a_difference(odd):
    rng = np.random.default_rng(3)
    values = correlated(rng, 3, 40, 30, skewed=False)
    values[odd] += 1.5
    assert p_of(values, rng, 4000) < 0.01


@pytest.mark.parametrize("alpha", [0.01, 0.001])
@pytest.mark.parametrize("sets", [2, 3])
def test_a_difference_in_one_quantity_alone_can_be_told_at_the_promised_rate(sets, alpha):
    rng = np.random.default_rng(13)
    design = Design(sets=sets, quantities=3, alpha=alpha)
    trials = design.least_trials
    parts = [
        Quantity(name=str(number), unit="", values=correlated(rng, sets, trials, 20))
        for number in range(3)
    ]
    parts[1].values[-1] += 1000.0
    _, p = compare_sets(parts, rng, design.draws)
    assert p < alpha


@pytest.mark.parametrize("sets", [2, 3])
def test_with_fewer_trials_it_could_not(sets):
    rng = np.random.default_rng(14)
    values = correlated(rng, sets, 8, 20)
    values[-1] += 1000.0
    # Eight trials have 2^7 distinct namings: that is the end of two sets.
    assert (p_of(values, rng, 4000) < 0.005) is (sets == 3)


def test_equal_sets_are_no_difference():
    values = np.repeat(correlated(np.random.default_rng(4), 1, 10, 5), 3, axis=0)
    found, p = compare_sets(
        [Quantity(name="rate", unit="", values=values)], np.random.default_rng(0)
    )
    assert p == 1.0
    assert found[0].rmse == found[0].rmse_yardstick == 0
    assert np.isnan(found[0].ratio)
    assert np.isnan(found[0].z).all()


def test_numbers_that_are_missing_take_their_trial_out_and_nothing_else():
    rng = np.random.default_rng(6)
    values = correlated(rng, 3, 40, 10, skewed=False)
    values[2] += 2.0
    values[1, :30, 3] = np.nan
    values[0, :, 4] = np.nan
    found, p = compare_sets([Quantity(name="lv", unit="", values=values)], rng)
    assert p < 0.01
    assert np.isnan(found[0].z[4])
    assert np.isfinite(np.delete(found[0].z, 4)).all()


def test_z_and_rmse_are_those_of_the_textbook():
    rng = np.random.default_rng(7)
    values = rng.normal(0, 1, (3, 25, 6))
    found, _ = compare_sets([Quantity(name="x", unit="", values=values)], rng, 50)
    a, again, b = values
    expected = stats.ttest_1samp(b - (a + again) / 2, 0.0).statistic
    np.testing.assert_allclose(found[0].z, expected, rtol=1e-12)
    np.testing.assert_allclose(
        found[0].z_yardstick, stats.ttest_rel(again, a).statistic, rtol=1e-12
    )
    assert found[0].rmse == pytest.approx(np.sqrt(((b - a).mean(axis=0) ** 2).mean()))
    assert found[0].ratio == pytest.approx(
        found[0].rmse / np.sqrt(((again - a).mean(axis=0) ** 2).mean())
    )


def test_without_a_yardstick_it_is_reckoned_from_the_trials():
    rng = np.random.default_rng(8)
    # 4,000 units: the expected root mean square of means of 25 is known to a percent.
    values = rng.normal(0, 1, (2, 25, 4000))
    found, _ = compare_sets([Quantity(name="x", unit="", values=values)], rng, 20)
    assert found[0].rmse_yardstick == pytest.approx(np.sqrt(2 / 25), rel=0.03)
    assert found[0].ratio == pytest.approx(1.0, rel=0.06)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((3, 7, 5), "statistics need at least 8, got 7"), ((4, 9, 5), "expected")],
)
def test_too_few_trials_and_odd_sets_are_refused(shape, message):
    with pytest.raises(SpecError, match=message):
        p_of(np.zeros(shape), np.random.default_rng(0))


RATE = np.linspace(2.0, 20.0, 40)


def counts(rng, trials, *, rate=RATE, odd=0.0):
    """Poisson counts; in a share `odd` of the trials every unit fires twice as much."""
    whole = np.where(rng.random((trials, 1)) < odd, 2.0, 1.0)
    return rng.poisson(rate * whole).astype(float)


@pytest.mark.parametrize("runs", [100, pytest.param(200, marks=pytest.mark.full)])
@pytest.mark.parametrize("odd", [0.0, 0.05])
def test_the_promised_power_is_held(odd, runs):
    rng = np.random.default_rng(10)
    design, rate, trials, power = Design(sets=3, quantities=1, alpha=0.05), RATE[::2], 30, 0.8
    found, promised = 0, []
    for _ in range(runs):
        sets = [counts(rng, trials, rate=rate, odd=odd) for _ in range(3)]
        effect = Sensitivity.of(np.stack(sets), design, rng).effect(power)
        promised.append(effect)
        signs = rng.choice([-1.0, 1.0], rate.size)
        sets[2] = counts(rng, trials, rate=rate * np.maximum(0.0, 1 + effect * signs), odd=odd)
        found += p_of(np.stack(sets), rng, 400) <= design.alpha
    # In one of a thousand runs of this test fewer would be found by chance.
    assert found >= stats.binom.isf(0.999, runs, power)
    # Nor does it promise much less than what is found: by half of the misses, as it means to.
    assert found <= stats.binom.isf(0.001, runs, (1 + power) / 2)
    if not odd:
        # Independent Poisson counts: the contrast of a trial varies by 3/2 of the rate.
        guess = Spread(independent=rate.size, signal=float((rate / 1.5).mean()))
        needed = guess.trials(np.median(promised), 0.9, design.alpha_each, 1000)
        # The formula takes the spread for a chi square's; the effect enters as its square.
        assert needed == pytest.approx(trials, rel=0.15)


def test_what_is_a_difference_is_what_chance_exceeds_as_often_as_it_may():
    rng = np.random.default_rng(18)
    design = Design(sets=3, quantities=4, alpha=0.01)
    found = Sensitivity.of(rng.normal(0, 1, (3, 100, 60)), design, rng)
    # The mean of 60 squared t values of independent units.
    limit = stats.chi2.isf(0.01 / 8, 60) / 60
    assert found.limit == pytest.approx(limit, rel=0.05)


def test_a_trial_that_goes_otherwise_promises_little_less():
    rng = np.random.default_rng(19)
    design = Design(sets=3, quantities=3, alpha=0.01)
    values = np.stack([counts(rng, 60) for _ in range(3)])
    plain = Sensitivity.of(values, design, rng).effect(0.9)
    values[1, 7] *= 8.0
    assert Sensitivity.of(values, design, rng).effect(0.9) < 1.2 * plain


def test_two_runs_tell_what_a_test_of_three_will_find():
    rng = np.random.default_rng(15)
    design = Design(sets=3, quantities=3, alpha=0.01)

    def found(sets):
        values = np.stack([counts(rng, 80) for _ in range(sets)])
        return Sensitivity.of(values, design, rng).effect(0.9)

    two, three = (np.median([found(sets) for _ in range(9)]) for sets in (2, 3))
    assert two == pytest.approx(three, rel=0.05)


def test_more_trials_find_less_by_their_root():
    rng = np.random.default_rng(16)
    design = Design(sets=2, quantities=2, alpha=0.01)
    few, many = (
        Sensitivity.of(np.stack([counts(rng, n), counts(rng, n)]), design, rng).effect(0.9)
        for n in (100, 400)
    )
    # An effect is known to 3 %, from 400 trials of it: the ratio scatters by 4 %.
    assert few / many == pytest.approx(2.0, rel=0.1)


def test_the_guess_of_independent_units_is_right_where_they_are():
    rng = np.random.default_rng(17)
    spread = Spread.of(counts(rng, 400), counts(rng, 400), 3)
    # Over seeds they scatter by 1.2 and by 0.3 %.
    assert spread.signal == pytest.approx((RATE / 1.5).mean(), rel=0.05)
    assert spread.independent == pytest.approx(RATE.size, rel=0.02)
    # N^2 / sum r^2 by numpy's correlations.
    one, other = counts(rng, 30, odd=0.3), counts(rng, 30)
    squares = (np.corrcoef(without_outliers(one - other), rowvar=False) ** 2).sum()
    bias = RATE.size * (RATE.size - 1) / 29
    assert Spread.of(one, other, 2).independent == pytest.approx(
        RATE.size**2 / (squares - bias), rel=1e-9
    )


def test_units_that_fluctuate_together_count_as_few():
    rng = np.random.default_rng(10)
    shared = rng.normal(0, 1, (300, 1))
    one = 10 + shared + 0.1 * rng.normal(0, 1, (300, 50))
    assert Spread.of(one, np.full_like(one, 10.0), 3).independent < 1.1


def test_nothing_that_varies_promises_nothing():
    design = Design(sets=3, quantities=3, alpha=0.01)
    silent = np.zeros((3, 20, 4))
    rng = np.random.default_rng(0)
    assert Sensitivity.of(silent, design, rng).effect(0.9) == np.inf
    assert Spread.of(silent[0], silent[1], 3).signal == 0.0
