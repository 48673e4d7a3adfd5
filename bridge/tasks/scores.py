"""The scores of a task, checked: which trials are right, and the number of each."""

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.tasks.contract import array_of
from bridge.tasks.measure import Measure
from bridge.tasks.own_code import own_code
from bridge.tasks.trials import Task, Trials

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def measure_of(task: Task) -> Measure | None:
    """What gives each trial of a task a number, if there is anything."""
    found: Measure | None = getattr(task, "measure", None)
    return found


def judges(task: Task) -> bool:
    """Whether a task says which trials are right: itself, or by the bound of its measure."""
    if getattr(task, "rate_correct", None) is not None:
        return True
    measure = measure_of(task)
    return measure is not None and measure.bound is not None


def scoring(task: Task) -> str:
    """What a task says of an answer, in a few words."""
    measure = measure_of(task)
    own = "right or wrong" if getattr(task, "rate_correct", None) is not None else ""
    return " and ".join(filter(None, (own, "" if measure is None else measure.meaning())))


def not_judged(task: Task, purpose: str) -> SpecError:
    """What to do where right and wrong are needed and a task gives only a number."""
    measure = measure_of(task)
    name = "" if measure is None else f" {measure.name}"
    return SpecError(
        f"task {task.name!r} gives each trial a number{name} and does not say which are right, "
        f"which {purpose} needs; give its measure a bound up to which a trial counts as right"
    )


def rate_correct(task: Task, outputs: Array, trials: Trials) -> Flags:
    """Which trials a rate network answered rightly, (T, B, O) outputs to (B,), checked.

    Raises:
        SpecError: the outputs are not the task's, its scoring gives no (B,) bools, or it does not
            say which trials are right.
    """
    return _correct(task, "rate_correct", outputs, trials)


def spiking_correct(task: Task, outputs: Array, trials: Trials) -> Flags:
    """Which trials a spiking network answered rightly, (T, B, O) outputs to (B,), checked.

    Raises:
        SpecError: as `rate_correct`.
    """
    return _correct(task, "spiking_correct", outputs, trials)


def measured(task: Task, outputs: Array, trials: Trials) -> Array | None:
    """The number of each trial, (T, B, O) outputs to (B,), checked; None for a task without.

    Raises:
        SpecError: the outputs are not the task's, or its measure gives no (B,) finite numbers.
    """
    measure = measure_of(task)
    return None if measure is None else _numbers(task, measure, outputs, trials)


def answers(task: Task, outputs: Array) -> NDArray[np.int64] | None:
    """(T, B) condition that a task takes (T, B, O) outputs for after each sample, checked.

    None, where its answers name none: it has no method `answers`.

    Raises:
        SpecError: its method gives no (T, B) numbers of conditions.
    """
    method = getattr(task, "answers", None)
    if method is None:
        return None
    with own_code(f"task {task.name!r}: answers failed in"):
        given = method(outputs)
    array = array_of(task, "answers", given)
    if array.shape != outputs.shape[:2] or array.dtype.kind not in "iu":
        raise SpecError(
            f"task {task.name!r}: answers must be numbers of conditions of shape "
            f"{outputs.shape[:2]}, got {array.dtype} of shape {array.shape}"
        )
    if array.size and not 0 <= array.min() <= array.max() < len(task.conditions):
        raise SpecError(
            f"task {task.name!r}: answers must lie between 0 and {len(task.conditions) - 1}, got "
            f"{array.min()} to {array.max()}"
        )
    return array.astype(np.int64, copy=False)


def _correct(task: Task, scoring: str, outputs: Array, trials: Trials) -> Flags:
    _check_outputs(task, outputs, trials)
    score = getattr(task, scoring, None)
    if score is None:
        return _within_bound(task, outputs, trials)
    with own_code(f"task {task.name!r}: {scoring} failed in"):
        given = score(outputs, trials)
    array = array_of(task, scoring, given)
    if array.shape != trials.labels.shape or array.dtype != np.bool_:
        raise SpecError(
            f"task {task.name!r}: {scoring} must give bools of shape {trials.labels.shape}, one "
            f"for each trial, got {array.dtype} of shape {array.shape}"
        )
    return array


def _within_bound(task: Task, outputs: Array, trials: Trials) -> Flags:
    measure = measure_of(task)
    if measure is None or measure.bound is None:
        raise not_judged(task, "an accuracy")
    values = _numbers(task, measure, outputs, trials)
    lower = measure.better == "lower"
    within: Flags = values <= measure.bound if lower else values >= measure.bound
    return within


def _numbers(task: Task, measure: Measure, outputs: Array, trials: Trials) -> Array:
    _check_outputs(task, outputs, trials)
    what = f"measure {measure.name}"
    with own_code(f"task {task.name!r}: {what} failed in"):
        given = measure.values(outputs, trials)
    array = array_of(task, what, given)
    if array.shape != trials.labels.shape or array.dtype.kind not in "fiu":
        raise SpecError(
            f"task {task.name!r}: {what} must give numbers of shape {trials.labels.shape}, one "
            f"for each trial, got {array.dtype} of shape {array.shape}"
        )
    strange = np.flatnonzero(~np.isfinite(array))
    if strange.size:
        raise SpecError(
            f"task {task.name!r}: {what} must give finite numbers, got {array[strange[0]]:g} for "
            f"trial {strange[0]}"
        )
    return array.astype(np.float64, copy=False)


def _check_outputs(task: Task, outputs: Array, trials: Trials) -> None:
    if outputs.shape != trials.targets.shape:
        raise SpecError(
            f"task {task.name!r}: expected outputs of shape {trials.targets.shape} (samples, "
            f"trials, outputs), got {outputs.shape}"
        )
