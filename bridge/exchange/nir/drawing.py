"""A network as nodes and edges."""

from itertools import pairwise

import numpy as np

from bridge.exchange.nir.biases import (
    bias_alone,
    biased,
    hang_on,
    silent_bias,
    some_input,
    with_bias,
)
from bridge.exchange.nir.chains import Link, chain_of, filter_nodes, matrix_link, matrix_node
from bridge.exchange.nir.metadata import NAME, PLACE, PROJECTION, PROJECTION_PLACE, Field, single
from bridge.exchange.nir.names import ONE
from bridge.exchange.nir.nodes import LINEAR
from bridge.exchange.nir.populations import cell_of
from bridge.exchange.nir.sketch import Edge, Sketch
from bridge.exchange.nir.sums import Steps, of_linear
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

# What is not the weights of a projection.
_WORDS = {"LI": "filter", "CubaLI": "filter", "Linear": "factor", "Scale": "sum"}


def sketched(network: SpikingNetwork, *, folded: bool) -> Sketch:
    """All of a network but its outputs.

    Raises:
        SpecError: NIR has no node for a part of it.
    """
    sketch = Sketch(network, folded)
    for number, each in enumerate(network.inputs):
        shape = {"shape": np.array([each.size])}
        sketch.add(each.name, Link("Input", shape, {NAME: each.name}), (-1.0, number))
    for number, population in enumerate(network.populations):
        if not (folded and population.name == ONE):
            _population(sketch, population, number)
    if not any(part.link.kind == "Input" for part in sketch.parts.values()):
        # Only loops: readers begin at an input, so there has to be one.
        first = next(iter(sketch.cells), network.populations[0].name)
        bias_alone(sketch, first, 0, np.zeros(sketch.size(first)))
    return sketch


def _population(sketch: Sketch, population: Population, number: int) -> None:
    kept: dict[str, Field] = {NAME: population.name, PLACE: single(number)}
    into = [
        (place, part)
        for place, part in enumerate(sketch.network.projections)
        if part.target == population.name and not (sketch.folded and part.source == ONE)
    ]
    if type(population.neurons) is Linear:
        _linear(sketch, population, number, kept, into)
        return
    cell = cell_of(population, sketch.network.dt_ms)
    sketch.cells[population.name] = cell
    link = Link(cell.kind, cell.fields, {**kept, **cell.kept})
    sketch.add(population.name, link, (number, np.inf))
    ends = [_projection(sketch, part, place, number, only=len(into) == 1 and not np.any(cell.bias))
            for place, part in into]  # fmt: skip
    biased(sketch, population.name, number, cell.bias, ends)


def _linear(
    sketch: Sketch,
    population: Population,
    number: int,
    kept: dict[str, Field],
    into: list[tuple[int, Projection]],
) -> None:
    """A linear unit: the weights that all that arrives passes, or a sum of several."""
    name, bias = population.name, np.asarray(population.neurons.bias)  # type: ignore[attr-defined]
    if not into:
        source = some_input(sketch)
        link = matrix_node(name, np.zeros((bias.size, sketch.size(source))))
        hang_on(sketch, name, Link("Affine", {**link.fields, "bias": bias}, kept), number)
        return
    shared = of_linear(sketch.network, [part for _, part in into])
    if shared is None:
        link = Link("Scale", {"scale": np.ones(population.size)}, kept)
        sketch.add(name, link, (number, np.inf))
        ends = [_projection(sketch, part, place, number, only=False) for place, part in into]
        biased(sketch, name, number, bias, ends)
        return
    weights, arriving = shared
    place, first = into[0]
    kept |= {PROJECTION: first.name, PROJECTION_PLACE: single(place)}
    silent = silent_bias(sketch, first)
    link = matrix_link(name, weights, biased=bool(silent) or bool(np.any(bias)))
    link.kept.update(kept)
    sketch.add(name, with_bias(link, bias, silent), (number, np.inf))
    for part, steps in arriving:
        start = _filtered(sketch, part, number)
        if silent is not None:
            sketch.silent.append((start, name))
        if start != part.source:
            sketch.edges.append((start, name))
        _joined(sketch, part, start, (start, name), steps)


def _filtered(sketch: Sketch, part: Projection, number: int) -> str:
    """What a projection into a linear unit begins with: its source, or the filter behind that."""
    nodes = filter_nodes(f"projection {part.name}", part.filter, sketch.network.dt_ms)
    if not nodes:
        return part.source
    nodes[0].kept[NAME] = title = f"{part.name}_filter"
    return sketch.add(f"{part.name}.filter", nodes[0], (number, 0.0), title)


def _projection(
    sketch: Sketch, part: Projection, place: int, number: int, *, only: bool
) -> list[str]:
    """The nodes of a projection into a population, with their edges; their keys."""
    silent = silent_bias(sketch, part)
    links = chain_of(part, sketch.network.dt_ms, biased=bool(silent))
    kept: dict[str, Field] = {PROJECTION: part.name, PROJECTION_PLACE: single(place)}
    linear = _is_linear(sketch, part.source)
    if not links and only and part.source != part.target and not linear:
        # It arrives as it is, and nothing else does: no node is needed.
        sketch.parts[part.target].link.kept.update(kept)
    elif not links or (linear and links[0].kind not in LINEAR):
        # A linear unit that led to others at once would be read as their weights.
        links.insert(0, Link("Scale", {"scale": np.ones(part.shape[1])}))
    weights = [link for link in links if link.kind in ("Linear", "Scale")][-1:]
    for link in weights:
        link.kept.update(kept)
    keys = []
    for stage, link in enumerate(links):
        title = part.name if link in weights else f"{part.name}_{_WORDS[link.kind]}"
        if link not in weights:
            link.kept[NAME] = title
        whole = with_bias(link, np.zeros(1), silent) if link in weights else link
        keys.append(sketch.add(f"{part.name}.{stage}", whole, (number, place, stage), title))
    way = [part.source, *keys, part.target]
    if silent is not None:
        sketch.silent.append((way[-2], way[-1]))
    sketch.edges += list(pairwise(way[1:]))
    steps = part.delays + sketch.network.filter_lag_steps(part)
    _joined(sketch, part, way[1], (way[-2], way[-1]), steps)
    return keys


def _is_linear(sketch: Sketch, source: str) -> bool:
    """Whether a source is a linear unit."""
    if sketch.network.is_input(source):
        return False
    return type(sketch.network.population(source).neurons) is Linear


def _joined(sketch: Sketch, part: Projection, first: str, last: Edge, steps: Steps) -> None:
    """The edge from the source, with its delay.

    Args:
        sketch: What is drawn.
        part: The projection.
        first: The node that its source leads to; its source, where it leads to its target at once.
        last: The edge into its target, which may take a step.
        steps: (pre,) by how many steps it acts later.
    """
    edge = last if first == part.source else (part.source, first)
    sketch.edges.append(edge)
    # A loop of linear units alone has no state that could take its step.
    stateless = _is_linear(sketch, part.source) and _is_linear(sketch, part.target)
    if np.all(steps == 1) and not stateless and not sketch.network.is_input(part.source):
        sketch.back[last] = edge
    elif np.any(steps):
        sketch.delay(edge, steps)
