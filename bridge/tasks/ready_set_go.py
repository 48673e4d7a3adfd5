"""Ready, set, go: an interval between two pulses is measured, and made again.

The full-FORCE paper (DePasquale et al. 2018) has such a task; times and scoring are this project's.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.measure import Measure
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials, balanced_labels

Array = NDArray[np.float64]

INTERVALS_MS = (300, 400, 500, 600, 700)
# An answer is there where the output is above; a bump of the target is so for half its length.
THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class ReadySetGo:
    """One input channel, one output, 340 samples of 5 ms.

    Pulses of 1 last 10 samples (50 ms). The first, ready, starts at sample 20. The second, set,
    starts an interval of 300, 400, 500, 600 or 700 ms later. The output should be 0, except for a
    bump of 200 ms, half a period of a sine, squared, with its peak of 1 as long after set as set
    was after ready. A condition is the interval.

    The time of an answer is the mean of all samples from set on in which the output is above 0.5.
    An answer is right where it is less than 50 ms off, so that it is nearest to its own interval,
    and its output is above 0.5 for at most 200 ms in all. The measure is how far it is off; an
    answer that never comes is off by the interval.
    """

    step_ms: float = 5.0
    target_loss: float = 1.4
    steps: int = 340
    ready: int = 20
    pulse_steps: int = 10
    bump_steps: int = 40
    tolerance_ms: float = 50.0
    input_size: int = 1
    output_size: int = 1
    conditions: tuple[str, ...] = tuple(f"{interval} ms" for interval in INTERVALS_MS)
    name: str = "ready-set-go"

    __repr__ = task_in_a_line

    @property
    def measure(self) -> Measure:
        """How far the time of an answer is off."""
        return Measure(name="time error", unit="ms", better="lower", values=self._errors_ms)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, the intervals equally often, in random order."""
        labels = balanced_labels(count, len(INTERVALS_MS), rng)
        interval = self._intervals(labels)
        since_ready = np.arange(self.steps)[:, None] - self.ready
        since_set = since_ready - interval
        pulses = [(each >= 0) & (each < self.pulse_steps) for each in (since_ready, since_set)]
        off = since_set - interval
        bump = np.square(np.cos(math.pi * off / self.bump_steps))
        return Trials(
            inputs=(pulses[0] | pulses[1]).astype(np.float64)[:, :, None],
            targets=np.where(np.abs(off) < self.bump_steps / 2, bump, 0.0)[:, :, None],
            labels=labels,
        )

    def rate_correct(self, outputs: Array, trials: Trials) -> NDArray[np.bool_]:
        """The answer's time is right, and it is as short as a bump; (B,)."""
        above, _ = self._above(outputs, trials)
        count = above.sum(axis=0)
        # One that never comes is off by more than that.
        near: NDArray[np.bool_] = self._errors_ms(outputs, trials) < self.tolerance_ms
        near &= count <= self.bump_steps
        return near

    def spiking_correct(self, outputs: Array, trials: Trials) -> NDArray[np.bool_]:
        """As a rate network's."""
        return self.rate_correct(outputs, trials)

    def _intervals(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """(B,) samples from ready to set."""
        intervals: NDArray[np.int64] = np.rint(np.array(INTERVALS_MS) / self.step_ms).astype(int)
        return intervals[labels]

    def _above(self, outputs: Array, trials: Trials) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """(T, B) where there is an answer, from set on, and how many samples after set it is."""
        since_set = np.arange(self.steps)[:, None] - self.ready - self._intervals(trials.labels)
        above: NDArray[np.bool_] = (since_set >= 0) & (outputs[:, :, 0] > THRESHOLD)
        return above, since_set

    def _errors_ms(self, outputs: Array, trials: Trials) -> Array:
        """(B,) how far the time of an answer is off, ms."""
        above, since_set = self._above(outputs, trials)
        count = above.sum(axis=0)
        middle = np.where(above, since_set, 0).sum(axis=0) / np.maximum(count, 1)
        errors: Array = np.abs(middle - self._intervals(trials.labels)) * self.step_ms
        return errors
