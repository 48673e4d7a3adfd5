"""What is to be computed: a task makes trials and says which answers are right."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError


@dataclass(frozen=True, kw_only=True, eq=False)
class Trials:
    """B trials of a task, one sample for each step of the rate network.

    Attributes:
        inputs: (T, B, C) what the network is shown.
        targets: (T, B, O) what it should answer.
        labels: (B,) which condition each trial is of, an index into the task's `conditions`.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    labels: NDArray[np.int64]

    def chosen(self, numbers: NDArray[np.int64]) -> "Trials":
        """Some of the trials, in the order of their numbers given."""
        return Trials(
            inputs=self.inputs[:, numbers],
            targets=self.targets[:, numbers],
            labels=self.labels[numbers],
        )


class Task(Protocol):
    """What every task offers; times are in samples of `step_ms`."""

    @property
    def name(self) -> str:
        """What files and the command call it."""

    @property
    def step_ms(self) -> float:
        """Time between two samples, ms."""

    @property
    def steps(self) -> int:
        """Samples T of a trial."""

    @property
    def input_size(self) -> int:
        """Number of input channels C."""

    @property
    def output_size(self) -> int:
        """Number of outputs O."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions, by label."""

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials."""

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Which trials a rate network answered rightly: (T, B, O) outputs to (B,)."""

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Which trials a spiking network answered rightly: (T, B, O) outputs to (B,)."""


def task(name: str) -> Task:
    """The built-in task of that name.

    Raises:
        SpecError: if there is none.
    """
    from bridge.tasks.go_nogo import GoNoGo

    known: dict[str, Callable[[], Task]] = {"go-nogo": GoNoGo}
    if name not in known:
        raise SpecError(f"unknown task {name!r}; known are {', '.join(known)}")
    return known[name]()
