"""Integrate-and-fire neurons with a resistance."""

from dataclasses import dataclass
from typing import Any

from bridge.spiking.neurons.membrane import Firing
from bridge.spiking.operations import Operations


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResistiveIf(Firing):
    """Integrate-and-fire neurons without a leak: v' = r x (IF of NIR).

    As nothing leaks, late subtraction is that at once. Every quantity is one number for all
    neurons, or (N,) numbers, one for each.
    """

    kind = "resistive_if"
    title = "IF with resistance"

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": self.moved(state, constant, current)}
