"""A number for each trial, in addition to right and wrong or instead of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import brief, in_words, number
from bridge.errors import SpecError
from bridge.tasks.trials import Trials

Array = NDArray[np.float64]

BETTER = ("lower", "higher")
_LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number that a task gives each trial.

    Attributes:
        name: What it is called wherever it is said, as "nMSE".
        unit: As "ms"; "" where it has none.
        better: "lower" or "higher": which of two numbers is the better one.
        values: From outputs (T, B, O) and their trials to (B,) numbers.
        bound: Up to which (where higher is better: from which on) a trial counts as right; None:
            the number says nothing of right and wrong.
    """

    name: str
    unit: str = ""
    better: Literal["lower", "higher"]
    values: Callable[[Array, Trials], Array]
    bound: float | None = None

    def __post_init__(self) -> None:
        check_names(self.name, self.unit, self.better)
        if not callable(self.values):
            raise SpecError(
                f"measure {self.name!r}: values must be a function of outputs and trials, got "
                f"{in_words(self.values)}"
            )
        if self.bound is not None:
            bound = number(f"measure {self.name!r}: bound", self.bound)
            object.__setattr__(self, "bound", bound)

    def __repr__(self) -> str:
        return f"Measure({self.meaning()})"

    def meaning(self) -> str:
        """The number in a few words: "nMSE, lower is better, right up to 0.1"."""
        unit = f" ({self.unit})" if self.unit else ""
        side = "up to" if self.better == "lower" else "from"
        bound = "" if self.bound is None else f", right {side} {self.bound:g}"
        return f"{self.name}{unit}, {self.better} is better{bound}"


def nmse(bound: float | None = None) -> Measure:
    """The normalised mean squared error of DePasquale et al. 2016; lower is better.

    It is `sum (z - f)^2 / sum f^2` of a trial, with output z and target f, summed over samples and
    outputs. An output that stays at 0 has 1.

    Args:
        bound: Up to which a trial counts as right; None: the number says nothing of that.
    """
    return Measure(name="nMSE", better="lower", values=_normalised_errors, bound=bound)


def _normalised_errors(outputs: Array, trials: Trials) -> Array:
    power = np.square(trials.targets).sum(axis=(0, 2))
    silent = np.flatnonzero(power == 0)
    if silent.size:
        raise SpecError(
            f"nMSE: the target of trial {silent[0]} is 0 throughout, so there is nothing to "
            "normalise by; a task with such trials needs another measure"
        )
    errors: Array = np.square(outputs - trials.targets).sum(axis=(0, 2)) / power
    return errors


def check_names(name: object, unit: object, better: object) -> None:
    """Raise SpecError unless a measure can be called and ordered so."""
    for part, value in (("name", name), ("unit", unit)):
        fits = isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_NAME
        if not fits or (part == "name" and not str(value).strip()):
            raise SpecError(
                f"measure: {part} must be text of at most {_LONGEST_NAME} letters on one line, "
                f"got {brief(value)}"
            )
    if not isinstance(better, str) or better not in BETTER:
        raise SpecError(
            f"measure {name!r}: better must be 'lower' or 'higher', got {brief(better)}"
        )
