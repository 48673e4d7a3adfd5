"""What every task must keep, checked wherever trials are drawn; its scores are in `scores`."""

import math
import re
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import in_words, number
from bridge.errors import SpecError
from bridge.tasks.measure import Measure
from bridge.tasks.own_code import own_code
from bridge.tasks.trials import Task, Trials

_VALUES = ("name", "step_ms", "steps", "input_size", "output_size", "conditions")
_JUDGING = ("rate_correct", "spiking_correct")
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
    _check_parts(task)
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
    _check_measure(task)
    return task


def _check_parts(task: Task) -> None:
    """Raise SpecError where a value or a method is missing; a measure may stand for judging."""
    judging = [part for part in _JUDGING if getattr(task, part, None) is not None]
    measured = getattr(task, "measure", None) is not None
    methods = ("trials",) if measured and not judging else ("trials", *_JUDGING)
    lacking = [part for part in _VALUES if not hasattr(task, part)]
    lacking += [part for part in methods if getattr(task, part, None) is None]
    lacking += [part for part in methods if not callable(getattr(task, part, None) or print)]
    if lacking:
        instead = f"; instead of {' and '.join(_JUDGING)} it may have a measure"
        raise SpecError(
            f"{type(task).__name__} is not a task: it lacks {', '.join(lacking)}"
            f"{instead if set(lacking) & set(_JUDGING) else ''}"
        )


def _check_measure(task: Task) -> None:
    """Raise SpecError unless a number is given by a measure, and one thing says what is right."""
    measure = getattr(task, "measure", None)
    if measure is None:
        return
    if not isinstance(measure, Measure):
        raise SpecError(
            f"task {task.name!r}: measure must be a bridge.Measure, as bridge.nmse() makes one, "
            f"got {in_words(measure)}"
        )
    judges = getattr(task, _JUDGING[0], None) is not None
    if judges and measure.bound is not None:
        raise SpecError(
            f"task {task.name!r}: the bound of its measure {measure.name} and its rate_correct "
            "and spiking_correct both say which trials are right; leave one of them out"
        )


def target_loss(task: Task) -> float:
    """Mean over trials of sqrt(sum (o - z)^2) at which a network knows the task well.

    The task's own `target_loss`, or else the error that 0.9 is in the 200 samples of Go-NoGo, in
    as many as this task has.

    Raises:
        SpecError: the task's own is not a positive number.
    """
    usual = 0.9 * math.sqrt(task.steps * task.output_size / 200)
    chosen = number(f"task {task.name!r}: target_loss", getattr(task, "target_loss", usual))
    if chosen <= 0:
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


def _samples(
    task: Task, part: str, given: object, shape: tuple[int, int, int]
) -> NDArray[np.float64]:
    array = array_of(task, part, given)
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


def array_of(task: Task, part: str, given: object) -> NDArray[Any]:
    """What a task gave, as an array; SpecError where it is none."""
    try:
        return np.asarray(given)
    except (ValueError, TypeError) as error:
        raise SpecError(f"task {task.name!r}: {part} is not an array ({error})") from None


def _labels(task: Task, given: object, count: int) -> NDArray[np.int64]:
    array = array_of(task, "labels", given)
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
