"""What is left of an exponential after one step: the one constant that all models share."""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.exact_constants import exp_rounded

FilterStep: TypeAlias = Literal["exact", "euler"]


def what_is_left(tau_ms: ArrayLike, dt_ms: float, step: FilterStep) -> NDArray[np.float64]:
    """What a step leaves of an exponential: exp(-dt/tau), or 1 - dt/tau in an Euler step.

    Raises:
        SpecError: an Euler step as long as a time constant, which leaves nothing.
    """
    if step == "exact":
        return decay_factor(tau_ms, dt_ms)
    taus = np.asarray(tau_ms, dtype=np.float64)
    if np.any(taus <= dt_ms):
        raise SpecError(
            f"filter: an Euler step of {dt_ms:g} ms needs longer time constants, got {taus.min():g}"
        )
    return np.asarray(1.0 - dt_ms / taus)


def decay_factor(tau_ms: ArrayLike, dt_ms: float) -> NDArray[np.float64]:
    """exp(-dt/tau): what is left of an exponential after one step, correctly rounded."""
    return exp_rounded(-dt_ms / np.asarray(tau_ms, dtype=np.float64))
