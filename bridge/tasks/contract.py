"""What every task must keep, checked wherever trials are drawn or scored."""

import math
import re
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import number
from bridge.errors import SpecError
from bridge.tasks.own_code import own_code
from bridge.tasks.trials import Task, Trials

_VALUES = ("name", "step_ms", "steps", "input_size", "output_size", "conditions")
_METHODS = ("trials", "rate_correct", "spiking_correct")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[A-Za-z0-9._,=-]+)?")

Checked = TypeVar("Checked", bound=Task)


def check_task(task: Checked) -> Checked:
    """The task given, if it says of itself what every task must say.

    Raises:
        SpecError: something is missing or makes no sense; trials are not drawn here.
    """
    if isinstance(task, type):
        raise SpecError(
            f"{task.__name__} is a class and no task: give an object of it, {task.__name__}()"
        )
    with own_code(f"task of type {type(task).__name__}: failed in"):
        return _checked(task)


def _checked(task: Checked) -> Checked:
    lacking = [part for part in (*_VALUES, *_METHODS) if not hasattr(task, part)]
    lacking += [part for part in _METHODS if not callable(getattr(task, part, print))]
    if lacking:
        raise SpecError(f"{type(task).__name__} is no task: it lacks {', '.join(lacking)}")
    if not isinstance(task.name, str) or not _NAME.fullmatch(task.name):
        raise SpecError(f"task {task.name!r}: a name is of letters, digits and . _ -")
    if not (isinstance(task.step_ms, float | int) and 0 < task.step_ms < math.inf):
        raise SpecError(f"task {task.name!r}: step_ms must be positive, got {task.step_ms!r}")
    for part, least in (("steps", 2), ("input_size", 1), ("output_size", 1)):
        value = getattr(task, part)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise SpecError(
                f"task {task.name!r}: {part} must be a whole number from {least} on, got {value!r}"
            )
    names = task.conditions
    if not isinstance(names, tuple) or not names or not all(isinstance(n, str) for n in names):
        raise SpecError(f"task {task.name!r}: conditions must be a tuple of names, got {names!r}")
    return task


def target_loss(task: Task) -> float:
    """Mean over trials of sqrt(sum (o - z)^2) at which a network knows the task well.

    The task's own `target_loss`, or else the error that 0.9 is in the 200 samples of Go-NoGo, in
    as many as this task has.

    Raises:
        SpecError: the task's own is no positive number.
    """
    usual = 0.9 * math.sqrt(task.steps * task.output_size / 200)
    chosen = number(f"task {task.name!r}: target_loss", getattr(task, "target_loss", usual))
    if not 0 < chosen < math.inf:
        raise SpecError(f"task {task.name!r}: target_loss must be positive, got {chosen:g}")
    return chosen


def draw(task: Task, count: int, rng: np.random.Generator) -> Trials:
    """Draw `count` trials and hold them against what the task says of itself.

    Raises:
        SpecError: they are of another shape, hold NaN, or have labels of no condition.
    """
    with own_code(f"task {task.name!r}: drawing trials failed in"):
        made = task.trials(count, rng)
    if not isinstance(made, Trials):
        raise SpecError(
            f"task {task.name!r}: its trials are of type {type(made).__name__}, "
            "expected bridge.Trials"
        )
    return replace(
        made,
        inputs=_samples(task, "inputs", made.inputs, (task.steps, count, task.input_size)),
        targets=_samples(task, "targets", made.targets, (task.steps, count, task.output_size)),
        labels=_labels(task, made.labels, count),
    )


def rate_correct(task: Task, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
    """Which trials a rate network answered rightly, (T, B, O) outputs to (B,), checked.

    Raises:
        SpecError: the outputs are not the task's, or its scoring gives no (B,) bools.
    """
    _check_outputs(task, outputs, trials)
    with own_code(f"task {task.name!r}: rate_correct failed in"):
        scored = task.rate_correct(outputs, trials)
    return _scores(task, "rate_correct", scored, trials)


def spiking_correct(task: Task, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
    """Which trials a spiking network answered rightly, (T, B, O) outputs to (B,), checked.

    Raises:
        SpecError: the outputs are not the task's, or its scoring gives no (B,) bools.
    """
    _check_outputs(task, outputs, trials)
    with own_code(f"task {task.name!r}: spiking_correct failed in"):
        scored = task.spiking_correct(outputs, trials)
    return _scores(task, "spiking_correct", scored, trials)


def _samples(
    task: Task, part: str, given: object, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    array = _array(task, part, given)
    if array.shape != shape:
        raise SpecError(
            f"task {task.name!r}: expected {part} of shape {shape} (samples, trials, channels), "
            f"got {array.shape}"
        )
    if array.dtype.kind not in "fiub":
        raise SpecError(f"task {task.name!r}: expected {part} of real numbers, got {array.dtype}")
    if not np.isfinite(array).all():
        raise SpecError(f"task {task.name!r}: {part} hold NaN or infinite values")
    return array.astype(np.float64, copy=False)


def _array(task: Task, part: str, given: object) -> NDArray[Any]:
    try:
        return np.asarray(given)
    except (ValueError, TypeError) as error:
        raise SpecError(f"task {task.name!r}: {part} is no array ({error})") from None


def _labels(task: Task, given: object, count: int) -> NDArray[np.int64]:
    array = _array(task, "labels", given)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise SpecError(
            f"task {task.name!r}: expected labels of shape ({count},) and whole numbers, "
            f"got {array.shape} and {array.dtype}"
        )
    if count and not 0 <= array.min() <= array.max() < len(task.conditions):
        raise SpecError(
            f"task {task.name!r}: labels must lie between 0 and {len(task.conditions) - 1}, one "
            f"for each condition, got {array.min()} to {array.max()}"
        )
    return array.astype(np.int64, copy=False)


def _check_outputs(task: Task, outputs: NDArray[np.float64], trials: Trials) -> None:
    if outputs.shape != trials.targets.shape:
        raise SpecError(
            f"task {task.name!r}: expected outputs of shape {trials.targets.shape} (samples, "
            f"trials, outputs), got {outputs.shape}"
        )


def _scores(task: Task, scoring: str, given: object, trials: Trials) -> NDArray[np.bool_]:
    array = _array(task, scoring, given)
    if array.shape != trials.labels.shape or array.dtype != np.bool_:
        raise SpecError(
            f"task {task.name!r}: {scoring} must give bools of shape {trials.labels.shape}, one "
            f"for each trial, got {array.dtype} of shape {array.shape}"
        )
    return array
