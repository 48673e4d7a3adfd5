"""Reaching: several channels of muscle activity, after a cue that says where to reach.

The task of the public code to DePasquale et al. 2016 and its follow-up, whose recordings are not
public. `reaching` shows synthetic activity; `bridge.load_targets` shows one's own.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.measure import nmse
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials, balanced_labels

Array = NDArray[np.float64]

# Channels of the input: one that says wait, and the two of the direction.
INPUTS = 3
CUE = 0.5
BOUND = 0.1


def reaches(patterns: Array, waiting: int, count: int, rng: np.random.Generator) -> Trials:
    """Trials in which the network waits, then puts out the pattern of a condition.

    The first input is 1 as long as it waits. The others are CUE times cosine and sine of the
    condition's direction, in the whole trial; directions lie evenly round a circle.

    Args:
        patterns: (conditions, L, O).
        waiting: Samples before the pattern, in which the outputs should be 0.
        count: How many, the conditions equally often, in random order.
        rng: Draws the order.
    """
    conditions, length, outputs = patterns.shape
    labels = balanced_labels(count, conditions, rng)
    angles = 2 * math.pi * labels / conditions
    inputs = np.zeros((waiting + length, count, INPUTS))
    inputs[:waiting, :, 0] = 1.0
    inputs[:, :, 1], inputs[:, :, 2] = CUE * np.cos(angles), CUE * np.sin(angles)
    targets = np.zeros((waiting + length, count, outputs))
    targets[waiting:] = patterns[labels].swapaxes(0, 1)
    return Trials(inputs=inputs, targets=targets, labels=labels)


@dataclass(frozen=True, kw_only=True)
class Reaching:
    """Three input channels, four outputs, 190 samples of 5 ms, eight directions.

    The activity is synthetic. Each output is a muscle with a preferred direction, 90 degrees from
    the next. For 70 samples (350 ms) the outputs should be 0. Then a muscle that pulls in the
    direction of the reach has a burst of s.d. 50 ms around 150 ms, the cosine of the angle between
    them high. One that pulls against it brakes, in a burst of s.d. 60 ms around 300 ms. From about
    400 ms on each holds, up to 0.3. The score is the nMSE; an answer is right up to 0.1.
    """

    step_ms: float = 5.0
    waiting: int = 70
    length: int = 120
    input_size: int = INPUTS
    output_size: int = 4
    conditions: tuple[str, ...] = tuple(f"{45 * place} degrees" for place in range(8))
    name: str = "reaching"

    __repr__ = task_in_a_line
    measure = nmse(bound=BOUND)

    @property
    def steps(self) -> int:
        """Samples T of a trial."""
        return self.waiting + self.length

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, the directions equally often, in random order."""
        return reaches(self.patterns(), self.waiting, count, rng)

    def patterns(self) -> Array:
        """(8, L, 4) activity of the muscles in each direction."""
        time_ms = self.step_ms * np.arange(self.length)[:, None]
        places = np.arange(len(self.conditions)) / len(self.conditions)
        muscles = np.arange(self.output_size) / self.output_size
        pull = np.cos(2 * math.pi * (places[:, None, None] - muscles))
        start = np.exp(-np.square((time_ms - 150.0) / 50.0) / 2)
        brake = np.exp(-np.square((time_ms - 300.0) / 60.0) / 2)
        hold = 0.3 / (1.0 + np.exp(-(time_ms - 400.0) / 40.0))
        bursts = np.maximum(pull, 0) * start + np.maximum(-pull, 0) * brake
        made: Array = bursts + (1 + pull) / 2 * hold
        return made
