"""Leaky integrate-and-fire neurons."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.arrays import time_constants
from bridge.spiking.decay import decay_factor
from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.neurons.reset import (
    FiresWhere,
    ResetBy,
    after_spike,
    check_reset,
    fires_where,
    reset_by,
)
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Lif(NeuronModel):
    """Current-based leaky integrate-and-fire neurons.

    The membrane follows tau dv/dt = -(v - v_rest) + I with I in mV (unit resistance). Every
    quantity is one number for all neurons, or (N,) numbers, one for each.

    Attributes:
        membrane_step: "euler": v += dt/tau (v_rest + I - v) (Kim et al. 2019); "exact":
            v = v_inf + (v - v_inf) exp(-dt/tau), v_inf = v_rest + I (DePasquale et al. 2016).
        tau_mem_ms: Membrane time constant, ms.
        v_rest_mv: Resting voltage without any current, mV.
        v_threshold_mv: A neuron whose v is at or above this fires, mV.
        v_reset_mv: Voltage after a spike, mV.
        bias_mv: Constant current, mV.
        fires_where: "at_threshold": a neuron fires where v >= threshold; "above_threshold": only
            where v > threshold (snnTorch, NIR).
        reset_by: "value": v becomes `v_reset_mv`; "subtraction": v loses `v_threshold_mv`.
    """

    kind = "lif"
    title = "LIF"
    format_version = 1

    membrane_step: Literal["euler", "exact"] = choice("euler", "exact")
    tau_mem_ms: ArrayLike = each(check=time_constants)
    v_rest_mv: ArrayLike = each()
    v_threshold_mv: ArrayLike = each()
    v_reset_mv: ArrayLike = each()
    bias_mv: ArrayLike = each(0.0)
    fires_where: FiresWhere = fires_where()
    reset_by: ResetBy = reset_by()

    def check(self) -> None:
        if self.reset_by == "value":
            check_reset(self.v_reset_mv, self.v_threshold_mv)

    @property
    def strictly(self) -> bool:
        return self.fires_where == "above_threshold"

    def constants(self, dt_ms: float) -> dict[str, Array]:
        tau_ms = np.asarray(self.tau_mem_ms)
        exact = self.membrane_step == "exact"
        return {
            # The resting voltage is part of the bias.
            "bias": np.asarray(self.bias_mv) + np.asarray(self.v_rest_mv),
            "factor": decay_factor(tau_ms, dt_ms) if exact else dt_ms / tau_ms,
            "threshold": np.asarray(self.v_threshold_mv),
            "reset": np.asarray(self.v_reset_mv),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        if self.membrane_step == "euler":
            return {"v": state.v + (current - state.v) * constant.factor}
        return {"v": current + (state.v - current) * constant.factor}

    def reset(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return after_spike(self.reset_by, state, constant)

    def leaves(self, dt_ms: float) -> Array:
        factor = self.constants(dt_ms)["factor"]
        return factor if self.membrane_step == "exact" else 1.0 - factor
