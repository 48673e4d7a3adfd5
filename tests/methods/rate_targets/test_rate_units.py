"""Rate units against their equations, against ridge regression, and on their own."""

import math

import numpy as np
import pytest
from methods.rate_targets.one_sine import STEPS, drawn, one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets.follower import Follower
from bridge.methods.rate_targets.learner import Learner
from bridge.methods.rate_targets.rate_learner import RateLearner
from bridge.methods.rate_targets.rate_units import _outputs

SMALL = {"units": 40, "settle_trials": 25, "learn_trials": 30, "test_trials": 5}


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_rate_units(one_sine(), **SMALL)


def test_the_units_do_on_their_own_what_they_could_not_before_learning(fit):
    before = bridge.fit_rate_units(
        one_sine(), **{**SMALL, "learn_trials": 1, "update_chance": 1e-9}
    )
    # Without learning there is no output, and the nMSE of that is 1.
    np.testing.assert_array_equal(before.errors, 1.0)
    assert fit.error < 0.01
    assert fit.errors.shape == (5,)


def test_rate_units_and_spiking_neurons_learn_in_the_same_steps():
    shared = ("own_step", "forced_step", "forced_steps", "learning_trial", "own_steps")
    for name in shared:
        assert getattr(Learner, name) is getattr(RateLearner, name) is getattr(Follower, name)


def test_a_step_follows_the_equation(fit):
    learner = fit.learner
    x, learned = learner.x.tolist(), learner.learned.tolist()
    stimulus = np.linspace(-1, 1, len(x))
    learner.advance(stimulus)
    left = math.exp(-1 / 10)
    for unit, (state, mine, given) in enumerate(zip(x, learned, stimulus, strict=True)):
        current = mine + given
        expected = current + (state - current) * left
        assert learner.x[unit] == expected
        # NumPy's tanh and the C library's differ in the last bit; 1.1e-16 is found.
        assert learner.traces[unit] == pytest.approx(math.tanh(expected), rel=1e-15, abs=1e-15)


def test_learning_is_ridge_regression_on_all_samples(monkeypatch):
    samples, wanted, learners = [], [], []
    trial = RateLearner.learning_trial

    def noted(learner, lesson, chosen, number=0):
        update = learner.rls.update
        learners.append(learner)

        def kept(regressors, errors):
            samples.append(regressors.copy())
            wanted.append(learner.rls.weights @ regressors - errors)
            update(regressors, errors)

        with monkeypatch.context() as patch:
            patch.setattr(learner.rls, "update", kept)
            return trial(learner, lesson, chosen, number)

    monkeypatch.setattr(RateLearner, "learning_trial", noted)
    bridge.fit_rate_units(one_sine(), **{**SMALL, "learn_trials": 3})
    s, y = np.array(samples), np.array(wanted)
    assert 0.4 * 3 * STEPS < len(s) < 0.6 * 3 * STEPS
    ridge = np.linalg.solve(np.eye(s.shape[1]) + s.T @ s, s.T @ y).T
    # Units that do alike: a condition of 1e4, on numbers rounded to 1e-16; they are 1e-12 apart.
    np.testing.assert_allclose(learners[-1].rls.weights, ridge, rtol=0, atol=1e-10)


def either_sign(count, rng):
    trials = drawn(count, rng)
    signs = rng.choice((-1.0, 1.0), size=count)[None, :, None]
    return bridge.Trials(
        inputs=trials.inputs * signs, targets=trials.targets * signs, labels=trials.labels
    )


def test_trials_that_differ_are_held_and_begin_anew():
    task = one_sine(draw=either_sign, step_ms=5.0)
    fit = bridge.fit_rate_units(task, **{**SMALL, "units": 100})
    # An output of 0 has 1; five seeds have 0.002 at most, and with 40 units up to 0.27.
    assert fit.error < 0.01
    assert fit.errors.shape == (5,)


def test_an_output_is_that_of_the_last_step_of_its_sample(fit):
    stimulus = np.random.default_rng(5).standard_normal((30, 40))

    def outputs(hold):
        fit.learner.restart()
        return _outputs(fit.learner, stimulus, hold)

    np.testing.assert_array_equal(outputs(5), outputs(1)[4::5])


def test_opposite_inputs_from_opposite_states_give_opposite_outputs(fit):
    learner, rng = fit.learner, np.random.default_rng(4)
    start, given = rng.standard_normal(40), rng.standard_normal((30, 40))

    def outputs(sign):
        learner.restart(sign * start)
        made = []
        for stimulus in given:
            learner.advance(sign * stimulus)
            made.append(learner.outputs())
            learner.close_loop(made[-1])
        return np.array(made)

    plain = outputs(1.0)
    assert np.abs(plain).max() > 0.1
    np.testing.assert_array_equal(outputs(-1.0), -plain)


def same_answer(constant):
    """A sine that is the same for pulses of either sign, with a second input that is constant."""

    def draw(count, rng):
        trials = either_sign(count, rng)
        level = np.full_like(trials.inputs, constant)
        targets = drawn(count, rng).targets
        inputs = np.concatenate((trials.inputs, level), axis=2)
        return bridge.Trials(inputs=inputs, targets=targets, labels=trials.labels)

    return one_sine(draw=draw, input_size=2)


def test_one_answer_to_opposite_inputs_takes_a_constant_input():
    without, with_one = (
        bridge.fit_rate_units(same_answer(constant), **SMALL) for constant in (0.0, 1.0)
    )
    # If z answers one sign and -z the other, one of them has an nMSE of at least 1.
    assert without.errors.max() > 1
    assert with_one.errors.max() < 0.3


def test_what_only_spiking_neurons_have_is_refused():
    with pytest.raises(SpecError, match="'inhibition'"):
        bridge.fit_rate_units(one_sine(), inhibition=-0.3)
