"""Thresholds without a memory."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.neurons.reset import FiresWhere
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Threshold(NeuronModel):
    """Units that fire wherever the current of the step passes their threshold, and keep nothing.

    Nothing has a unit. Every quantity is one number for all units, or (N,) numbers, one for each.

    Attributes:
        threshold: What the current has to pass.
        bias: What is added to the current.
        fires_where: "above_threshold": only where the current > threshold; "at_threshold": where
            it is at threshold, too.
    """

    kind = "threshold"
    title = "Threshold"
    format_version = 5

    threshold: ArrayLike = each()
    bias: ArrayLike = each(0.0)
    fires_where: FiresWhere = choice(
        "above_threshold", "at_threshold", default="above_threshold", since=5
    )

    @property
    def strictly(self) -> bool:
        return self.fires_where == "above_threshold"

    def constants(self, dt_ms: float) -> dict[str, Array]:
        return {"bias": np.asarray(self.bias), "threshold": np.asarray(self.threshold)}

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": current}
