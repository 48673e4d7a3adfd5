"""The learner against plain loops, and against what backends make of its description."""

import math

import numpy as np
import pytest
from methods.rate_targets.one_sine import STEPS, drawn, learner_of

import bridge
from bridge.errors import TrainingError
from bridge.methods.rate_targets.description import described, described_under_targets

BACKENDS = ("reference", "brian2:numpy", "snntorch", "compiled")
RANDOM = {"slow_gain": 0.05, "fast_gain": 0.05}
TRIALS, TRIAL = 3, drawn(1, None)


def learned(**options):
    learner, targets, lessons = learner_of(**options)
    learner.forced_trials(lessons, 2)
    chosen = np.random.default_rng(4).random(STEPS) < 0.5
    for _ in range(4):
        learner.learning_trial(lessons.next(), chosen)
    return learner, targets, lessons.next()


def own_spikes(learner, lesson, *, forced):
    """Steps and neurons of the learner's own spikes, and its outputs z, without learning."""
    steps, neurons, outputs = [], [], []
    for trial in range(TRIALS):
        for step in range(STEPS):
            if forced:
                learner.forced_step(lesson, step)
            else:
                learner.own_step(lesson, step)
            steps += [trial * STEPS + step] * learner.spikes.size
            neurons += learner.spikes.tolist()
            outputs.append(learner.outputs()[-1])
    return np.array(steps), np.array(neurons), np.array(outputs)


def assert_same(recording, steps, neurons, outputs):
    np.testing.assert_array_equal(recording.spikes.step, steps)
    np.testing.assert_array_equal(recording.spikes.neuron, neurons)
    assert steps.size > 400
    # Outputs up to 1, summed over neurons by BLAS on one side.
    np.testing.assert_allclose(recording.readouts["output"][:, 0, 0], outputs, rtol=0, atol=1e-12)
    assert np.std(outputs) > 0.1


def run(network, inputs, start_mv, backend="reference"):
    drive = bridge.Drive(
        inputs=np.tile(inputs[:, None], (TRIALS, 1, 1)),
        noise=bridge.SharedNoise(seed=0), v_initial_mv=start_mv[None],
    )  # fmt: skip
    return bridge.simulate(network, drive, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("options", [{}, RANDOM], ids=["learned", "and random"])
def test_the_description_fires_the_learner_s_own_spikes_on_its_own(backend, options):
    learner, targets, lesson = learned(**options)
    network = described(learner, targets, dt_ms=1.0, task="")
    start = learner.v.copy()
    own = own_spikes(learner, lesson, forced=False)
    assert_same(run(network, TRIAL.inputs[:, 0], start, backend), *own)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_description_fires_the_learner_s_own_spikes_under_its_teacher(backend):
    learner, targets, lesson = learned(**RANDOM)
    learner.restart()
    network = described_under_targets(learner, targets, dt_ms=1.0, task="")
    start = learner.v.copy()
    own = own_spikes(learner, lesson, forced=True)
    inputs = np.hstack((TRIAL.inputs[:, 0], lesson.signals))
    assert_same(run(network, inputs, start, backend), *own)


@pytest.mark.parametrize("options", [{}, RANDOM], ids=["learned", "and random"])
def test_the_factored_form_fires_the_same_spikes(options):
    learner, targets, lesson = learned(**options)
    start = learner.v.copy()
    networks = [
        described(learner, targets, dt_ms=1.0, task="", factored=factored)
        for factored in (True, False)
    ]
    assert [part.name for part in networks[0].projections if part.rank] == [
        "slow", "fast", "inhibition",
    ]  # fmt: skip
    own = own_spikes(learner, lesson, forced=False)
    for network in networks:
        assert_same(run(network, TRIAL.inputs[:, 0], start), *own)


def test_a_step_follows_the_equations():
    learner, targets, lesson = learned(**RANDOM)
    for step in range(5):
        learner.own_step(lesson, step)
    fixed, n, size = learner.fixed, len(learner.fixed.trained), len(learner.v)
    # Some fire in this step, whatever happens.
    learner.v[3:6] += 60.0
    v, s = learner.v.tolist(), learner.traces.tolist()
    slow, fast, mu = learner.slow.tolist(), learner.fast.tolist(), learner.inhibition
    learned_mv, d = learner.learned.tolist(), learner.rls.weights[: targets.onto.shape[1]]
    stimulus = targets.w_in[:, 0] * TRIAL.inputs[5, 0, 0]
    learner.own_step(lesson, 5)
    left = math.exp(-1 / 10)
    for i in range(size):
        current = fixed.bias[i] + learned_mv[i] + slow[i] + fast[i] + mu + stimulus[i]
        v[i] = current + (v[i] - current) * left
    fired = [i for i in range(size) if v[i] >= 1e-16]
    assert learner.spikes.tolist() == fired
    assert len(fired) >= 3
    for i in range(size):
        slow[i] = slow[i] * math.exp(-1 / 100) + sum(fixed.random_slow[i, j] for j in fired)
        fast[i] = fast[i] * math.exp(-1 / 5) + sum(fixed.random_fast[i, j] for j in fired)
        v[i] = -10.0 if i in fired else v[i]
    for place, neuron in enumerate(fixed.trained):
        s[place] = s[place] * math.exp(-1 / 100) + (neuron in fired)
        s[n + place] = s[n + place] * math.exp(-1 / 5) + (neuron in fired)
    # mu_f / (tau_f N) a spike: -0.3 / (0.005 s * 70).
    mu = mu * math.exp(-1 / 5) - 0.3 / (0.005 * size) * len(fired)
    for found, expected in (
        (learner.v, v), (learner.traces, s), (learner.slow, slow), (learner.fast, fast),
        (learner.inhibition, mu), (learner.learned, targets.onto @ (d @ np.array(s))),
    ):  # fmt: skip
        # One step: sums over some neurons, in another order.
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_learning_draws_the_outputs_to_the_targets_by_ridge_regression():
    learner, _, lessons = learner_of()
    samples, wanted = [], []
    update = learner.rls.update

    def noted(regressors, errors):
        samples.append(regressors.copy())
        wanted.append(learner.rls.weights @ regressors - errors)
        update(regressors, errors)

    learner.rls.update = noted
    for _ in range(3):
        learner.learning_trial(lessons.next(), np.arange(STEPS) % 2 == 0)
    s, y = np.array(samples), np.array(wanted)
    desired = np.hstack((lessons.next().signals, TRIAL.targets[:, 0]))[::2]
    # An output was taken from it and added again.
    np.testing.assert_allclose(y, np.tile(desired, (3, 1)), rtol=0, atol=1e-13)
    ridge = np.linalg.solve(np.eye(s.shape[1]) + s.T @ s, s.T @ y).T
    # Neurons that fire alike have traces alike: a condition of 2e4, on numbers rounded to 1e-16.
    np.testing.assert_allclose(learner.rls.weights, ridge, rtol=0, atol=1e-11)


def test_learning_that_diverges_names_its_step_and_trial():
    learner, _, lessons = learner_of()
    learner.rls.weights[:] = np.nan
    with pytest.raises(TrainingError, match="not finite in step 0 of trial 7"):
        learner.learning_trial(lessons.next(), np.zeros(STEPS, dtype=bool), 7)


def test_a_voltage_that_diverges_is_found_though_it_fires_no_spike():
    learner, _, lessons = learner_of()
    learner.v[2] = np.nan
    with pytest.raises(TrainingError, match="a voltage or a weight is not finite at the end of"):
        learner.learning_trial(lessons.next(), np.zeros(STEPS, dtype=bool))


def test_a_trial_that_begins_anew_knows_nothing_of_the_one_before():
    learner, _, lesson = learned(**RANDOM)
    lesson.start = learner.fixed.start_mv - 5.0
    nothing = np.zeros(STEPS, dtype=bool)
    once, again = (learner.learning_trial(lesson, nothing) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert np.abs(once).max() > 0.1
