"""Units whose value is a function of their current."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FunctionUnit(NeuronModel):
    """Units whose value is y = f(I) of the current I of the step, bias included.

    They keep nothing from step to step, and never fire. With projections within the step they
    compute what a neuron's own step cannot: gates that are driven by weights of their own, and
    products of what two populations pass on, as a b = ((a + b)^2 - (a - b)^2) / 4.
    `bridge.nbrc_network` is made of them. Nothing has a unit.

    Attributes:
        function: f: "tanh", "sigmoid" 1 / (1 + e^-I), or "square" I^2.
        bias: What I is without any projection; one number for all units, or (N,) numbers.
    """

    kind = "function"
    title = "Function"
    format_version = 5
    states = {"y": 0.0}  # noqa: RUF012
    voltage = "y"
    fires = False
    emits = "value"

    function: Literal["tanh", "sigmoid", "square"] = choice("tanh", "sigmoid", "square")
    bias: ArrayLike = each(0.0)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        return {"bias": np.asarray(self.bias)}

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        if self.function == "square":
            return {"y": current * current}
        return {"y": ops.tanh(current) if self.function == "tanh" else ops.sigmoid(current)}

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": state.y}
