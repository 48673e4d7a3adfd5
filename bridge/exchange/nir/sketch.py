"""A network as nodes and edges, before they have the names and the form of a NIR file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from bridge.exchange.nir.chains import Link, chain_of, filter_nodes, matrix_link, matrix_node
from bridge.exchange.nir.file import Array
from bridge.exchange.nir.metadata import (
    BIAS_ALONE,
    BIAS_PLACE,
    NAME,
    PLACE,
    PROJECTION,
    PROJECTION_PLACE,
    Field,
    single,
)
from bridge.exchange.nir.network import ONE
from bridge.exchange.nir.nodes import LINEAR
from bridge.exchange.nir.populations import Cell, cell_of
from bridge.exchange.nir.sums import Steps, of_linear
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

Edge = tuple[str, str]
Rank = tuple[float, ...]
# What is not the weights of a projection.
_WORDS = {"LI": "filter", "CubaLI": "filter", "Linear": "factor", "Scale": "sum"}


@dataclass(frozen=True, eq=False)
class Part:
    """A node to be.

    Attributes:
        link: Its type, its fields, and what is kept in its metadata.
        title: What it is called in the file, without its number.
        rank: Its place in the order of the network.
    """

    link: Link
    title: str
    rank: Rank


@dataclass(eq=False)
class Sketch:
    """Nodes by keys of their own, and edges between them.

    Attributes:
        network: What is drawn.
        folded: Whether the unit that keeps biases silent in the first step is these biases again.
        parts: Nodes; populations and inputs have their names as keys.
        edges: Pairs of keys.
        back: Those edges into a population that take a step, without a node for it, each with the
            edge on the same way on which a node for it would have to stand.
        silent: The edges behind which there is a folded bias; each of them is to take a step.
        cells: What became of populations other than linear units.
        added: What is there for a bias alone, in words.
    """

    network: SpikingNetwork
    folded: bool
    parts: dict[str, Part] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    back: dict[Edge, Edge] = field(default_factory=dict)
    silent: list[Edge] = field(default_factory=list)
    cells: dict[str, Cell] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)

    def add(self, key: str, link: Link, rank: Rank, title: str = "") -> str:
        """A node."""
        self.parts[key] = Part(link, title or key, rank)
        return key

    def size(self, key: str) -> int:
        """How many numbers a population or an input gives."""
        if key in self.parts and self.parts[key].link.kind == "Input":
            return int(self.parts[key].link.fields["shape"][0])
        return self.network.population(key).size

    def delay(self, edge: Edge, steps: Steps) -> None:
        """Let what passes an edge come later by whole steps."""
        source, target = edge
        self.edges.remove(edge)
        seconds: Array = np.asarray(steps, dtype=np.float64) * (self.network.dt_ms / 1000.0)
        before = (*self.parts[target].rank, -1.0)
        title = f"{self.parts[target].title}_delay"
        key = f"{source}>{target}"
        # What comes from the same source later still has a delay of its own.
        while key in self.parts:
            key += ">"
        self.add(key, Link("Delay", {"delay": seconds}), before, title)
        self.edges += [(source, key), (key, target)]


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
        _bias_alone(sketch, first, 0, np.zeros(sketch.size(first)))
    return sketch


def may_fold(network: SpikingNetwork) -> bool:
    """Whether a unit that always gives 1 does nothing but keep biases silent in the first step."""
    one = next((part for part in network.populations if part.name == ONE), None)
    if one is None or type(one.neurons) is not Linear or one.size != 1:
        return False
    into = [part for part in network.projections if part.target == ONE]
    names = {part.name: part for part in network.projections}
    return (
        float(np.asarray(one.neurons.bias)[0]) == 1.0
        and not into
        and not any(read.source == ONE for read in network.shown_states)
        and all(_is_bias(part, names) for part in network.projections if part.source == ONE)
    )


def _is_bias(part: Projection, names: dict[str, Projection]) -> bool:
    """Whether a projection from the unit is the bias of another one's weights."""
    of = names.get(part.name.removesuffix("_bias"))
    plain = part.filter.memoryless and not part.within_step and not part.longest_delay_steps
    if of is None or of is part or of.target != part.target:
        return False
    # Behind its weights there must be nothing that would filter a bias of theirs, too.
    return plain and (of.filter.memoryless or of.filter.side == "pre")


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
    _biased(sketch, population.name, number, cell.bias, ends)


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
        source = _some_input(sketch)
        link = matrix_node(name, np.zeros((bias.size, sketch.size(source))))
        _hang_on(sketch, name, Link("Affine", {**link.fields, "bias": bias}, kept), number)
        return
    shared = of_linear(sketch.network, [part for _, part in into])
    if shared is None:
        link = Link("Scale", {"scale": np.ones(population.size)}, kept)
        sketch.add(name, link, (number, np.inf))
        ends = [_projection(sketch, part, place, number, only=False) for place, part in into]
        _biased(sketch, name, number, bias, ends)
        return
    weights, arriving = shared
    place, first = into[0]
    kept |= {PROJECTION: first.name, PROJECTION_PLACE: single(place)}
    silent = _silent_bias(sketch, first)
    link = matrix_link(name, weights, biased=bool(silent) or bool(np.any(bias)))
    link.kept.update(kept)
    sketch.add(name, _with_bias(link, bias, silent), (number, np.inf))
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
    silent = _silent_bias(sketch, part)
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
        whole = _with_bias(link, np.zeros(1), silent) if link in weights else link
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


def _silent_bias(sketch: Sketch, part: Projection) -> tuple[int, Array] | None:
    """The bias that a folded unit gives the weights of a projection, and its place."""
    for place, each in enumerate(sketch.network.projections):
        if sketch.folded and each.source == ONE and each.name == f"{part.name}_bias":
            return place, each.column(0)
    return None


def _with_bias(link: Link, bias: Array, silent: tuple[int, Array] | None) -> Link:
    """Weights with a bias of their own, or with that of a folded unit."""
    if silent is not None:
        place, bias = silent
        link.kept[BIAS_PLACE] = single(place)
    if not np.any(bias):
        return link
    return Link("Affine", {**link.fields, "bias": bias}, link.kept)


def _biased(sketch: Sketch, name: str, number: int, bias: Array, ends: list[list[str]]) -> None:
    """Let the bias of a population come from weights before it."""
    if ends and not np.any(bias):
        return
    for key in _carriers(sketch, ends):
        part = sketch.parts[key]
        fields = {**part.link.fields, "bias": bias}
        sketch.parts[key] = Part(Link("Affine", fields, part.link.kept), part.title, part.rank)
        return
    _bias_alone(sketch, name, number, bias)


def _bias_alone(sketch: Sketch, name: str, number: int, bias: Array) -> None:
    """A bias that hangs on an input, with weights of 0."""
    source = _some_input(sketch)
    weights = matrix_node(name, np.zeros((bias.size, sketch.size(source))))
    key = f"{name}.bias"
    _hang_on(sketch, key, Link("Affine", {**weights.fields, "bias": bias}), number)
    sketch.edges.append((key, name))


def _hang_on(sketch: Sketch, key: str, link: Link, number: int) -> None:
    """Weights of 0 behind an input."""
    link.kept[BIAS_ALONE] = "yes"
    sketch.add(key, link, (number, -1.0), key.replace(".", "_"))
    sketch.edges.append((_some_input(sketch), key))
    sketch.added.append(key.split(".")[0])


def _carriers(sketch: Sketch, ends: list[list[str]]) -> Iterator[str]:
    """Weights that lead to a population at once, those that close a loop last."""
    found = [keys[-1] for keys in ends if keys and sketch.parts[keys[-1]].link.weighs]
    closing = {source for source, _ in sketch.back}
    yield from (key for key in found if key not in closing)
    if not sketch.folded:
        yield from (key for key in found if key in closing)


def _some_input(sketch: Sketch) -> str:
    """An input that a bias may hang on; a new one of one channel, where there is none."""
    for each in sketch.network.inputs:
        return each.name
    key = "no input"
    if key not in sketch.parts:
        link = Link("Input", {"shape": np.array([1])}, {BIAS_ALONE: "yes"})
        sketch.add(key, link, (-1.0, 0.0), "none")
    return key
