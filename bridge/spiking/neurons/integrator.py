"""Integrators without a leak or a threshold."""

from dataclasses import dataclass

from bridge.spiking.neurons.membrane import Shown


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Integrator(Shown):
    """Integrators, which pass on their voltage in each step: v' = r x (node I of NIR).

    Every quantity is one number for all, or (N,) numbers, one for each.
    """

    kind = "integrator"
    title = "Integrator"
