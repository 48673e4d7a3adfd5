"""What is under way from presynaptic neurons, each with a delay of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class DelayLine:
    """Holds what is sent in each step until it arrives.

    Attributes:
        delays: One number of steps, or (pre,).
        ahead: Of how many steps what will arrive in them is held.
    """

    def __init__(self, delay_steps: int | NDArray[np.int64], steps: int) -> None:
        # What arrives after the last of the `steps` never does.
        self.delays = np.minimum(delay_steps, steps)
        self.ahead = int(np.max(self.delays)) + 1
        self._step, self._due = 0, np.empty((0, 0, 0))
        self._last: NDArray[Any] | None = None

    def arriving(self, sent: NDArray[Any]) -> NDArray[Any]:
        """What arrives in this step, now that (B, pre) `sent` is sent; before the first, nothing.

        The very same array as long as the same arrives.
        """
        if self._last is None:
            self._due = np.zeros((self.ahead, sent.shape[1], sent.shape[0]), dtype=sent.dtype)
        place = (self._step + self.delays) % self.ahead
        self._due[place, np.arange(sent.shape[1])] = sent.T
        arrived = self._due[self._step % self.ahead].T
        self._step += 1
        if self._last is None or not np.array_equal(arrived, self._last):
            self._last = arrived.copy()
        return self._last
