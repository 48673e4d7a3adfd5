"""Leaky integrators without a threshold."""

from dataclasses import dataclass

from bridge.spiking.neurons.membrane import LeakyMembrane, Shown


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeakyIntegrator(Shown, LeakyMembrane):
    """Leaky integrators, which pass on v in each step: tau v' = v_leak - v + r x (LI of NIR).

    Every quantity is one number for all, or (N,) numbers, one for each.
    """

    kind = "leaky_integrator"
    title = "LI"
