"""A task from two functions: one draws trials, the other scores answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.contract import check_task
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials


@dataclass(frozen=True, kw_only=True, eq=False)
class FunctionTask:
    """A task of one's own; `bridge.register_task` makes it known by its name.

    Attributes:
        name: What files and the command call it: letters, digits and . _ -
        step_ms: Time between two samples, ms.
        steps: Samples T of a trial.
        input_size: Number of input channels C.
        output_size: Number of outputs O.
        conditions: Names of the conditions, by label.
        draw: Makes so many trials from a random generator: inputs (T, B, C), targets (T, B, O),
            labels (B,).
        correct: From outputs (T, B, O) and their trials to (B,) bools, for rate networks and for
            spiking ones.
    """

    name: str
    step_ms: float
    steps: int
    input_size: int
    output_size: int
    conditions: tuple[str, ...]
    draw: Callable[[int, np.random.Generator], Trials]
    correct: Callable[[NDArray[np.float64], Trials], NDArray[np.bool_]]

    __repr__ = task_in_a_line

    def __post_init__(self) -> None:
        check_task(self)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials."""
        return self.draw(count, rng)

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Which trials a rate network answered rightly: (T, B, O) outputs to (B,)."""
        return self.correct(outputs, trials)

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Which trials a spiking network answered rightly: (T, B, O) outputs to (B,)."""
        return self.correct(outputs, trials)
