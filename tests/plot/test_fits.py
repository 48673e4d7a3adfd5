"""The picture of a fit shows what the network does, how it learned, and what it has."""

import dataclasses

import numpy as np
import pytest
from methods.rate_targets.one_sine import STEPS, one_sine

import bridge
from bridge.methods.rate_targets.effective import eigenvalues
from bridge.plot import target_fit
from bridge.tasks import names

TINY = {
    "units": 24, "teacher_units": 20, "settle_trials": 1, "component_trials": 1,
    "learn_trials": 25, "test_trials": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(), **TINY)


def lines(axes):
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def test_it_shows_outputs_targets_errors_spikes_and_eigenvalues(fit):
    outputs, errors, spikes, spectrum = target_fit(fit).axes
    recording = bridge.simulate(fit, fit.drive(2))
    made, wanted = (line.get_ydata() for line in outputs.lines)
    # Backends sum a readout in other orders.
    np.testing.assert_allclose(made, recording.readouts["output"][:, 0, 0], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(wanted, np.tile(fit.trial.targets[:, 0, 0], 2))
    assert outputs.get_xlim() == (0, 2 * STEPS / 1000)
    (marks,) = spikes.lines
    assert len(marks.get_xdata()) == recording.spikes.count > 0
    drawn = lines(errors)
    np.testing.assert_array_equal(drawn["each trial"][:, 1], fit.learning_errors)
    last = np.median(fit.learning_errors[-20:])
    assert tuple(drawn["median of 20"][-1]) == (25, last)
    assert drawn[f"on its own, {fit.error:.2g}"][0, 1] == fit.error
    before, after = eigenvalues(fit)
    drawn = lines(spectrum)
    np.testing.assert_array_equal(drawn["before learning"][:, 0], before.real)
    np.testing.assert_array_equal(drawn["after learning"][:, 1], after.imag)


def test_of_trials_that_differ_it_shows_one_of_each_condition(monkeypatch):
    def draw(count, rng):
        labels = rng.permutation(np.arange(count) % 2)
        signs = np.where(labels, -1.0, 1.0)[:, None]
        shape = np.ones((STEPS, count, 1))
        return bridge.Trials(inputs=shape * signs, targets=2 * shape * signs, labels=labels)

    task = dataclasses.replace(one_sine(draw=draw), conditions=("up", "down"))
    monkeypatch.setitem(names._own, "one-sine", task)
    apart = bridge.fit_targets(task, **{**TINY, "learn_trials": 1})
    outputs, errors, *_ = target_fit(apart).axes
    assert {"up", "down"} < set(lines(outputs))
    targets = {float(line.get_ydata()[0]) for line in outputs.lines if line.get_linestyle() == "--"}
    assert targets == {-2.0, 2.0}
    assert "median of 20" not in lines(errors)


def test_of_several_outputs_it_says_which_trial_they_are_of(monkeypatch):
    def draw(count, rng):
        labels = rng.permutation(np.arange(count) % 2)
        inputs, targets = (np.ones((STEPS, count, size)) + labels[:, None] for size in (1, 5))
        return bridge.Trials(inputs=inputs, targets=targets, labels=labels)

    task = bridge.FunctionTask(
        name="one-sine", step_ms=1.0, steps=STEPS, draw=draw, input_size=1, output_size=5,
        conditions=("one", "two"), measure=bridge.nmse(),
    )  # fmt: skip
    monkeypatch.setitem(names._own, "one-sine", task)
    apart = bridge.fit_targets(task, **{**TINY, "learn_trials": 1})
    title = target_fit(apart).axes[0].get_title(loc="left")
    first = bridge.simulate(apart, apart.drive(8), backend="compiled").labels[0]
    assert f"one trial of 2 conditions: {task.conditions[first]}" in title
    assert "the first 4 of 5 outputs" in title


def test_a_task_that_is_not_known_here_leaves_its_trials_out(fit):
    def draw(count, rng):
        sign = rng.choice([-1.0, 1.0], size=(1, count, 1))
        shape = np.ones((STEPS, count, 1))
        return bridge.Trials(
            inputs=shape * sign, targets=shape * sign, labels=np.zeros(count, dtype=int)
        )

    apart = bridge.fit_targets(one_sine(draw=draw), **{**TINY, "learn_trials": 1})
    outputs, errors, spikes, _ = target_fit(apart).axes
    for axes in (outputs, spikes):
        assert "one-sine" in axes.texts[0].get_text()
        assert not axes.lines
    np.testing.assert_array_equal(lines(errors)["each trial"][:, 1], apart.learning_errors)


def test_what_it_cannot_show_it_says(fit):
    bare = dataclasses.replace(fit, checkpoint=None)
    spectrum = target_fit(bare).axes[3]
    assert "holds no checkpoint" in spectrum.texts[0].get_text()
