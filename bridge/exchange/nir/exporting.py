"""A spiking network as a NIR file."""

from bridge.exchange.formats import Encoded
from bridge.exchange.nir.biases import may_fold
from bridge.exchange.nir.drawing import sketched
from bridge.exchange.nir.file import Graph
from bridge.exchange.nir.layout import laid_out
from bridge.exchange.nir.losses import losses
from bridge.exchange.nir.metadata import DT_MS, LOST, START, Field, single
from bridge.exchange.nir.shown import with_outputs
from bridge.exchange.nir.sketch import Sketch
from bridge.exchange.nir.writing import nir_bytes
from bridge.spiking.network import SpikingNetwork


def encoded(network: SpikingNetwork) -> Encoded:
    """The file of a network, and what it does not hold.

    Raises:
        SpecError: NIR cannot hold a part of it, which is named.
    """
    graph, notes = graph_of(network)
    return Encoded(content=nir_bytes(graph), notes=notes)


def graph_of(network: SpikingNetwork) -> tuple[Graph, tuple[str, ...]]:
    """The graph of a network, and what it does not hold, a sentence each.

    Raises:
        SpecError: as there.
    """
    sketch, graph, lost = _drawn(network, folded=may_fold(network))
    if not all(edge in sketch.back for edge in sketch.silent):
        # A folded bias behind a delay of its own would not be silent in the first step.
        sketch, graph, lost = _drawn(network, folded=False)
    notes = [
        f"the time step of {network.dt_ms:g} ms is in the metadata alone: other readers take it as "
        "an option",
        *lost,
        *losses(network, sketch.cells),
    ]
    if sketch.added:
        notes.append(
            f"{', '.join(sketch.added)}: a bias hangs on weights of 0 behind an input, as NIR has "
            "no other place for it"
        )
    kept: dict[str, Field] = {DT_MS: single(network.dt_ms)}
    if sketch.folded:
        kept[START] = "silent"
    kept[LOST] = "; ".join(notes)
    return Graph(graph.nodes, graph.edges, kept=kept), tuple(notes)


def _drawn(network: SpikingNetwork, *, folded: bool) -> tuple[Sketch, Graph, list[str]]:
    """A sketch, its graph and what is lost."""
    sketch = sketched(network, folded=folded)
    lost = with_outputs(sketch)
    return sketch, laid_out(sketch).graph, lost
