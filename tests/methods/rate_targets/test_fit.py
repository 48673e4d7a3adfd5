import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, STEPS, drawn, one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets.judgement import closed_loop
from bridge.methods.rate_targets.learner import Learner


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(), **SMALL)


def test_the_network_does_on_its_own_what_it_could_not_before_learning(fit):
    before = bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 1, "update_chance": 1e-9})
    # Without learning there is no output, and the nMSE of that is 1.
    np.testing.assert_array_equal(before.errors, 1.0)
    assert fit.error < 0.1
    assert fit.errors.shape == (5,)
    assert fit.learning_errors.shape == (30,)
    assert 3 < fit.rate_hz < 40


def test_the_errors_are_of_one_run_from_the_end_of_learning_on(fit):
    recording = bridge.simulate(fit, fit.drive(5))
    z = recording.readouts["output"][:, 0, 0].reshape(5, STEPS)
    f = drawn(1, None).targets[:, 0, 0]
    # Sums of 200 numbers in another order.
    np.testing.assert_allclose(fit.errors, ((z - f) ** 2).sum(axis=1) / (f**2).sum(), rtol=5e-13)
    # Seconds are computed from steps.
    assert fit.rate_hz == pytest.approx(recording.spikes.count / (70 * 5 * 0.2), rel=1e-14)


def test_a_file_holds_the_network_with_the_state_in_which_learning_ended(fit, tmp_path):
    back = bridge.load(bridge.save(fit.network, tmp_path / "sine.h5"))
    again = bridge.simulate(back, fit.drive(3))
    first = bridge.simulate(fit.network, fit.drive(3))
    np.testing.assert_array_equal(again.spikes.codes(), first.spikes.codes())
    judged = closed_loop(back, fit.trial, fit.start_mv, 5)
    np.testing.assert_array_equal(judged.errors, fit.errors)
    assert back.provenance["options"]["units"] == 70


def test_the_seed_decides_all(fit):
    same = bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 3})
    assert np.array_equal(same.learning_errors, fit.learning_errors[:3])
    other = bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 3, "seed": 1})
    assert not np.array_equal(other.learning_errors, same.learning_errors)


def test_the_bias_takes_away_the_mean_of_what_others_give(fit, monkeypatch):
    def noted(learner, *given):
        phases.append((learner.v.copy(), forced_trials(learner, *given)))
        return phases[-1][1]

    forced_trials, phases = Learner.forced_trials, []
    random = {"slow_gain": 0.05, "fast_gain": 0.05, "learn_trials": 1}
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "forced_trials", noted)
        balanced = bridge.fit_targets(one_sine(), **{**SMALL, **random})
    plain = bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 1})
    change = np.subtract(
        balanced.network.populations[0].neurons.bias_mv,
        plain.network.populations[0].neurons.bias_mv,
    )
    assert np.abs(change).max() > 0.1
    (at_first, _), (_, mean), (at_last, _) = phases
    # It was taken from a bias of a few mV, which is taken from the result again.
    np.testing.assert_allclose(change, -mean, rtol=0, atol=1e-14)
    # With this bias all begins again.
    np.testing.assert_array_equal(at_last, at_first)


def test_progress_goes_from_nothing_to_all():
    seen = []
    few = {"settle_trials": 1, "learn_trials": 2, "component_trials": 1, "test_trials": 1}
    bridge.fit_targets(one_sine(), **{**SMALL, **few}, on_progress=seen.append)
    assert seen == [0.0, 0.25, 0.5, 0.75, 1.0]


def silent(count, rng):
    trials = drawn(count, rng)
    return bridge.Trials(inputs=trials.inputs, targets=0.0 * trials.targets, labels=trials.labels)


def holed(count, rng):
    trials = drawn(count, rng)
    trials.targets[3] = np.nan
    return trials


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"draw": silent}, "its targets are 0 throughout"),
        ({"draw": holed}, "targets hold NaN"),
    ],
)
def test_tasks_that_it_cannot_learn_are_refused(fields, reason):
    with pytest.raises(SpecError, match=reason):
        bridge.fit_targets(one_sine(**fields), **SMALL)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"teacher_units": 71}, "teacher_units: at most the 70 spiking neurons .* got 71"),
        ({"trained": 71}, "trained: .*70"),
        (
            {"teacher": "brain"},
            "'current' or 'rate', or 'network' with .* got 'brain'",
        ),
        ({"learn_trials": 0}, "learn_trials"),
        ({"test_trials": 0}, "test_trials"),
        ({"update_chance": 0.0}, "update_chance: must lie above 0 and up to 1, got 0"),
        ({"variance_kept": 1.5}, "variance_kept"),
        ({"inhibition": 0.3}, "inhibition: must not be positive"),
        ({"slow_gain": float("nan")}, "slow_gain"),
        ({"factored": "no"}, "factored: expected True or False"),
        ({"nonsense": 1}, "unknown option 'nonsense'; known are units, "),
    ],
)
def test_options_that_make_no_sense_are_refused(options, reason):
    with pytest.raises(SpecError, match=reason):
        bridge.fit_targets(one_sine(), **{**SMALL, **options})


def test_as_many_neurons_are_trained_as_the_number_says():
    options = bridge.methods.rate_targets.options.TargetOptions
    assert options().trained_count == 200
    assert options(units=1000).trained_count == 200
    assert options(units=100, teacher_units=50).trained_count == 40
    assert options(trained=7).trained_count == 7


def test_a_teacher_is_as_large_as_the_network_and_no_larger_than_500():
    options = bridge.methods.rate_targets.options.TargetOptions
    assert [options(units=units).teacher_count for units in (30, 500, 2000)] == [30, 500, 500]
    assert options(units=2000, teacher_units=700).teacher_count == 700


@pytest.mark.full
def test_five_hundred_neurons_make_four_sines_on_their_own():
    fit = bridge.fit_targets("four-sines", seed=6)
    # Trials of the same equations in another program and from other numbers: 0.0028 to 0.0076.
    assert fit.error < 0.008
    assert 10 < fit.rate_hz < 14
