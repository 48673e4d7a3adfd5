"""Trials of a task, and what every task offers."""

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.summary import trials_in_a_line


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

    __repr__ = trials_in_a_line

    def chosen(self, numbers: NDArray[np.int64]) -> Self:
        """Some of the trials, in the order of their numbers given."""
        return replace(
            self,
            inputs=self.inputs[:, numbers],
            targets=self.targets[:, numbers],
            labels=self.labels[numbers],
        )


class Task(Protocol):
    """What every task offers; times are in samples of `step_ms`.

    It also scores answers, in one of three ways:

    - by right and wrong: methods `rate_correct(outputs, trials)` and `spiking_correct(outputs,
      trials)` of (T, B, O) outputs say which of the B trials a rate or a spiking network answered
      rightly, as (B,) bools;
    - by a number: an attribute `measure`, a `bridge.Measure`. If that has a bound, it says which
      trials are right, too;
    - by both, the measure without a bound.

    Where an answer names a condition, a method `answers(outputs)` may say which one, (T, B) after
    each sample. Reports then show which condition was taken for which.
    """

    @property
    def name(self) -> str:
        """What files and the command call it: `bridge.task(name)` makes the same task again."""

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


def balanced_labels(count: int, conditions: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(B,) labels in random order; how often two conditions occur differs by at most one.

    Where `count` is not a multiple of `conditions`, chance decides which of them occur once more.
    """
    return rng.permutation((np.arange(count) + rng.integers(conditions)) % conditions)
