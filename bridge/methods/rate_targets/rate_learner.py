"""Rate units while they learn: full-FORCE, by the same steps as the spiking network.

In each step x <- I + (x - I) exp(-dt/tau), I = learned current + input, and r = tanh(x) is what the
units send. The form is that of the teacher, whose currents are the targets (DePasquale et al. 2018,
arXiv 1710.03070).
"""

import numpy as np
from numpy.typing import NDArray

from bridge.methods.rate_targets.follower import Follower
from bridge.methods.rate_targets.teacher import TAU_MS
from bridge.spiking.decay import decay_factor

Array = NDArray[np.float64]


class RateLearner(Follower):
    """A run of rate units, all of which are trained.

    Attributes:
        x: (N,) states.
        start: (N,) states at the start of each phase.
    """

    kind = "state"

    def __init__(self, start: Array, onto: Array, outputs: int, dt_ms: float) -> None:
        super().__init__(onto, len(onto), outputs)
        self.start = start
        self._left = float(decay_factor(TAU_MS, dt_ms))
        self._current = np.empty(len(onto))
        self.restart()

    @property
    def state(self) -> Array:
        """(N,) states."""
        return self.x

    def restart(self, start: Array | None = None) -> None:
        """The state at the start of a phase; what was learned stays."""
        self.x = (self.start if start is None else start).copy()
        self.traces = np.tanh(self.x)
        self.learned = np.zeros_like(self.x)

    def advance(self, stimulus: Array | None) -> None:
        """A step of the units, in which the input gives (N,) `stimulus`, or nothing."""
        current, x = self._current, self.x
        np.copyto(current, self.learned)
        if stimulus is not None:
            current += stimulus
        x -= current
        x *= self._left
        x += current
        np.tanh(x, out=self.traces)
