"""What a graph puts out: its nodes that lead nowhere, and the units behind them."""

from collections.abc import Mapping

import numpy as np

from bridge.exchange.nir.nodes import CELLS, LINEAR
from bridge.exchange.nir.order import Order


def outputs_of(order: Order) -> Mapping[str, str]:
    """The unit that gives what each end of a graph puts out, by the name of the end.

    An input that leads nowhere puts nothing out.
    """
    units = order.units
    unused = {name for name in units.inputs if units.place(name).kind == "Input"}
    return {name: _unit_behind(name, order) for name in units.ends if name not in unused}


def _unit_behind(name: str, order: Order) -> str:
    """The unit whose numbers an end passes on as they are; itself, where it sums or delays."""
    units = order.units
    if units.place(name).kind in CELLS | LINEAR:
        return name
    arrivals = order.arrivals(name)
    if len(arrivals) == 1 and arrivals[0].source not in units.inputs.values():
        (only,) = arrivals
        if not np.any(only.delays):
            return only.source
    return name
