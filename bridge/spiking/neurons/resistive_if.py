"""Integrate-and-fire neurons with a resistance."""

from dataclasses import dataclass

from bridge.spiking.neurons.membrane import Firing


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResistiveIf(Firing):
    """Integrate-and-fire neurons without a leak: v' = r x (IF of NIR).

    As nothing leaks, late subtraction is that at once. Every quantity is one number for all
    neurons, or (N,) numbers, one for each.
    """

    kind = "resistive_if"
    title = "IF with resistance"
