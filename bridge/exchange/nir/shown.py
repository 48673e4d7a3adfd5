"""The outputs of a graph: readouts, and the populations that lead nowhere else."""

from collections.abc import Sequence

import numpy as np

from bridge.exchange.nir.chains import Link, filter_nodes, matrix_node
from bridge.exchange.nir.metadata import NAME
from bridge.exchange.nir.sketch import Sketch
from bridge.spiking.filters import filter_trace
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.readouts import Readout


def with_outputs(sketch: Sketch) -> list[str]:
    """Give a sketch its outputs; what of the readouts NIR cannot hold, a sentence each."""
    network, lost = sketch.network, []
    for read in network.readouts:
        if isinstance(read, Readout):
            _read(sketch, read)
            continue
        neurons = network.population(read.source).neurons
        if neurons.emits != "value" or read.state not in (None, neurons.voltage):
            lost.append(f"readout {read.name}: NIR shows what nodes pass on, and no other state")
        else:
            _output(sketch, read.name, [read.source])
    for name, source in _ends(sketch, network):
        _output(sketch, name, [source])
    return lost


def _ends(sketch: Sketch, network: SpikingNetwork) -> list[tuple[str, str]]:
    """Populations that are put out without being read, with a name: as a file had it, or theirs."""
    told = network.provenance.get("outputs", {})
    spiking = {part.name for part in network.populations if part.neurons.emits == "spikes"}
    found = [
        (name, source)
        for name, source in (told.items() if isinstance(told, dict) else ())
        if source in spiking and isinstance(name, str)
    ]
    leading = {source for source, _ in sketch.edges} | {source for _, source in found}
    here = [part.name for part in network.populations if part.name in sketch.parts]
    found += [(name, name) for name in here if name not in leading]
    shown = any(part.link.kind == "Output" for part in sketch.parts.values())
    return found if found or shown else [(here[-1], here[-1])]


def _output(sketch: Sketch, name: str, sources: Sequence[str], size: int = 0) -> None:
    size = size or sketch.network.population(sources[0]).size
    link = Link("Output", {"shape": np.array([size])}, {NAME: name})
    # After all else, in their order.
    rank = (np.inf, float(len(sketch.parts)))
    # A readout may have the name of a population that leads nowhere.
    key = f"{name}.output"
    while key in sketch.parts:
        key += "."
    sketch.add(key, link, rank, f"output_{name}")
    sketch.edges += [(source, key) for source in sources]


def _read(sketch: Sketch, read: Readout) -> None:
    """A readout of filtered spikes: filters and weights, summed at an output."""
    name, ends = f"readout {read.name}", []
    for number, channel in enumerate(read.channels):
        link = matrix_node(name, channel.weights)
        if number == 0 and np.any(read.bias):
            link = Link("Affine", {**link.fields, "bias": np.asarray(read.bias)})
        before = channel.source
        filters = filter_nodes(name, channel.filter, sketch.network.dt_ms)
        for node in (*filters, link):
            node.kept[NAME] = title = f"{read.name}_{'sum' if node is link else 'filter'}"
            rank = (np.inf, float(len(sketch.parts)))
            key = sketch.add(f"{read.name}.{number}.{node.kind}", node, rank, title)
            sketch.edges.append((before, key))
            before = key
        # What is read at the end of a step has its spikes in it.
        lag = filter_trace(channel.filter).lag - 1
        if lag:
            first = f"{read.name}.{number}.{filters[0].kind}"
            sketch.delay((channel.source, first), np.full(channel.weights.shape[1], lag))
        ends.append(before)
    _output(sketch, read.name, ends, read.size)
