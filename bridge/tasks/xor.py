"""XOR in time, or delayed match: were two stimuli of the same sign? (Kim et al. 2019)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.options import STRICT, full_name
from bridge.tasks.output_levels import beyond
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials, balanced_labels

OPTIONS = (STRICT,)


@dataclass(frozen=True, kw_only=True)
class Xor:
    """Two input channels, one output, 300 samples of 5 ms.

    The first channel is +1 or -1 during samples 50 to 99, the second during 110 to 159. During
    samples 170 to 269 the output should be +1 if both had one sign and -1 if not, else 0.
    A condition is the two signs. Strict: beyond both +0.7 and -0.7 is wrong.
    """

    strict: bool = False
    step_ms: float = 5.0
    target_loss: float = 3.0
    steps: int = 300
    first: tuple[int, int] = (50, 100)
    second: tuple[int, int] = (110, 160)
    answer: tuple[int, int] = (170, 270)
    window_start: int = 200
    input_size: int = 2
    output_size: int = 1
    conditions: tuple[str, ...] = ("++", "+-", "-+", "--")

    __repr__ = task_in_a_line

    @property
    def name(self) -> str:
        """`xor`, with its options."""
        return full_name("xor", OPTIONS, self)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, the conditions equally often, in random order."""
        labels = balanced_labels(count, 4, rng)
        inputs = np.zeros((self.steps, count, 2))
        inputs[slice(*self.first), :, 0] = np.where(labels // 2 == 0, 1.0, -1.0)
        inputs[slice(*self.second), :, 1] = np.where(labels % 2 == 0, 1.0, -1.0)
        targets = np.zeros((self.steps, count, 1))
        targets[slice(*self.answer), :, 0] = _side(labels)
        return Trials(inputs=inputs, targets=targets, labels=labels)

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """From sample 200 (1 s) on the output goes beyond 0.7 on the right side; (B,)."""
        answer = outputs[self.window_start :, :, 0]
        return beyond(answer, _side(trials.labels), strict=self.strict)

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """From 1 s on the output goes beyond 0.7 on the right side; (B,)."""
        return self.rate_correct(outputs, trials)


def _side(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(B,) +1 where both signs are the same."""
    return np.where(labels // 2 == labels % 2, 1.0, -1.0)
