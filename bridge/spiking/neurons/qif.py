"""Quadratic integrate-and-fire neurons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.arrays import time_constants
from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.neurons.reset import check_reset
from bridge.spiking.operations import Operations
from bridge.spiking.parts import each

# Where v^2 stops growing, mV: a kilovolt is far beyond every threshold.
LARGEST_MV = 1e6


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Qif(NeuronModel):
    """Quadratic integrate-and-fire neurons (Kim et al. 2019, SI).

    The membrane follows tau dv/dt = v^2 + I, v and I in mV, in Euler steps: v += dt/tau (v^2 + I).
    From the larger root of v^2 + I on v runs away, and only the threshold ends that. The v of the
    square is held within +-`LARGEST_MV`, so that no v, however absurd, squares to infinity. Every
    quantity is one number for all neurons, or (N,) numbers, one for each.

    Attributes:
        tau_mem_ms: Membrane time constant, ms.
        v_threshold_mv: A neuron whose v is at or above this fires, mV.
        v_reset_mv: Voltage after a spike, mV.
        bias_mv: Constant current; it counts as mV^2, added to v^2.
    """

    kind = "qif"
    title = "QIF"
    format_version = 2

    tau_mem_ms: ArrayLike = each(check=time_constants)
    v_threshold_mv: ArrayLike = each()
    v_reset_mv: ArrayLike = each()
    bias_mv: ArrayLike = each(0.0)

    def check(self) -> None:
        check_reset(self.v_reset_mv, self.v_threshold_mv)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        return {
            "bias": np.asarray(self.bias_mv),
            "factor": dt_ms / np.asarray(self.tau_mem_ms),
            "threshold": np.asarray(self.v_threshold_mv),
            "reset": np.asarray(self.v_reset_mv),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        bounded = ops.clip(state.v, -LARGEST_MV, LARGEST_MV)
        return {"v": state.v + (bounded * bounded + current) * constant.factor}

    def reset(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"v": constant.reset}
