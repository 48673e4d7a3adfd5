"""Leaky integrators without a threshold."""

from dataclasses import dataclass
from typing import Any

from bridge.spiking.neurons.membrane import LeakyMembrane
from bridge.spiking.operations import Operations


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeakyIntegrator(LeakyMembrane):
    """Leaky integrators, which pass on v in each step: tau v' = v_leak - v + r x (LI of NIR).

    Every quantity is one number for all, or (N,) numbers, one for each.
    """

    kind = "leaky_integrator"
    title = "LI"
    fires = False
    emits = "value"

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": self.moved(state, constant, current)}

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": state.v}
