"""Variance explained, against its formula, and against what the network's backends make of it."""

import dataclasses
import math

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, drawn, one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets.effective import factors_of
from bridge.methods.rate_targets.explained import explained
from bridge.methods.rate_targets.rebuilt import rebuilt
from bridge.tasks import names

TINY = {
    "units": 60, "teacher_units": 50, "settle_trials": 8, "component_trials": 1,
    "learn_trials": 30, "test_trials": 2,
}  # fmt: skip


def test_shares_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    wanted, labels = rng.normal(3.0, 1.0, (5, 40, 2)), np.array([0, 2, 2, 0, 2])
    made = wanted + 0.3 * rng.normal(size=wanted.shape)
    found = explained(made, wanted, labels, ("a", "b", "c"))

    def share(trials, components):
        errors = [(made[b, t, m] - wanted[b, t, m]) ** 2
                  for b in trials for t in range(40) for m in components]  # fmt: skip
        means = [wanted[:, :, m].mean() for m in range(2)]
        powers = [(wanted[b, t, m] - means[m]) ** 2
                  for b in trials for t in range(40) for m in components]  # fmt: skip
        return 1 - math.fsum(errors) / math.fsum(powers)

    # Sums of a few hundred numbers in other orders.
    assert found.whole == pytest.approx(share(range(5), (0, 1)), rel=1e-12)
    expected = [share((0, 3), (0, 1)), math.nan, share((1, 2, 4), (0, 1))]
    np.testing.assert_allclose(found.by_condition, expected, rtol=1e-12)
    expected = [share(range(5), (m,)) for m in (0, 1)]
    np.testing.assert_allclose(found.by_component, expected, rtol=1e-12)
    assert "in each condition" in repr(found)
    assert explained(wanted, wanted, labels, ("a", "b", "c")).whole == 1.0


def test_of_what_stands_still_no_share_is_known():
    rng = np.random.default_rng(0)
    wanted = rng.normal(size=(4, 30, 2))
    # The mean of a third is not a third, but for rounding.
    wanted[:, :, 1] = 1 / 3
    wanted[1] = wanted[[0, 2, 3]].mean(axis=(0, 1))
    labels = np.array([0, 1, 0, 0])
    found = explained(wanted + 0.1, wanted, labels, ("moves", "stands"))
    assert np.isnan(found.by_component).tolist() == [False, True]
    assert np.isnan(found.by_condition).tolist() == [False, True]
    still = np.full((1, 30, 1), 1 / 3)
    nothing = explained(still + 0.1, still, np.array([0]), ("stands",))
    assert math.isnan(nothing.whole)
    assert "in each condition" not in repr(nothing)


@pytest.fixture
def named(monkeypatch):
    task = one_sine()
    monkeypatch.setitem(names._own, "one-sine", task)
    return task


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(), **SMALL)


def with_components(fit):
    """The network with y as its readout, by the weights that the fit has kept."""
    channels = tuple(
        dataclasses.replace(channel, weights=weights)
        for channel, weights in factors_of(fit.network, fit.checkpoint)
    )
    readout = bridge.Readout(name="components", channels=channels)
    return dataclasses.replace(fit.network, readouts=(readout,))


def test_the_rebuilt_learner_makes_what_the_network_makes_from_the_end_of_learning_on(fit, named):
    recording = bridge.simulate(with_components(fit), fit.drive(2))
    expected = recording.readouts["components"][:, 0]
    run = rebuilt(fit)
    components = expected.shape[1]
    made = [run.learner.own_trial(run.lessons.next())[:, :components] for _ in range(2)]
    # Sums over neurons by BLAS on one side, of currents up to some mV.
    np.testing.assert_allclose(np.concatenate(made), expected, rtol=0, atol=1e-10)
    assert np.std(expected) > 0.1


def test_a_network_explains_what_it_learned_and_more_than_one_that_learned_less(fit, named):
    fractions = []
    found = bridge.variance_explained(fit, trials=4, on_progress=fractions.append)
    assert fractions == [0.25, 0.5, 0.75, 1.0]
    assert 0.8 < found.whole <= 1.0
    assert found.by_condition.tolist() == pytest.approx([found.whole])
    assert found.by_component.shape == (fit.network.provenance["components"],)
    # Components are ordered by their power: the first ones count most in the whole.
    assert found.by_component[0] > 0.8
    untaught = bridge.fit_targets(
        one_sine(), **{**SMALL, "learn_trials": 1, "update_chance": 1e-12}
    )
    assert bridge.variance_explained(untaught, trials=1).whole < 0.1


def test_conditions_are_those_of_the_trials(monkeypatch):
    def either(count, rng):
        one = drawn(count, rng)
        labels = rng.permutation(np.arange(count) % 2) if count > 1 else rng.integers(2, size=1)
        signs = np.where(labels, -1.0, 1.0)[:, None]
        return bridge.Trials(inputs=one.inputs * signs, targets=one.targets * signs, labels=labels)

    task = dataclasses.replace(one_sine(draw=either), conditions=("up", "down", "never"))
    monkeypatch.setitem(names._own, "one-sine", task)
    fit = bridge.fit_targets(task, **{**TINY, "learn_trials": 2})
    found = bridge.variance_explained(fit, trials=8)
    assert np.isfinite(found.by_condition).tolist() == [True, True, False]
    assert found.conditions == ("up", "down", "never")


def test_without_a_checkpoint_or_a_task_nothing_is_known(fit, named, monkeypatch):
    with pytest.raises(SpecError, match="holds no checkpoint"):
        bridge.variance_explained(dataclasses.replace(fit, checkpoint=None))
    with pytest.raises(SpecError, match="trials"):
        bridge.variance_explained(fit, trials=0)
    monkeypatch.delitem(names._own, "one-sine")
    with pytest.raises(SpecError, match="one-sine"):
        bridge.variance_explained(fit)
