"""Pictures of recordings, searches, agreements and fits: matplotlib axes in, axes out.

Without axes each draws on a new figure of its own, which a notebook shows by itself. The picture of
a fit is a figure of four axes.
"""

from bridge.plot.agreements import agreement
from bridge.plot.fits import target_fit
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
    "target_fit",
    "voltages",
]
