"""Leaky integrators of a filtered current, without a threshold."""

from dataclasses import dataclass

from bridge.spiking.neurons.membrane import Filtered, Shown


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CubaLi(Shown, Filtered):
    """Leaky integrators of a filtered current, which pass on v in each step (CubaLI of NIR).

    tau_syn i' = w_in x - i;  tau v' = v_leak - v + r i, which takes the new i. Every quantity is
    one number for all, or (N,) numbers, one for each.
    """

    kind = "cuba_li"
    title = "CubaLI"
