"""Leaky integrate-and-fire neurons of a filtered current."""

from dataclasses import dataclass

from bridge.spiking.neurons.membrane import Filtered, Firing


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CubaLif(Firing, Filtered):
    """Leaky integrate-and-fire neurons of a filtered current (CubaLIF of NIR).

    tau_syn i' = w_in x - i;  tau v' = v_leak - v + r i, which takes the new i. Every quantity is
    one number for all neurons, or (N,) numbers, one for each.
    """

    kind = "cuba_lif"
    title = "CubaLIF"
