"""The Spiking Recurrent Cell in whole numbers, as it was built in hardware."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.operations import Operations
from bridge.spiking.parts import each

# 1 of the cell in real numbers, and from where on h is a spike.
ONE, SPIKE = 1024, 512
# Below it the gate is shut: h_s follows slowly.
_GATE = 500
_SLOW, _QUICK = 900, 100
_LOWEST_H_S = -800


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class IntegerSrc(NeuronModel):
    """Spiking recurrent cells in whole numbers, 1024 for 1 (Harmeling, De Geeter & Drion 2026).

    With >> for division by a power of two, rounded down, and the old h and h_s on the right:
    i <- i - (i >> 4) - (i >> 5) + current;  x = 1023 where i > 0, else -1024;
    h <- (3 v) >> 2 held within -1024 and 1023, v = x + 2 (h - 4 h_s + bias);
    h_s <- h + (((h_s - h) z) >> 10) held within -800 and 1023, z = 900 where h < 500, else 100.
    A cell spikes in each step in which h is at least 512. Nothing has a unit. Weights and start are
    to be whole numbers: then all states are, and float64 holds them exactly.

    Attributes:
        bias: Of h, a whole number; one for all cells, or (N,).
    """

    kind = "integer_src"
    title = "SRC in whole numbers"
    format_version = 5
    states = {"i": 0.0, "h": 0.0, "h_s": 0.0}  # noqa: RUF012
    voltage = "h"

    bias: ArrayLike = each(-3000.0)

    def check(self) -> None:
        if np.any(np.asarray(self.bias) != np.rint(np.asarray(self.bias))):
            raise SpecError("bias: expected whole numbers")

    def constants(self, dt_ms: float) -> dict[str, Array]:
        bias = np.asarray(self.bias)
        return {
            # The bias is added to h, not to the current that i integrates.
            "bias": np.zeros_like(bias),
            "bias_of_h": bias,
            "threshold": np.full(bias.shape, float(SPIKE)),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        h, h_s = state.h, state.h_s
        i = state.i - ops.floor(state.i * 2.0**-4) - ops.floor(state.i * 2.0**-5) + current
        x = ops.where(ops.above(i, 0.0), ONE - 1.0, -float(ONE))
        v = x + 2.0 * (h - 4.0 * h_s + constant.bias_of_h)
        z = ops.where(ops.at_or_above(h, float(_GATE)), float(_QUICK), float(_SLOW))
        slow = h + ops.floor((h_s - h) * z * 2.0**-10)
        return {
            "i": i,
            "h": ops.clip(ops.floor(3.0 * v * 0.25), -float(ONE), ONE - 1.0),
            "h_s": ops.clip(slow, float(_LOWEST_H_S), ONE - 1.0),
        }
