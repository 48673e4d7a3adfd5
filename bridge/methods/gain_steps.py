"""The step of integrate-and-fire neurons, in which none may have to fire more than once."""

import math

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import number
from bridge.errors import SpecError
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import positive

Array = NDArray[np.float64]

DT_MS = 0.5
# A step is halved this often at most.
HALVINGS = 3
# Currents of spikes waver around those of rates.
_MARGIN = 1.2


def highest_activity_of(rate: RateNetwork, activity: Array) -> float:
    """The highest activation that a spiking network should be ready for.

    Args:
        rate: The rate network.
        activity: (T, B, N) of it in some trials, as it runs without noise.
    """
    ceiling = ceiling_of(rate)
    if ceiling <= 1:
        return ceiling
    if rate.form == "h" and len(activity) > 1:
        # h follows the activation and never meets its peaks.
        keep = 1.0 - rate.dt_ms / rate.tau_ms
        activity = (activity[1:] - keep * activity[:-1]) / (1.0 - keep)
    # What is silent in these trials may do anything.
    return min(ceiling, _MARGIN * float(activity.max()) or 1.0)


def steps_of_sample(
    rate: RateNetwork,
    gain_hz: float,
    dt_ms: float = DT_MS,
    highest_activity: float | None = None,
) -> int:
    """Steps of the spiking network in one of the rate network, as `map_integrate_and_fire` takes.

    Raises:
        SpecError: the highest activation would need more than one spike in each of them.
    """
    positive("dt_ms", number("dt_ms", dt_ms))
    given = highest_activity is not None
    highest = number("highest_activity", highest_activity) if given else ceiling_of(rate)
    if not 0 < highest < math.inf:
        raise SpecError(
            "highest_activity: has to be given for an activation without an upper end, as a "
            f"positive number, got {highest:g}"
        )
    first = max(1, math.ceil(rate.dt_ms / dt_ms - 1e-9))
    # At most one spike a step.
    needed = gain_hz * rate.dt_ms / 1000.0 * highest * (1 - 1e-9)
    for steps in (first << halvings for halvings in range(HALVINGS + 1)):
        if steps >= needed:
            return steps
    raise SpecError(
        f"gain_hz: at {gain_hz:g} Hz an activation of {highest:.3g} asks for more than one spike "
        f"in {rate.dt_ms / (first << HALVINGS):.3g} ms: a step of {1000 / gain_hz / highest:.2g} "
        "ms would do (dt_ms)"
    )


def ceiling_of(rate: RateNetwork) -> float:
    """The highest activation there can be, of tanh that of the sigmoid in its place."""
    return rate.highest_rate if rate.activation in ("softplus", "relu") else 1.0
