"""XOR of durations: did two pulses last differently long?

DePasquale et al. 2016 have such a task; its times and its scoring are this project's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.options import STRICT, full_name
from bridge.tasks.output_levels import beyond
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials, balanced_labels

OPTIONS = (STRICT,)


@dataclass(frozen=True, kw_only=True)
class DurationXor:
    """One input channel, one output, 320 samples of 5 ms.

    From sample 20 on the input is 1 for 20 samples (short, 100 ms) or 60 (long, 300 ms). After 40
    samples without input it is so once more. 40 samples after that the output should be +1 for 80
    samples if one pulse was short and the other long, and -1 if not, else 0. A condition is the
    two durations.

    An answer is right where it goes beyond 0.7 on the right side in these 80 samples. Strict:
    beyond both +0.7 and -0.7 is wrong.
    """

    strict: bool = False
    step_ms: float = 5.0
    target_loss: float = 2.7
    steps: int = 320
    first_start: int = 20
    short: int = 20
    long: int = 60
    gap: int = 40
    delay: int = 40
    answer: int = 80
    input_size: int = 1
    output_size: int = 1
    conditions: tuple[str, ...] = ("short, short", "short, long", "long, short", "long, long")

    __repr__ = task_in_a_line

    @property
    def name(self) -> str:
        """`duration-xor`, with its options."""
        return full_name("duration-xor", OPTIONS, self)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, the conditions equally often, in random order."""
        labels = balanced_labels(count, 4, rng)
        first, second = self._durations(labels)
        samples = np.arange(self.steps)[:, None]
        since_first = samples - self.first_start
        since_second = since_first - first - self.gap
        pulses = _lasting(since_first, first) | _lasting(since_second, second)
        return Trials(
            inputs=pulses.astype(np.float64)[:, :, None],
            targets=np.where(self._answering(labels), _side(labels), 0.0)[:, :, None],
            labels=labels,
        )

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Where the answer should be, the output goes beyond 0.7 on the right side; (B,)."""
        answer = np.where(self._answering(trials.labels), outputs[:, :, 0], 0.0)
        return beyond(answer, _side(trials.labels), strict=self.strict)

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """As a rate network's."""
        return self.rate_correct(outputs, trials)

    def _durations(self, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(B,) samples of the first pulse, and of the second."""
        first, second = (
            np.where(is_long == 1, self.long, self.short) for is_long in (labels // 2, labels % 2)
        )
        return first, second

    def _answering(self, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(T, B) when the answer should be there."""
        first, second = self._durations(labels)
        start = self.first_start + first + self.gap + second + self.delay
        return _lasting(np.arange(self.steps)[:, None] - start, self.answer)


def _lasting(since: NDArray[np.int64], samples: int | NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where something lasts that began `since` samples ago."""
    lasting: NDArray[np.bool_] = (since >= 0) & (since < samples)
    return lasting


def _side(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(B,) +1 where the durations differ."""
    return np.where(labels // 2 == labels % 2, -1.0, 1.0)
