"""Linear units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.operations import Operations
from bridge.spiking.parts import each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Linear(NeuronModel):
    """Linear units: y is the current of the step, which they pass on as a value.

    They keep nothing from step to step, and never fire. With projections within the step they are
    the outputs of a network, y = bias + W x, computed inside the simulator. Nothing has a unit.

    Attributes:
        bias: What y is without any current; one number for all units, or (N,) numbers.
    """

    kind = "linear"
    title = "Linear"
    format_version = 5
    states = {"y": 0.0}  # noqa: RUF012
    voltage = "y"
    fires = False
    emits = "value"

    bias: ArrayLike = each(0.0)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        return {"bias": np.asarray(self.bias)}

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"y": current}

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": state.y}
