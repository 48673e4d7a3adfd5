"""Pictures of recordings, searches and agreements: matplotlib axes in, axes out.

Without axes each draws on a new figure of its own, which a notebook shows by itself.
"""

from bridge.plot.agreements import agreement
from bridge.plot.graph import graph
from bridge.plot.outputs import readouts
from bridge.plot.searches import error_curves, scale_curve
from bridge.plot.spikes import raster, rates
from bridge.plot.traces import voltages

__all__ = [
    "agreement",
    "error_curves",
    "graph",
    "raster",
    "rates",
    "readouts",
    "scale_curve",
    "voltages",
]
