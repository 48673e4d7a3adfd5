"""Integrators without a leak or a threshold."""

from dataclasses import dataclass
from typing import Any

from bridge.spiking.neurons.membrane import Membrane
from bridge.spiking.operations import Operations


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Integrator(Membrane):
    """Integrators, which pass on their voltage in each step: v' = r x (node I of NIR).

    Every quantity is one number for all, or (N,) numbers, one for each.
    """

    kind = "integrator"
    title = "Integrator"
    fires = False
    emits = "value"

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": self.moved(state, constant, current)}

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": state.v}
