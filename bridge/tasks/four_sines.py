"""Four sines: an output that is the sum of four sines, with an input pulse each second.

The task of the public code to DePasquale et al. 2016; the bound of the score is this project's.
"""

from dataclasses import dataclass

import numpy as np

from bridge.tasks.measure import nmse
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials

FREQUENCIES_HZ = (1, 2, 3, 5)


@dataclass(frozen=True, kw_only=True)
class FourSines:
    """One input channel, one output, 1000 samples of 1 ms.

    The target is the sum of sines of 1, 2, 3 and 5 Hz, divided by its largest value. It repeats
    itself with each trial, so trials that follow one another are one long signal. The input is 0.5
    for the first 50 ms of a trial and then 0. All trials are alike, of one condition. The score is
    the nMSE; an answer is right up to 0.1.
    """

    step_ms: float = 1.0
    steps: int = 1000
    pulse_steps: int = 50
    input_size: int = 1
    output_size: int = 1
    conditions: tuple[str, ...] = ("sines",)
    name: str = "four-sines"

    __repr__ = task_in_a_line
    measure = nmse(bound=0.1)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """`count` trials, all alike: nothing is drawn."""
        seconds = np.arange(self.steps) * self.step_ms / 1000.0
        summed = sum(np.sin(2 * np.pi * hz * seconds) for hz in FREQUENCIES_HZ)
        pulse = np.where(np.arange(self.steps) < self.pulse_steps, 0.5, 0.0)
        return Trials(
            inputs=np.tile(pulse[:, None, None], (1, count, 1)),
            targets=np.tile((summed / np.max(summed))[:, None, None], (1, count, 1)),
            labels=np.zeros(count, dtype=np.int64),
        )
