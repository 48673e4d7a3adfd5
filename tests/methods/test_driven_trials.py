"""A conversion without a task: what a drive shows, and what of it is judged by what."""

import dataclasses
import hashlib

import numpy as np
import pytest
from methods.short_task import SHORT_TASK
from methods.switch_network import RIGHT_SCALE, switch_network, switched_drive, switched_inputs

import bridge
from bridge.errors import SpecError
from bridge.exchange import hdf5
from bridge.methods.driven_trials import driven_trials
from bridge.methods.scoring import COMPARE, REFIT, SCORE, SEARCH, trials_of
from bridge.spiking.drive import Drive, FrozenNoise, SharedNoise, derived_seed
from bridge.spiking.spikes import Spikes
from bridge.spiking.stimulation import Stimulation
from bridge.tasks import go_nogo

QUICK = {"backend": "compiled"}


def plain_outputs(rate, inputs):
    """(T, B, O) what a network without recurrent weights answers, one number after the other."""
    samples, trials, _ = inputs.shape
    outputs = np.empty((samples, trials, 1))
    for trial in range(trials):
        x = np.zeros(rate.size)
        for sample in range(samples):
            if sample:
                pushed = rate.w_in[:, 0] * inputs[sample - 1, trial, 0]
                x += rate.dt_ms / rate.tau_ms * (pushed - x)
            outputs[sample, trial] = rate.w_out[0] @ (1 / (1 + np.exp(-x))) + rate.b_out
    return outputs


def test_a_network_without_a_task_is_judged_by_how_far_its_output_is_from_the_rate_networks():
    rate, drive = switch_network(), switched_drive()
    made = bridge.convert(rate, drive=drive, inverse_scales=[25, 50, 100], seed=4, **QUICK)
    assert abs(made.search.best_inverse_scale - RIGHT_SCALE) < 5
    shown = driven_trials(rate, drive, 4).shown(SEARCH)
    noise = SharedNoise(seed=derived_seed(4, SEARCH[1]))
    inputs = shown.trials.inputs
    found = bridge.simulate(made.network, Drive(inputs=inputs, noise=noise), backend="reference")
    wanted = plain_outputs(rate, inputs)
    error = ((found.readouts["output"] - wanted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum()
    # The plain loop sums in another order.
    assert made.search.output_error[1] == pytest.approx(error, rel=1e-9)
    held = made.faithfulness()
    assert (held.correct, held.judged, held.trials) == (None, False, 6)
    assert held.output_error == pytest.approx(error, rel=1e-9)
    assert not held.failed
    assert f"output error {error:.2g} in 6 trials" in repr(made)


def test_all_trials_of_a_drive_are_searched_on_in_an_order_of_the_seed():
    drive = switched_drive(9)
    inputs = drive.inputs + np.arange(9)[:, None] / 100
    source = driven_trials(switch_network(), dataclasses.replace(drive, inputs=inputs), 0)
    names = np.round(source.shown(SEARCH).trials.inputs[0, :, 0] * 100).astype(int) % 100
    again = driven_trials(switch_network(), dataclasses.replace(drive, inputs=inputs), 0)
    assert len(set(names.tolist())) == 9
    np.testing.assert_array_equal(
        source.shown(SEARCH).trials.inputs, again.shown(SEARCH).trials.inputs
    )
    other = driven_trials(switch_network(), dataclasses.replace(drive, inputs=inputs), 1)
    assert not np.array_equal(source.shown(SEARCH).trials.inputs, other.shown(SEARCH).trials.inputs)


def test_a_conversion_without_accuracy_comes_back_from_its_file(tmp_path):
    drive = switched_drive()
    made = bridge.convert(switch_network(), drive=drive, inverse_scales=[50, 100], **QUICK)
    path = bridge.save(made, tmp_path / "lif.h5")
    # Older readers refuse a search by the output error that lacks right answers.
    assert hdf5.read_tree(path)["format_version"] == 5
    back = bridge.load(path)
    assert back.search.correct is None
    np.testing.assert_array_equal(back.search.output_error, made.search.output_error)
    assert repr(back.faithfulness()) == repr(made.faithfulness())
    digest = hashlib.sha256(drive.inputs.astype("<f8").tobytes()).hexdigest()
    assert back.network.provenance["drive_sha256"] == digest
    assert back.network.provenance["search_trials"] == 6
    with pytest.raises(SpecError, match="no accuracy: no task judged the answers"):
        back.search.accuracies()


def test_where_the_output_is_all_there_is_losing_it_is_failing():
    made = bridge.convert(switch_network(), drive=switched_drive(), inverse_scales=[12], **QUICK)
    found = made.faithfulness()
    assert found.output_error > 1
    assert found.failed
    assert "the output is not the rate network's (output error" in found.failure()
    assert not found.warning()
    assert not found.not_judged()


def test_a_scale_factor_is_predicted_from_what_a_drive_lets_the_network_visit():
    made = bridge.convert(switch_network(), drive=switched_drive(), scale="predicted", **QUICK)
    assert made.search.inverse_scales.size == 1
    # The f-I curve of noisy neurons at currents of up to 5 mV, not at 5 mV alone.
    assert made.search.best_inverse_scale == pytest.approx(RIGHT_SCALE, rel=0.3)
    assert not made.faithfulness().failed


def test_a_readout_is_fitted_to_the_rate_networks_output_on_every_other_trial():
    rate, drive = switch_network(), switched_drive(11)
    source = driven_trials(rate, drive, 0)
    fitted, fresh = source.shown(REFIT), source.shown(SCORE)
    assert (fitted.count, fresh.count) == (6, 5)
    assert fitted.noise != fresh.noise
    for part in (fitted, fresh):
        wanted = plain_outputs(rate, part.trials.inputs)
        np.testing.assert_allclose(part.trials.targets, wanted, atol=1e-12)
    whole = source.shown(SEARCH).trials.inputs
    np.testing.assert_array_equal(fitted.trials.inputs, whole[:, ::2])
    np.testing.assert_array_equal(fresh.trials.inputs, whole[:, 1::2])
    made = bridge.convert(rate, drive=drive, inverse_scales=[12], refit_readout=True, **QUICK)
    said = made.network.provenance
    assert (said["readout_trials"], said["fresh_trials"]) == (6, 5)
    assert said["fresh_output_error_before"] > 1 > 0.2 > said["fresh_output_error"]
    found = made.faithfulness()
    assert (found.trials, found.output_error) == (5, said["fresh_output_error"])
    assert not found.failed


def test_too_few_trials_for_a_readout_are_refused_before_the_search():
    with pytest.raises(SpecError, match="takes at least 9, and this drive has 8"):
        bridge.convert(switch_network(), drive=switched_drive(8), refit_readout=True)


def test_first_trials_in_which_nothing_happens_drop_no_scale_factor():
    # Without input the units stay where they begin: only one trial of fifty tells anything, and
    # ten of the others are enough to drop a scale factor for good.
    inputs = np.zeros((20, 50, 1))
    inputs[5:, :1] = 1.0
    drive = Drive(inputs=inputs, noise=SharedNoise(seed=0))
    outputs = plain_outputs(switch_network(), inputs)
    assert np.ptp(outputs[:, 1:]) < 1e-12 < np.ptp(outputs[:, 0])
    first = driven_trials(switch_network(), drive, 0).shown(SEARCH).trials.inputs[:, :10]
    assert not first.any()
    made = bridge.convert(switch_network(), drive=drive, inverse_scales=[12, 20, 30, 50], **QUICK)
    np.testing.assert_array_equal(made.search.tested, [50] * 4)


@pytest.fixture
def quick_task(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    return bridge.task("go-nogo")


def shown_by_task(task, count=6, **fields):
    made = trials_of(task, count, 2, COMPARE)
    given = {"labels": made.labels, "conditions": task.conditions} | fields
    return made, Drive(inputs=made.inputs, noise=SharedNoise(seed=0), **given)


def test_conditions_of_the_networks_task_let_it_judge_the_answers(quick_task):
    rate = switch_network(task="go-nogo")
    made, drive = shown_by_task(quick_task)
    names = quick_task.conditions[::-1]
    drive = dataclasses.replace(drive, labels=1 - made.labels, conditions=names)
    source = driven_trials(rate, drive, 0)
    assert source.task.name == "go-nogo"
    np.testing.assert_array_equal(source.trials.targets, made.targets)
    np.testing.assert_array_equal(source.trials.labels, made.labels)
    found = bridge.convert(rate, drive=drive, inverse_scales=[50, 60], **QUICK)
    shown = source.shown(SEARCH)
    network = bridge.map_one_to_one(rate, 50.0)
    answers = bridge.simulate(network, shown.drive(), backend="reference").readouts["output"]
    right = quick_task.spiking_correct(answers, shown.trials)
    assert found.search.correct[0] == right.sum()
    assert found.faithfulness().judged


@pytest.mark.parametrize(
    ("samples", "conditions", "why"),
    [
        (20, ("NoGo", "left"), "it has no condition 'left'"),
        (30, ("NoGo", "Go"), "its own have 20 samples, these 30"),
    ],
)
def test_a_task_that_cannot_judge_says_so_and_the_output_decides(
    quick_task, samples, conditions, why
):
    drive = switched_drive(2, samples, labels=np.array([0, 1]), conditions=conditions)
    with pytest.warns(UserWarning, match=f"cannot judge these trials, since {why}"):
        source = driven_trials(switch_network(task=quick_task.name), drive, 0)
    assert source.task is None


def test_a_condition_whose_trials_want_this_or_that_is_not_judged():
    task = bridge.task("flip-flop")
    made, drive = shown_by_task(task)
    rate = switch_network(
        task="flip-flop", w_in=np.ones((8, task.input_size)), w_out=np.ones((task.output_size, 8)),
        b_out=np.zeros(task.output_size),
    )  # fmt: skip
    assert made.inputs.shape[2] == task.input_size
    with pytest.warns(UserWarning, match="is not the same in all trials"):
        assert driven_trials(rate, drive, 0).task is None


@pytest.mark.parametrize("task", ["", "a-task-of-my-own"])
def test_labels_without_a_known_task_judge_nothing(task):
    drive = switched_drive(2, labels=np.array([0, 1]), conditions=("a", "b"))
    assert driven_trials(switch_network(task=task), drive, 0).task is None


PUSH = Stimulation(start_step=0, stop_step=5, neurons=np.array([0]), amplitude_mv=1.0, seed=0)
TOUCH = Spikes(trial=[0], step=[3], neuron=[1], n_trials=6, n_steps=6000, n_neurons=3)
FROZEN = FrozenNoise(values_mv=np.zeros((6000, 6, 8)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.ones((60, 6, 2))}, "takes 1 input channel, the drive has 2"),
        ({"inputs": np.ones((1, 6, 1))}, "one sample, and an input acts from the next sample on"),
        ({"inputs": np.zeros((60, 6, 1))}, "output never varies in these trials"),
        ({"stimulation": (PUSH,)}, "drive: holds stimulation, which is for spiking neurons"),
        ({"recurrent_gain": np.ones(6)}, "drive: holds recurrent_gain"),
        ({"v_initial_mv": np.zeros((6, 8))}, "drive: holds v_initial_mv"),
        ({"noise": FROZEN, "v_initial_mv": np.zeros((6, 8))}, "drive: holds v_initial_mv"),
        (
            {"spikes": {"touch": TOUCH}},
            "holds spikes of touch as events, and a rate network takes values alone",
        ),
    ],
)  # fmt: skip
def test_a_drive_that_a_rate_network_cannot_be_shown_is_refused(change, message):
    with pytest.raises(SpecError, match=message):
        bridge.convert(
            switch_network(), drive=dataclasses.replace(switched_drive(), **change), **QUICK
        )


def test_answers_that_are_no_numbers_are_refused():
    rate = switch_network(w_out=np.full((1, 8), 1e308))
    with pytest.raises(SpecError, match="is not finite; its inputs are too large"):
        driven_trials(rate, switched_drive(), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 6}, "trials: the drive that is given has 6 of its own"),
        ({"rule": "accuracy"}, "'accuracy' goes by a task's judgement, and nothing judges"),
        ({"rule": "score"}, "'score' goes by a task's judgement, and nothing judges"),
    ],
)
def test_options_that_need_a_task_are_refused_with_a_drive(options, message):
    with pytest.raises(SpecError, match=message):
        bridge.convert(switch_network(), drive=switched_drive(), **QUICK, **options)


def test_a_drive_is_one_of_ours():
    with pytest.raises(SpecError, match="drive: expected a Drive"):
        bridge.convert(switch_network(), drive=switched_inputs())


def test_without_task_and_drive_both_are_named():
    with pytest.raises(SpecError, match=r"no task to search.*convert --drive FILE"):
        bridge.convert(switch_network())
