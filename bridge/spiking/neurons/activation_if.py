"""Integrate-and-fire neurons with the activation of a rate unit inside."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.arrays import positive
from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each

# A clip there changes no number that a current makes, and is one in float32, too.
_NO_CLIP = float(np.finfo(np.float32).max)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ActivationIf(NeuronModel):
    """Neurons that sum an activation of their current and keep the remainder of each spike.

    v += gain_hz dt f(current); a neuron fires where v >= 1, and v loses 1. Nothing leaks, so that a
    constant current fires at just gain_hz f(current), whatever the step (Cao et al. 2015, Rueckauer
    et al. 2017). As f is never negative, v stays in [0, 1) as long as gain_hz dt f is at most 1;
    beyond that a neuron fires in every step, and v keeps what it owes. Nothing but the gain has a
    unit. Every quantity is one number for all neurons, or (N,) numbers, one for each.

    Attributes:
        activation: f: "sigmoid": 1 / (1 + e^-c); "softplus": log(1 + e^c); "relu": max(c, 0).
        gain_hz: The rate at which a neuron fires where f is 1, Hz.
        bias: Constant current.
        highest_rate: Where softplus and relu are clipped; infinite: nowhere.
    """

    kind = "activation_if"
    title = "IF with activation"
    format_version = 5

    activation: Literal["sigmoid", "softplus", "relu"] = choice("sigmoid", "softplus", "relu")
    gain_hz: ArrayLike = each(check=positive)
    bias: ArrayLike = each(0.0)
    highest_rate: ArrayLike = each(math.inf, check=positive, since=5)

    def check(self) -> None:
        if self.activation == "sigmoid" and np.any(np.isfinite(self.highest_rate)):
            raise SpecError("highest_rate: a sigmoid ends at 1, only softplus and relu are clipped")

    def constants(self, dt_ms: float) -> dict[str, Array]:
        gain_hz = np.asarray(self.gain_hz)
        return {
            "bias": np.asarray(self.bias),
            "factor": gain_hz * (dt_ms / 1000.0),
            "threshold": np.ones_like(gain_hz, dtype=np.float64),
            "highest": np.minimum(self.highest_rate, _NO_CLIP),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": state.v + self._rate(ops, current, constant.highest) * constant.factor}

    def _rate(self, ops: Operations, current: Any, highest: Any) -> Any:
        """F of the current."""
        if self.activation == "sigmoid":
            return ops.sigmoid(current)
        positive_part = ops.where(ops.above(current, 0.0), current, 0.0)
        if self.activation == "relu":
            rate = positive_part
        else:
            # e^c would overflow: log(1 + e^c) = max(c, 0) + log(1 + e^-|c|).
            rate = positive_part + ops.log1p(ops.exp(current - 2.0 * positive_part))
        return ops.where(ops.above(rate, highest), highest, rate)

    def reset(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"v": state.v - constant.threshold}
