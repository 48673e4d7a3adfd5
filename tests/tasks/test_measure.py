"""Numbers that a task gives its trials, held against plain loops and sentences."""

import re

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.methods.measured import Measured, measured_of
from bridge.tasks import check_task, judges, measured, rate_correct, scoring, spiking_correct

RNG = np.random.default_rng(0)
TRIALS = bridge.Trials(
    inputs=np.ones((3, 4, 2)),
    targets=RNG.normal(1.0, 1.0, (3, 4, 2)),
    labels=np.zeros(4, dtype=int),
)
OUTPUTS = RNG.normal(0.0, 1.0, (3, 4, 2))


def task(**fields):
    """A task of one's own."""
    return bridge.FunctionTask(
        name="mine", step_ms=5.0, steps=3, input_size=2, output_size=2, conditions=("a",),
        draw=lambda count, rng: TRIALS, **fields,
    )  # fmt: skip


def measuring(values, **fields):
    """A task that gives its trials these numbers."""
    given = {"name": "time", "unit": "ms", "better": "lower"} | fields
    return task(measure=bridge.Measure(**given, values=lambda outputs, trials: values))


def error_by_hand(outputs, targets, trial):
    above = below = 0.0
    for step in range(targets.shape[0]):
        for channel in range(targets.shape[2]):
            f = targets[step, trial, channel]
            above += (outputs[step, trial, channel] - f) ** 2
            below += f**2
    return above / below


def test_nmse_is_the_squared_error_as_a_share_of_the_target_s_square_in_each_trial():
    found = measured(task(measure=bridge.nmse()), OUTPUTS, TRIALS)
    expected = [error_by_hand(OUTPUTS, TRIALS.targets, trial) for trial in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    # What stays at 0 has 1, what is right 0, whatever the target's mean.
    mine = task(measure=bridge.nmse())
    assert measured(mine, np.zeros_like(OUTPUTS), TRIALS).tolist() == [1.0] * 4
    assert measured(mine, TRIALS.targets, TRIALS).tolist() == [0.0] * 4


def test_nmse_of_a_target_that_is_0_throughout_is_none():
    targets = TRIALS.targets.copy()
    targets[:, 2] = 0.0
    trials = bridge.Trials(inputs=TRIALS.inputs, targets=targets, labels=TRIALS.labels)
    with pytest.raises(SpecError, match="nMSE: the target of trial 2 is 0 throughout"):
        measured(task(measure=bridge.nmse()), OUTPUTS, trials)


@pytest.mark.parametrize(
    ("better", "right"), [("lower", [True, True, False, False]), ("higher", [0, 1, 1, 1])]
)
@pytest.mark.parametrize("correct", [rate_correct, spiking_correct])
def test_a_trial_is_right_up_to_the_bound_and_at_it(correct, better, right):
    mine = measuring(np.array([1, 2, 3, 4]), better=better, bound=2)
    assert judges(mine)
    np.testing.assert_array_equal(correct(mine, OUTPUTS, TRIALS), right)


@pytest.mark.parametrize("correct", [rate_correct, spiking_correct])
def test_without_a_bound_nothing_is_right_or_wrong(correct):
    mine = measuring(np.arange(4.0))
    assert not judges(mine)
    message = "task 'mine' gives each trial a number time and does not say which are right"
    with pytest.raises(SpecError, match=message):
        correct(mine, OUTPUTS, TRIALS)


def test_both_may_be_given_side_by_side():
    mine = task(
        measure=bridge.nmse(), correct=lambda outputs, _: np.array([True, False, True, True])
    )
    assert judges(mine)
    assert rate_correct(mine, OUTPUTS, TRIALS).sum() == 3
    assert measured(mine, OUTPUTS, TRIALS).size == 4
    assert scoring(mine) == "right or wrong and nMSE, lower is better"


def test_median_and_range_are_those_of_the_trials():
    found = measured_of(measuring(np.array([7.0, 1.0, 2.0, 4.0])), OUTPUTS, TRIALS)
    assert (found.lowest, found.median, found.highest) == (1.0, 3.0, 7.0)
    assert str(found) == "median time 3 ms (1 to 7 ms)"
    assert Measured.read(found.plain()) == found
    assert measured_of(bridge.task("xor"), OUTPUTS, TRIALS) is None


@pytest.mark.parametrize(
    "strange",
    [None, 3, {}, {"name": "x"}, {"name": "x", "unit": "", "better": "lower", "median": 3.0,
     "lowest": 4.0, "highest": 5.0}, {"name": "x", "unit": "", "better": "lower",
     "median": np.nan, "lowest": 0.0, "highest": 5.0}],
)  # fmt: skip
def test_a_provenance_may_hold_anything(strange):
    assert Measured.read(strange) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones(5), "measure time must give numbers of shape (4,), one for each trial, got float"),
        (np.ones((4, 1)), "got float64 of shape (4, 1)"),
        (3.0, "got float64 of shape ()"),
        (None, "got object of shape ()"),
        (np.ones(4, dtype=bool), "must give numbers of shape (4,), one for each trial, got bool"),
        (np.ones(4, dtype=complex), "got complex128 of shape (4,)"),
        ([1.0, np.nan, 2.0, 3.0], "must give finite numbers, got nan for trial 1"),
        ([1.0, 0.0, 2.0, -np.inf], "must give finite numbers, got -inf for trial 3"),
        ([[1], [1, 2]], "task 'mine': measure time is not an array ("),
    ],
)
def test_numbers_that_are_not_one_for_each_trial_are_refused(values, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        measured(measuring(values), OUTPUTS, TRIALS)


def test_what_a_measure_raises_is_told_with_its_line():
    def values(outputs, trials):
        raise ZeroDivisionError("so it is")

    mine = task(measure=bridge.Measure(name="time", better="lower", values=values))
    message = (
        r"task 'mine': measure time failed in .*test_measure.py, line \d+: ZeroDivisionError: so"
    )
    with pytest.raises(SpecError, match=message):
        measured(mine, OUTPUTS, TRIALS)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "measure: name must be text of at most 40 letters on one line, got ''"),
        ({"name": 3}, "measure: name must be text"),
        ({"name": "a\nb"}, "measure: name must be text"),
        ({"name": "x" * 41}, "measure: name must be text"),
        ({"unit": None}, "measure: unit must be text"),
        ({"better": "more"}, "measure 'n': better must be 'lower' or 'higher', got 'more'"),
        ({"better": None}, "better must be 'lower' or 'higher', got None"),
        ({"values": 3}, "measure 'n': values must be a function of outputs and trials, got the nu"),
        ({"bound": "0.1"}, "measure 'n': bound"),
        ({"bound": np.nan}, "measure 'n': bound"),
        ({"bound": np.inf}, "measure 'n': bound"),
        ({"bound": True}, "measure 'n': bound"),
    ],
)
def test_a_measure_that_cannot_be_is_refused(fields, message):
    given = {"name": "n", "better": "lower", "values": len} | fields
    with pytest.raises(SpecError, match=message):
        bridge.Measure(**given)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "task 'mine': give it correct, which says which trials are right, or measure"),
        ({"measure": "nMSE"}, "task 'mine': measure must be a bridge.Measure, as bridge.nmse()"),
        ({"measure": bridge.nmse}, "task 'mine': measure must be a bridge.Measure"),
        (
            {"measure": bridge.nmse(0.1), "correct": len},
            "the bound of its measure nMSE and its rate_correct and spiking_correct both say",
        ),
        ({"correct": 3}, "FunctionTask is not a task: it lacks rate_correct, spiking_correct"),
    ],
)
def test_a_task_that_scores_neither_so_nor_so_is_refused(fields, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        task(**fields)


def test_a_class_may_have_a_measure_in_place_of_its_methods():
    class Mine:
        name, step_ms, steps, input_size, output_size = "class-of-mine", 5.0, 3, 2, 2
        conditions = ("a",)
        measure = bridge.nmse(bound=0.5)

        def trials(self, count, rng):
            return TRIALS

    class Half(Mine):
        def rate_correct(self, outputs, trials):
            return outputs[0, :, 0] > 0

    assert judges(check_task(Mine()))
    assert spiking_correct(Mine(), TRIALS.targets, TRIALS).all()
    with pytest.raises(SpecError, match="Half is not a task: it lacks spiking_correct; instead of"):
        check_task(Half())


@pytest.mark.parametrize("name", ["oscillation", "flip-flop", "flip-flop:bits=2,strict"])
def test_tasks_that_follow_a_course_give_the_error_beside_right_and_wrong(name):
    found = bridge.task(name)
    trials = found.trials(4, np.random.default_rng(1))
    assert measured(found, 0.5 * trials.targets, trials).tolist() == [0.25] * 4
    assert judges(found)


def test_the_command_says_how_a_task_is_scored(command):
    def said(name):
        return " ".join(command("tasks", name).out.split())

    assert "right or wrong and nMSE, lower is better" in said("flip-flop")
    assert "scored by right or wrong" in said("xor")
    bridge.register_task(measuring(np.ones(4), bound=2.0))
    assert "time (ms), lower is better, right up to 2" in said("mine")
