"""The graphs of the table: each of them differs from a plain one in what readers stumble over.

Names are in alphabetical order of execution wherever the order is not the trap, since HDF5 gives
nodes by name. Numbers are in 1/64, and no voltage comes near a threshold where it is not meant to.
"""

from bridge.conformance.map_traps import map_traps
from bridge.conformance.neuron_traps import neuron_traps
from bridge.conformance.order_traps import order_traps
from bridge.conformance.trap import Trap


def traps() -> tuple[Trap, ...]:
    """All of them, in the order of the table."""
    return (*neuron_traps(), *order_traps(), *map_traps())
