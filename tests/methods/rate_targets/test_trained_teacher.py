"""A trained rate network as the teacher: what it shows, and what is learned from it."""

import dataclasses
import threading

import numpy as np
import pytest
from methods.rate_targets.one_sine import one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets.fitting import begun
from bridge.methods.rate_targets.plan import plan_fit
from bridge.methods.rate_targets.trained_teacher import TrainedTeacher
from bridge.tasks import names

SMALL = {"units": 70, "settle_trials": 3, "learn_trials": 30, "test_trials": 3}


def rate_network(**fields):
    """Twenty units that turn a pulse into waves which die away."""
    rng = np.random.default_rng(3)
    given = {
        "recurrent": rng.normal(0, 1.2 / np.sqrt(20), (20, 20)), "w_in": rng.normal(0, 2, (20, 1)),
        "w_out": rng.normal(size=(1, 20)), "b_out": [0.0], "tau_ms": np.full(20, 20.0),
        "dt_ms": 1.0, "activation": "tanh", "noise_sd": 0.5, "initial_state": np.full(20, 0.3),
        "bias": np.full(20, 0.1),
    }  # fmt: skip
    return bridge.RateNetwork(**{**given, **fields})


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(), teacher_network=rate_network(), **SMALL)


@pytest.mark.parametrize("hold", [1, 3])
def test_it_shows_its_rates_without_noise_each_held(hold):
    network, rng = rate_network(), np.random.default_rng(0)
    inputs = rng.normal(size=(40, 1, 1))
    held = np.repeat(inputs, hold, axis=0)
    trial = bridge.Trials(inputs=held, targets=held, labels=np.zeros(1, int))
    shown, _ = TrainedTeacher(network, hold).trial(np.zeros(20), trial, 1.0)
    # Form x of the equation, step by step.
    x, expected = np.full(20, 0.3), []
    for u in inputs[:, 0, 0]:
        expected += [np.tanh(x)] * hold
        drive = network.recurrent @ np.tanh(x) + network.w_in[:, 0] * u + 0.1
        x = x + (drive - x) / 20.0
    # Sums of twenty products in another order.
    np.testing.assert_allclose(shown, expected, rtol=0, atol=1e-12)


def test_targets_are_its_recurrent_currents_by_an_orthogonal_projection():
    network = rate_network()
    plan = plan_fit(one_sine(), teacher_network=network, **SMALL, variance_kept=1.0)
    run = begun(plan, lambda fraction, note: None, threading.Event(), None)
    rates = network.run(plan.trial.inputs, None)[1][:, 0]
    currents = rates @ network.recurrent.T
    # Lengths are kept, times the gain of 6; components of 1e-16 of the power are lost to rounding.
    found = np.square(run.lessons.next().forced).sum(axis=1)
    np.testing.assert_allclose(found, 36.0 * np.square(currents).sum(axis=1), rtol=1e-6)
    stimuli = np.square(run.targets.w_in).sum(axis=0)
    np.testing.assert_allclose(stimuli, 36.0 * np.square(network.w_in).sum(axis=0), rtol=1e-12)


def test_a_network_follows_it_and_does_its_task(fit, monkeypatch):
    monkeypatch.setitem(names._own, "one-sine", one_sine())
    # Without an output it would be 1; waves that die away are no sine.
    assert fit.error < 0.3
    assert bridge.variance_explained(fit, trials=3).whole > 0.7
    told = fit.network.provenance["options"]
    assert (told["teacher"], told["teacher_units"]) == ("network", 20)


def test_a_file_holds_the_teacher_and_learning_goes_on_as_if_it_had_not_stopped(fit, tmp_path):
    short = bridge.fit_targets(
        one_sine(), teacher_network=rate_network(), **{**SMALL, "learn_trials": 20}
    )
    bridge.save(short, tmp_path / "fit.h5")
    back = bridge.load(tmp_path / "fit.h5")
    np.testing.assert_array_equal(back.teacher.recurrent, rate_network().recurrent)
    longer = bridge.fit_targets(one_sine(), resume=back, learn_trials=30)
    np.testing.assert_array_equal(longer.checkpoint.weights, fit.checkpoint.weights)
    np.testing.assert_array_equal(longer.errors, fit.errors)
    with pytest.raises(SpecError, match="teacher_network cannot be changed"):
        bridge.fit_targets(one_sine(), resume=back, teacher_network=rate_network())


@pytest.mark.parametrize(
    ("fields", "options", "said"),
    [
        ({}, {"units": 19}, "teacher_units: at most the 19 spiking neurons .*, got 20"),
        ({"dt_ms": 2.0}, {}, "steps of 1 ms, this network takes steps of 2 ms"),
        ({"w_in": np.ones((20, 2))}, {}, "has 1 input and 1 output, this network has 2 and 1"),
        ({"recurrent": np.zeros((20, 20))}, {}, "its recurrent weights are 0"),
        ({}, {"teacher": "rate"}, "teacher: is of a teacher that is drawn"),
        ({}, {"teacher_units": 20}, "teacher_units: is of a teacher that is drawn"),
        ({}, {"teacher_gain": 1.0}, "teacher_gain: is of a teacher that is drawn"),
    ],
)
def test_a_teacher_that_cannot_show_the_task_is_refused(fields, options, said):
    with pytest.raises(SpecError, match=said):
        bridge.fit_targets(
            one_sine(), teacher_network=rate_network(**fields), **{**SMALL, **options}
        )


def test_what_is_no_rate_network_is_no_teacher(fit):
    with pytest.raises(SpecError, match="teacher_network: expected a RateNetwork"):
        bridge.fit_targets(one_sine(), teacher_network=fit.network, **SMALL)
    with pytest.raises(SpecError, match="'network' needs teacher_network"):
        bridge.fit_targets(one_sine(), teacher="network", teacher_units=20, **SMALL)
    with pytest.raises(SpecError, match="teacher"):
        dataclasses.replace(fit, teacher=fit.network)
