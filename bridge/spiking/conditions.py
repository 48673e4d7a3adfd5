"""Of which condition each trial is: what trials are sorted by, in a drive and in its recording."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.values import shown, text

Labels = NDArray[np.int64]


def checked_labels(
    labels: Labels | None, conditions: object, trials: int
) -> tuple[Labels | None, tuple[str, ...]]:
    """(B,) labels and the names they point at, read-only; None and () where there are none.

    Raises:
        SpecError: labels without names, names without labels, or a label of no name.
    """
    if isinstance(conditions, str) or not isinstance(conditions, tuple | list):
        raise SpecError(f"conditions: expected names, got {shown(conditions)}")
    names = tuple(conditions)
    if not all(isinstance(name, str) for name in names):
        raise SpecError(f"conditions: expected text as names, got {shown(names)}")
    if labels is None:
        if names:
            raise SpecError("conditions: without labels they are the names of nothing")
        return None, ()
    numbers = frozen_array("labels", labels, (trials,), np.int64)
    if not 0 <= numbers.min() <= numbers.max() < len(names):
        raise SpecError(
            f"labels: must be numbers of the {len(names)} conditions, got {numbers.min()} to "
            f"{numbers.max()}"
        )
    return numbers, names


def check_drawn(task: str, seed: int | None) -> None:
    """Raise SpecError unless these are a task's name, or "", and a seed, or None."""
    text("task", task)
    if seed is not None:
        counted("seed", seed)


def trials_of(labels: Labels | None, conditions: tuple[str, ...], condition: str) -> Labels:
    """Numbers of the trials of one condition, ascending.

    Raises:
        SpecError: the trials have no labels, or there is no such condition.
    """
    if labels is None:
        raise SpecError("these trials have no labels, so they cannot be sorted by condition")
    if condition not in conditions:
        known = ", ".join(conditions)
        raise SpecError(f"unknown condition {shown(condition)}; known are {known}")
    wanted = [number for number, name in enumerate(conditions) if name == condition]
    return np.flatnonzero(np.isin(labels, wanted))


def tally(labels: Labels, conditions: tuple[str, ...]) -> str:
    """How many trials there are of each condition, in words."""
    counts = Counter(labels.tolist())
    return ", ".join(f"{counts[number]} {name}" for number, name in enumerate(conditions))
