"""The picture of the network that was run: its parts and what connects them."""

from matplotlib.figure import Figure

from bridge.compare.agreement import Agreement
from bridge.plot.graph import graph
from bridge.plot.style import PAGE_IN, in_report_style
from bridge.spiking.network import SpikingNetwork

# Of more parts the names could not be read.
_MOST_PARTS = 40
_COLUMN_IN, _ROW_IN = 1.25, 0.62
CAPTION = (
    "Inputs and populations in the order in which they act, with their sizes and models, and the "
    "projections between them. Solid arrows act within the step, dashed ones a step later or more."
)


def worth_a_graph(agreement: Agreement) -> SpikingNetwork | None:
    """The network, if it was a graph or has several populations, and not too many; else None."""
    network = agreement.network
    if network is None or len(network.populations) > _MOST_PARTS:
        return None
    was_a_graph = "nodes" in network.provenance
    return network if was_a_graph or len(network.populations) > 1 else None


@in_report_style
def network_graph(network: SpikingNetwork) -> Figure:
    """Inputs, populations and projections, as large as their names need."""
    figure = Figure(layout="constrained")
    axes = graph(network, figure.subplots())
    across, down = (abs(end - start) for start, end in (axes.get_xlim(), axes.get_ylim()))
    figure.set_size_inches(max(PAGE_IN, _COLUMN_IN * across / 1.6), max(1.6, _ROW_IN * down))
    return figure
