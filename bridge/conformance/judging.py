"""What is said of what an importer gives: right, right by another reading, or wrong."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from bridge.conformance.readings import OURS, Answers
from bridge.exchange.nir.file import Array

RIGHT, OTHERWISE, WRONG, ERROR, DIED, LATE = "right", "other", "wrong", "error", "died", "hangs"
MEANING = {
    RIGHT: "as by the equations",
    OTHERWISE: "right by another reading that NIR allows",
    WRONG: "other spikes or values, and no error",
    ERROR: "an error in place of them",
    DIED: "its process ended",
    LATE: "no end within the time limit",
}
# Importers compute in float32: some hundred sums of numbers of one size leave about 1e-5 of it.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Verdict:
    """What is said of a cell of the table.

    Attributes:
        word: One of the words above.
        said: By which reading it agrees, how it differs, or the message of its error.
    """

    word: str
    said: str = ""


def judged(given: Array, answers: Answers) -> Verdict:
    """What is said of (T, B, ...) outputs of an importer.

    They are right where they equal ours within `TOLERANCE` of the largest value, or of 1 where that
    is larger; spikes are 0 and 1, and so have to be the same.
    """
    right = answers.by(OURS)
    if given.ndim < 2 or len(given) != len(right):
        return Verdict(WRONG, f"gives numbers of shape {given.shape}, not {right.shape}")
    flat = given.reshape(*given.shape[:2], prod(given.shape[2:]))
    if flat.shape != right.shape:
        return Verdict(WRONG, f"gives {flat.shape[1:]} numbers a step, not {right.shape[1:]}")
    if not np.isfinite(flat).all():
        return Verdict(WRONG, "gives NaN or infinite values")
    for reading, answer in answers.each():
        if not _differs(flat, answer).any():
            words = ", ".join(reading.changes)
            return Verdict(OTHERWISE, words) if words else Verdict(RIGHT)
    return Verdict(WRONG, _how(flat, right, answers))


def _differs(given: Array, right: Array) -> NDArray[np.bool_]:
    largest = float(np.abs(right).max(initial=1.0))
    return np.asarray(np.abs(given - right) > TOLERANCE * largest)


def _how(given: Array, right: Array, answers: Answers) -> str:
    """In how many values it differs, and from which step on."""
    if not given.any():
        return "nothing comes out"
    for reading, answer in answers.each():
        if not _differs(given[1:], answer[:-1]).any() and not given[0].any():
            return ", ".join(("all comes a step late", *reading.changes))
    differs = _differs(given, right)
    first = int(np.argmax(differs.any(axis=(1, 2)))) + 1
    return f"{int(differs.sum())} of {differs.size} values differ, the first in step {first}"
