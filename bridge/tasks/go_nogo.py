"""Go-NoGo: answer a stimulus, and keep silent without one (Kim et al. 2019)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.options import Option, full_name
from bridge.tasks.output_levels import HIGH, LOW
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials, balanced_labels

NOGO, GO = 0, 1
OPTIONS = (
    Option(
        "strict",
        default=False,
        meaning="Go is wrong below -0.3, NoGo beyond -0.3 in spiking networks too",
    ),
)


@dataclass(frozen=True, kw_only=True)
class GoNoGo:
    """One input channel, one output, 200 samples of 5 ms.

    Go: the input is 1 during samples 50 to 74 and the output should be 1 from sample 75 on.
    NoGo: no input, and the output should stay at 0.

    Strict scoring looks at both signs: NoGo stays within +-0.3 in spiking networks as it must in
    rate networks, and Go, which rises above 0.7, never falls below -0.3.
    """

    strict: bool = False
    step_ms: float = 5.0
    target_loss: float = 0.7
    steps: int = 200
    stimulus_start: int = 50
    stimulus_stop: int = 75
    spiking_window_start: int = 100
    input_size: int = 1
    output_size: int = 1
    conditions: tuple[str, ...] = ("NoGo", "Go")

    __repr__ = task_in_a_line

    @property
    def name(self) -> str:
        """`go-nogo`, with its options."""
        return full_name("go-nogo", OPTIONS, self)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, half of them Go, in random order; a coin decides an odd one."""
        labels = balanced_labels(count, 2, rng)
        inputs = np.zeros((self.steps, count, 1))
        inputs[self.stimulus_start : self.stimulus_stop, labels == GO] = 1.0
        targets = np.zeros((self.steps, count, 1))
        targets[self.stimulus_stop :, labels == GO] = 1.0
        return Trials(inputs=inputs, targets=targets, labels=labels)

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """After the stimulus Go rises above 0.7, NoGo stays within +-0.3; (B,)."""
        answer = outputs[self.stimulus_stop :, :, 0]
        return np.where(trials.labels == GO, self._went(answer), np.abs(answer).max(axis=0) < LOW)

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """From 0.5 s on Go rises above 0.7, NoGo stays below 0.3; (B,)."""
        answer = outputs[self.spiking_window_start :, :, 0]
        quiet = np.abs(answer) if self.strict else answer
        return np.where(trials.labels == GO, self._went(answer), quiet.max(axis=0) < LOW)

    def _went(self, answer: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether (T, B) outputs are those of a Go trial; (B,)."""
        went: NDArray[np.bool_] = answer.max(axis=0) > HIGH
        if self.strict:
            went &= answer.min(axis=0) >= -LOW
        return went
