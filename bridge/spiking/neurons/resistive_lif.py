"""Leaky integrate-and-fire neurons with a resistance."""

from dataclasses import dataclass
from typing import Any

from bridge.spiking.neurons.membrane import Firing, LeakyMembrane
from bridge.spiking.operations import Operations


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResistiveLif(Firing, LeakyMembrane):
    """Leaky integrate-and-fire neurons: tau v' = v_leak - v + r x (LIF of NIR).

    `Lif` has no resistance, an exact step, and voltages in mV. Every quantity is one number for all
    neurons, or (N,) numbers, one for each.
    """

    kind = "resistive_lif"
    title = "LIF with resistance"

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": self.moved(state, constant, current)}
