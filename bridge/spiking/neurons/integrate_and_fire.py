"""Integrate-and-fire neurons without a leak."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.arrays import time_constants
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
from bridge.spiking.parts import each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class IntegrateAndFire(NeuronModel):
    """Neurons that sum their current and forget nothing: tau dv/dt = I, v += dt/tau I.

    Reset by subtraction keeps what lies beyond threshold, so that a constant current I > 0 fires
    at just I / (tau v_threshold), whatever the step (Cao et al. 2015, Rueckauer et al. 2017).
    Every quantity is one number for all neurons, or (N,) numbers, one for each.

    Attributes:
        tau_mem_ms: How long a current of 1 mV takes to move v by 1 mV, ms.
        v_threshold_mv: Where a neuron fires, mV.
        v_reset_mv: Voltage after a spike, mV; nothing where reset is by subtraction.
        bias_mv: Constant current, mV.
        fires_where: "at_threshold": a neuron fires where v >= threshold; "above_threshold": only
            where v > threshold.
        reset_by: "value": v becomes `v_reset_mv`; "subtraction": v loses `v_threshold_mv`.
    """

    kind = "if"
    title = "IF"

    tau_mem_ms: ArrayLike = each(check=time_constants)
    v_threshold_mv: ArrayLike = each()
    v_reset_mv: ArrayLike = each(0.0)
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
        return {
            "bias": np.asarray(self.bias_mv),
            "factor": dt_ms / np.asarray(self.tau_mem_ms),
            "threshold": np.asarray(self.v_threshold_mv),
            "reset": np.asarray(self.v_reset_mv),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": state.v + current * constant.factor}

    def reset(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return after_spike(self.reset_by, state, constant)
