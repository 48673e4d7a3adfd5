"""Leaky integrate-and-fire neurons with a resistance."""

from dataclasses import dataclass

from bridge.spiking.neurons.membrane import Firing, LeakyMembrane


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResistiveLif(Firing, LeakyMembrane):
    """Leaky integrate-and-fire neurons: tau v' = v_leak - v + r x (LIF of NIR).

    `Lif` has no resistance, an exact step, and voltages in mV. Every quantity is one number for all
    neurons, or (N,) numbers, one for each.
    """

    kind = "resistive_lif"
    title = "LIF with resistance"
