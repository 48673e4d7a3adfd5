"""Context-dependent integration: a cue says which of two noisy streams counts.

The task of Mante et al. 2013, as Kim et al. 2019 have it.
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
class Context:
    """Four input channels, one output, 500 samples of 5 ms.

    Channels 0 and 1 are the streams: during samples 50 to 249 normal noise of s.d. 1 around +0.5
    or -0.5, else 0. Channels 2 and 3 are the cue: during the whole trial 1 for the stream that
    counts, 0 for the other. From sample 250 on the output should be the sign of the offset of the
    stream that counts. A condition is the cue and both signs. Strict: beyond both +0.7 and -0.7
    is wrong.
    """

    strict: bool = False
    step_ms: float = 5.0
    target_loss: float = 3.8
    steps: int = 500
    stimulus_start: int = 50
    stimulus_stop: int = 250
    offset: float = 0.5
    rate_window_start: int = 300
    spiking_window_start: int = 260
    input_size: int = 4
    output_size: int = 1
    conditions: tuple[str, ...] = tuple(
        f"cue {cue}: {signs}" for signs in ("++", "+-", "-+", "--") for cue in (1, 2)
    )

    __repr__ = task_in_a_line

    @property
    def name(self) -> str:
        """`context`, with its options."""
        return full_name("context", OPTIONS, self)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, the conditions equally often, in random order."""
        labels = balanced_labels(count, 8, rng)
        inputs = np.zeros((self.steps, count, 4))
        streams = inputs[self.stimulus_start : self.stimulus_stop, :, :2]
        streams[:] = rng.standard_normal(streams.shape) + self.offset * _signs(labels)
        inputs[:, np.arange(count), 2 + labels % 2] = 1.0
        targets = np.zeros((self.steps, count, 1))
        targets[self.stimulus_stop :, :, 0] = _side(labels)
        return Trials(inputs=inputs, targets=targets, labels=labels)

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """In the last 200 samples the output goes beyond 0.7 on the right side; (B,)."""
        answer = outputs[self.rate_window_start :, :, 0]
        return beyond(answer, _side(trials.labels), strict=self.strict)

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """From 1.3 s on the output goes beyond 0.7 on the right side; (B,)."""
        answer = outputs[self.spiking_window_start :, :, 0]
        return beyond(answer, _side(trials.labels), strict=self.strict)


def _signs(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(B, 2) signs of the offsets of both streams."""
    return np.stack([1.0 - 2.0 * (labels // 4), 1.0 - 2.0 * (labels // 2 % 2)], axis=1)


def _side(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(B,) sign of the stream that counts."""
    side: NDArray[np.float64] = _signs(labels)[np.arange(labels.size), labels % 2]
    return side
