"""Learning that is interrupted, goes on, or diverges; and what a file keeps of it."""

import dataclasses

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, STEPS, learner_of, one_sine

import bridge
from bridge.errors import DivergedError, FormatError, SpecError
from bridge.methods.rate_targets import fitting
from bridge.methods.rate_targets.checkpoint import checkpoint_of, put_back
from bridge.methods.rate_targets.least_squares import RecursiveLeastSquares

# The teacher stays chaotic with such a gain, and runs along with learning.
LIVELY = {
    **SMALL, "teacher": "current", "teacher_gain": 8.0, "settle_trials": 2, "component_trials": 2,
    "slow_gain": 0.05, "fast_gain": 0.05, "learn_trials": 6, "test_trials": 2,
}  # fmt: skip
PLAIN = {**SMALL, "settle_trials": 4, "learn_trials": 6, "test_trials": 2}


def learned(fit):
    """All numbers that learning changes."""
    kept = {name: getattr(fit, name) for name in ("start_mv", "learning_errors", "errors")}
    for projection in fit.network.projections:
        kept |= {f"{projection.name} {n}": m.toarray() for n, m in enumerate(projection.factors)}
    kept |= {
        field.name: np.asarray(getattr(fit.checkpoint, field.name))
        for field in dataclasses.fields(fit.checkpoint)
    }
    return {name: values.tobytes() for name, values in kept.items()}


def interrupted_at(number, monkeypatch, **options):
    """A fit that an interrupt ends in that trial of learning."""
    learned_trial = fitting.learned_trial

    def stopped(run):
        error = learned_trial(run)
        if len(run.errors) == number:
            raise KeyboardInterrupt
        return error

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "learned_trial", stopped)
        return bridge.fit_targets(one_sine(), **options)


@pytest.mark.parametrize("options", [PLAIN, LIVELY], ids=["repeating", "chaotic teacher"])
def test_a_fit_that_goes_on_from_a_file_ends_where_an_unbroken_one_does(
    options, monkeypatch, tmp_path
):
    whole = bridge.fit_targets(one_sine(), **options)
    stopped = interrupted_at(4, monkeypatch, **options)
    assert stopped.stopped == "interrupted"
    assert len(stopped.learning_errors) == stopped.checkpoint.trials == 4
    assert stopped.errors.size == 0
    assert np.isnan(stopped.error)
    back = bridge.load(bridge.save(stopped, tmp_path / "sine.h5"))
    assert learned(back) == learned(stopped) != learned(whole)
    # The same options may be given again.
    assert learned(bridge.fit_targets(one_sine(), resume=back, **options)) == learned(whole)


@pytest.mark.parametrize("changed", [{}, {"test_trials": 3, "factored": True}])
def test_a_finished_fit_can_learn_longer(changed):
    short = bridge.fit_targets(one_sine(), **{**PLAIN, "learn_trials": 3})
    whole = bridge.fit_targets(one_sine(), **{**PLAIN, **changed})
    longer = bridge.fit_targets(one_sine(), resume=short, learn_trials=6, **changed)
    assert learned(longer) == learned(whole)
    assert longer.network.provenance == whole.network.provenance


def test_progress_of_a_fit_that_goes_on_goes_from_nothing_to_all(small):
    seen = []
    bridge.fit_targets(one_sine(), resume=small, learn_trials=4, on_progress=seen.append)
    # Three trials of learning, and the test.
    assert seen == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_an_interrupt_while_it_is_judged_keeps_what_is_learned(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "_judged", stopped)
        not_judged = bridge.fit_targets(one_sine(), **PLAIN)
    assert not_judged.stopped == "interrupted"
    assert not_judged.errors.size == 0
    whole = bridge.fit_targets(one_sine(), **PLAIN)
    assert learned(bridge.fit_targets(one_sine(), resume=not_judged)) == learned(whole)


def test_an_interrupt_while_it_learns_lets_the_trial_end(monkeypatch):
    class Interrupted(fitting.TrialCounter):
        def __call__(self, note=""):
            super().__call__(note)
            if note.startswith("trial 2 "):
                self.interrupted.set()

    monkeypatch.setattr(fitting, "TrialCounter", Interrupted)
    stopped = bridge.fit_targets(one_sine(), **PLAIN)
    assert stopped.stopped == "interrupted"
    assert stopped.checkpoint.trials == 2


def test_what_is_interrupted_runs_as_any_network(monkeypatch):
    stopped = interrupted_at(2, monkeypatch, **PLAIN)
    recording = bridge.simulate(stopped, stopped.drive(2), backend="reference")
    assert recording.spikes.count > 0
    assert "interrupted after 2 trials of learning, not judged" in repr(stopped)


def test_an_interrupt_before_anything_is_learned_leaves_nothing(monkeypatch):
    class Interrupted(fitting.TrialCounter):
        def __call__(self, note=""):
            super().__call__(note)
            self.interrupted.set()

    monkeypatch.setattr(fitting, "TrialCounter", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        bridge.fit_targets(one_sine(), **PLAIN)


def test_learning_that_diverges_keeps_the_state_before_that_trial(monkeypatch):
    before = bridge.fit_targets(one_sine(), **{**PLAIN, "learn_trials": 2})
    update, calls = RecursiveLeastSquares.update, []

    def spoilt(self, regressors, errors):
        calls.append(1)
        # In the third trial: in each, about 100 of 200 steps are learned from.
        update(self, regressors, errors * (np.nan if len(calls) > 250 else 1.0))

    monkeypatch.setattr(RecursiveLeastSquares, "update", spoilt)
    with pytest.raises(DivergedError, match=r"not finite in step \d+ of trial 2") as caught:
        bridge.fit_targets(one_sine(), **PLAIN)
    kept = caught.value.kept
    assert kept.stopped.startswith("learning diverged")
    assert kept.errors.size == 0
    same = learned(before) | {"errors": b""}
    assert learned(kept) == same
    # Without more trials it is judged as it is.
    monkeypatch.undo()
    judged = bridge.fit_targets(one_sine(), resume=kept, learn_trials=2)
    assert learned(judged) == learned(before)


def test_weights_that_the_last_step_of_a_trial_breaks_are_not_kept(monkeypatch):
    update, calls = RecursiveLeastSquares.update, []

    def spoilt(self, regressors, errors):
        calls.append(1)
        update(self, regressors, errors * (np.nan if len(calls) == 2 * STEPS else 1.0))

    monkeypatch.setattr(RecursiveLeastSquares, "update", spoilt)
    with pytest.raises(DivergedError, match="at the end of trial 1, step 200") as caught:
        bridge.fit_targets(one_sine(), **{**PLAIN, "update_chance": 1.0})
    assert caught.value.kept.checkpoint.trials == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"learn_trials": 3}, "learn_trials: 3 trials are learned already, 3 add none"),
        ({"units": 80, "learn_trials": 9}, "units cannot be changed when a fit is resumed"),
        ({"nonsense": 1}, "unknown option 'nonsense'"),
    ],
)
def test_a_fit_that_cannot_go_on_so_is_refused(options, reason):
    short = bridge.fit_targets(one_sine(), **{**PLAIN, "learn_trials": 3})
    with pytest.raises(SpecError, match=reason):
        bridge.fit_targets(one_sine(), resume=short, **options)


def test_a_fit_without_a_checkpoint_or_of_another_task_or_teacher_cannot_go_on():
    short = bridge.fit_targets(one_sine(), **{**PLAIN, "learn_trials": 2})
    bare = dataclasses.replace(short, checkpoint=None)
    with pytest.raises(SpecError, match="holds no checkpoint"):
        bridge.fit_targets(one_sine(), resume=bare, learn_trials=4)
    fewer = dataclasses.replace(short, learning_errors=short.learning_errors[:1])
    with pytest.raises(SpecError, match="of 2 trials of learning, and there are errors of 1"):
        bridge.fit_targets(one_sine(), resume=fewer, learn_trials=4)
    with pytest.raises(SpecError, match="learns 'one-sine', not 'four-sines'"):
        bridge.fit_targets("four-sines", resume=short, learn_trials=4)
    other = dataclasses.replace(short.checkpoint, onto_mv=-short.checkpoint.onto_mv)
    with pytest.raises(SpecError, match="seed give here is another one"):
        bridge.fit_targets(
            one_sine(), resume=dataclasses.replace(short, checkpoint=other), learn_trials=4
        )


def test_a_teacher_that_another_processor_rounds_is_the_same():
    learner, _, _ = learner_of()
    kept = checkpoint_of(learner, 0)
    # Four times what was found, and what a chaotic teacher soon comes to.
    put_back(learner, dataclasses.replace(kept, onto_mv=kept.onto_mv + 1.6e-11))
    with pytest.raises(SpecError, match="seed give here is another one"):
        put_back(learner, dataclasses.replace(kept, onto_mv=kept.onto_mv + 1e-8))


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("start_mv", np.zeros(3), r"start_mv: expected shape \(70\)"),
        ("errors", np.array([np.nan]), "errors: holds NaN"),
        ("learning_errors", np.array([-1.0]), "learning_errors: must not be negative"),
        ("rate_hz", -1.0, "rate_hz: must not be negative"),
        ("shifts_ms", np.zeros(3), r"shifts_ms: expected shape \(2\)"),
        ("trial/inputs", np.zeros((5, 1, 2)), "trial: inputs: expected shape"),
        ("trial/targets", np.zeros((5, 1, 1)), "trial: targets: expected shape"),
        ("checkpoint/trials", -1, "checkpoint: trials"),
        ("checkpoint/p", np.zeros((3, 3)), "checkpoint: p: expected shape"),
        ("checkpoint/traces", np.zeros(3), "checkpoint: traces: expected shape"),
        ("checkpoint/v_mv", np.full(70, np.inf), "checkpoint: v_mv: holds NaN"),
        ("checkpoint/bias_mv", np.zeros(69), "checkpoint: bias_mv: expected shape"),
        ("checkpoint/weights", np.zeros((1, 56)), "checkpoint: weights hold no row"),
        ("checkpoint/inhibition_mv", np.inf, "checkpoint: inhibition_mv: expected a finite"),
    ],
)
def test_a_file_whose_parts_make_no_sense_is_refused(part, value, reason, small, tmp_path):
    from bridge.exchange.hdf5 import read_tree, write_tree

    path = bridge.save(small, tmp_path / "fit.h5")
    tree = read_tree(path)
    *above, name = part.split("/")
    place = tree
    for each in above:
        place = place[each]
    place[name] = value
    write_tree(path, tree, overwrite=True)
    with pytest.raises(FormatError, match=reason):
        bridge.load(path)


def test_a_checkpoint_whose_p_is_not_symmetric_is_refused(small):
    skewed = small.checkpoint.p.copy()
    skewed[0, 1] += 1.0
    with pytest.raises(SpecError, match="p must be symmetric"):
        dataclasses.replace(small.checkpoint, p=skewed)


def test_a_checkpoint_of_another_network_is_refused(small):
    other, _, _ = learner_of(units=60)
    with pytest.raises(SpecError, match="is of 60 neurons, the network has 70"):
        dataclasses.replace(small, checkpoint=checkpoint_of(other, 1))


@pytest.fixture(scope="module")
def small():
    return bridge.fit_targets(one_sine(), **{**PLAIN, "learn_trials": 1})
