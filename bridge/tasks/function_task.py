"""A task from two functions: one draws trials, the other scores answers, or a measure does."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.tasks.contract import check_task
from bridge.tasks.measure import Measure
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials

Correct = Callable[[NDArray[np.float64], Trials], NDArray[np.bool_]]


@dataclass(frozen=True, kw_only=True, eq=False)
class FunctionTask:
    """A task of one's own; `bridge.register_task` makes it known by its name.

    Attributes:
        name: What files and the command call it: letters, digits, `.`, `_` and `-`.
        step_ms: Time between two samples, ms.
        steps: Samples T of a trial.
        input_size: Number of input channels C.
        output_size: Number of outputs O.
        conditions: Names of the conditions, by label.
        draw: Makes so many trials from a random generator: inputs (T, B, C), targets (T, B, O),
            labels (B,).
        correct: From outputs (T, B, O) and their trials to (B,) bools, for rate networks and for
            spiking ones. None: the bound of the measure says what is right, or nothing does.
        measure: A number for each trial, as `bridge.nmse()`; None: there is none.
    """

    name: str
    step_ms: float
    steps: int
    input_size: int
    output_size: int
    conditions: tuple[str, ...]
    draw: Callable[[int, np.random.Generator], Trials]
    correct: Correct | None = None
    measure: Measure | None = None

    __repr__ = task_in_a_line

    def __post_init__(self) -> None:
        if self.correct is None and self.measure is None:
            raise SpecError(
                f"task {self.name!r}: give it correct, which says which trials are right, or "
                "measure, a number for each trial such as bridge.nmse(), or both"
            )
        check_task(self)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials."""
        return self.draw(count, rng)

    @property
    def rate_correct(self) -> Correct | None:
        """Which trials a rate network answered rightly, from (T, B, O) outputs to (B,)."""
        return self.correct

    @property
    def spiking_correct(self) -> Correct | None:
        """Which trials a spiking network answered rightly, from (T, B, O) outputs to (B,)."""
        return self.correct
