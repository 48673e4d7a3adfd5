"""Stimulation: pushes of chosen neurons at random steps of a window, the same in every backend."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import essentials
from bridge.spiking.limits import LONGEST_TRIAL_STEPS
from bridge.spiking.noise import step_keys
from bridge.spiking.values import number

Array = NDArray[np.float64]

_ALL_DRAWS = 2**32


@dataclass(frozen=True, kw_only=True, eq=False)
class Stimulation:
    """Pushes of chosen neurons, as the authors' code gives them for light (Kim et al. 2019).

    In each step start_step <= k < stop_step one draw for all chosen neurons of a trial decides
    whether `amplitude_mv` is added to their voltages: after the noise and before the threshold
    test, in refractory neurons too. The draw is a hash of the seed, the trial and the step, and is
    compared as a whole number: it is the same in every backend and precision.

    Attributes:
        start_step: First step of the window; a trial has at most 10^9 steps.
        stop_step: First step after it.
        neurons: (S,) neurons, numbered through all populations, each once.
        amplitude_mv: What is added to v, mV; a negative one inhibits.
        probability: Of a push in a step, 0 to 1.
        seed: Decides the draws; None: the seed of the drive's noise. Stimulations of one drive
            draw apart from each other, by their place in it.
    """

    start_step: int
    stop_step: int
    neurons: NDArray[np.int64]
    amplitude_mv: float = 0.5
    probability: float = 0.5
    seed: int | None = None

    __repr__ = essentials

    def __post_init__(self) -> None:
        most = LONGEST_TRIAL_STEPS
        start = counted("stimulation: start_step", self.start_step, most=most - 1)
        stop = counted("stimulation: stop_step", self.stop_step, least=start + 1, most=most)
        object.__setattr__(self, "start_step", start)
        object.__setattr__(self, "stop_step", stop)
        neurons = frozen_array("stimulation: neurons", self.neurons, (None,), np.int64)
        if not neurons.size or neurons.min() < 0 or len(np.unique(neurons)) != neurons.size:
            raise SpecError("stimulation: neurons must be numbers of neurons, at least one, once")
        object.__setattr__(self, "neurons", neurons)
        amplitude = number("stimulation: amplitude_mv", self.amplitude_mv)
        object.__setattr__(self, "amplitude_mv", amplitude)
        probability = number("stimulation: probability", self.probability, 0, 1)
        object.__setattr__(self, "probability", probability)
        if self.seed is not None:
            counted("stimulation: seed", self.seed)

    @property
    def draws(self) -> int:
        """How many of the 2^32 draws, the smallest, are a push."""
        return round(self.probability * _ALL_DRAWS)

    def kicks_mv(self, keys: NDArray[np.int32], steps: range) -> Array:
        """(len(steps), B) what is added to v, mV: `amplitude_mv` or 0, for (B, 2) trial `keys`."""
        step = np.arange(steps.start, steps.stop, dtype=np.int32)[:, None]
        draws = step_keys(step, keys[:, 0], keys[:, 1]).view(np.uint32).astype(np.int64)
        hit = draws < self.draws
        inside = (step >= self.start_step) & (step < self.stop_step)
        return np.where(hit & inside, self.amplitude_mv, 0.0)


class Kicks:
    """The pushes of all stimulations of a drive, handed out step after step."""

    def __init__(
        self, stimulation: Sequence[Stimulation], keys: Sequence[NDArray[np.int32]]
    ) -> None:
        """Each stimulation comes with the (B, 2) keys of the trials."""
        self._parts = list(zip(stimulation, keys, strict=True))

    def take(self, steps: range) -> Array:
        """(len(steps), M, B) pushes of the M stimulations, mV."""
        return np.stack([part.kicks_mv(keys, steps) for part, keys in self._parts], axis=1)
