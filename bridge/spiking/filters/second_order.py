"""A rise and a fall without a tail."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.arrays import time_constants
from bridge.spiking.filters.filter import Array, Filter
from bridge.spiking.operations import Operations
from bridge.spiking.parts import each


def _below_one(name: str, values: Array) -> None:
    if np.any(values <= 0) or np.any(values >= 1):
        raise SpecError(f"{name}: must lie between 0 and 1, got {values.min():g}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SecondOrder(Filter):
    """x <- a x + b h (the old h);  h <- a h - b x + g w s: a damped oscillation.

    Of two stages one after the other that lag as much, as `DoubleExponential` is, it leaves less
    of fast changes and more of slow ones, as it falls below zero for a while (a Butterworth filter
    where the damping is 0.71). The spike has unit area, so x is in Hz times the weight's unit. a
    and b are those of the trapezoidal rule, so made by sums, products and quotients alone. Whose
    time constants they are is as in `DoubleExponential`.

    Attributes:
        lag_ms: By how much the output is later than what arrives, in the mean, ms; one number or
            (N,).
        damping: Between 0, an oscillation that lasts, and 1, two stages without one.
    """

    kind = "second_order"
    title = "SecondOrder"
    format_version = 5
    states = ("h", "x")

    lag_ms: ArrayLike = each(check=time_constants)
    damping: ArrayLike = each(0.6, check=_below_one)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        damping = np.asarray(self.damping)
        # Half a step of the decay and of the turn.
        turn = damping * dt_ms / np.asarray(self.lag_ms)
        decay, turn = damping * turn, np.sqrt(1.0 - damping * damping) * turn
        whole = (1.0 + decay) * (1.0 + decay) + turn * turn
        stays, turns = (1.0 - decay * decay - turn * turn) / whole, 2.0 * turn / whole
        left = (1.0 - stays) * (1.0 - stays) + turns * turns
        return {"stays": stays, "turns": turns, "gain": left / (turns * (dt_ms / 1000.0))}

    def decay(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {
            "h": state.h * constant.stays - state.x * constant.turns,
            "x": state.x * constant.stays + state.h * constant.turns,
        }

    def response(self, dt_ms: float, steps: int) -> Array:
        constants = self.constants(dt_ms)
        m = np.arange(max(0, steps))[:, None]
        turned = (constants["stays"] + 1j * constants["turns"]) ** m
        return np.asarray(constants["gain"] * turned.imag)

    def shape_ms(self) -> float:
        return 4.0 * float(np.max(self.lag_ms))
