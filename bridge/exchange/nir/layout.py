"""A sketch as a NIR graph: nodes named in the order in which they act, loops nested or delayed.

HDF5 gives nodes in alphabetical order, and some readers run them so. A population with one loop
over weights is a graph of its own, which is the form that readers know. Where a loop takes its
step NIR does not say; where our own reading is another one than the network's, a delay says it.
"""

import heapq
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from bridge.exchange.nir.file import Graph, Node
from bridge.exchange.nir.flat import flattened
from bridge.exchange.nir.nodes import CELLS, LINEAR
from bridge.exchange.nir.order import Order
from bridge.exchange.nir.shapes import shapes_of
from bridge.exchange.nir.sketch import Edge, Sketch
from bridge.exchange.nir.units import Units

_LONGEST_TITLE = 60
# No part of a sketch is called so.
_IN, _OUT = "<input>", "<output>"


@dataclass(frozen=True, eq=False)
class Layout:
    """A graph, and where each part of the sketch is in it, by its whole name."""

    graph: Graph
    names: Mapping[str, str]


def laid_out(sketch: Sketch) -> Layout:
    """The graph in which every loop takes its step where the network has it."""
    while True:
        layout = _layout(sketch)
        wrong = _misread(sketch, layout)
        if not wrong:
            return layout
        for edge in wrong:
            first = sketch.back.pop(edge)
            size = _size(sketch, first[0])
            sketch.delay(first, np.ones(size, dtype=np.int64))


def _size(sketch: Sketch, key: str) -> int:
    """How many numbers a node gives."""
    fields = sketch.parts[key].link.fields
    if sketch.parts[key].link.kind in ("Linear", "Affine"):
        return int(fields["weight"].shape[0])
    return int(next(iter(fields.values())).size)


def _layout(sketch: Sketch) -> Layout:
    nests = _nests(sketch)
    inside = {key: cell for cell, keys in nests.items() for key in (cell, *keys)}
    items = _in_order(sketch, inside)
    titles = _numbered([sketch.parts[key].title for key in items])
    names = dict(zip(items, titles, strict=True))
    nodes: dict[str, Node | Graph] = {}
    for key, title in names.items():
        nodes[title] = _nested(sketch, key, nests[key]) if key in nests else _node(sketch, key)
    ends = {key: names[inside.get(key, key)] for key in sketch.parts}
    edges = [
        (ends[a], ends[b])
        for a, b in sketch.edges
        if a not in inside or b not in inside or inside[a] != inside[b]
    ]
    whole = {
        key: f"{ends[key]}.{_inner_names(sketch, inside[key], nests[inside[key]])[key]}"
        if key in inside
        else ends[key]
        for key in sketch.parts
    }
    return Layout(Graph(nodes, tuple(sorted(set(edges)))), whole)


def _numbered(titles: list[str]) -> list[str]:
    """Names whose alphabetical order is this one."""
    width = len(str(len(titles)))
    return [
        f"n{number:0{width}}_{re.sub(r'[^A-Za-z0-9_]', '_', title)[:_LONGEST_TITLE]}"
        for number, title in enumerate(titles, start=1)
    ]


def _node(sketch: Sketch, key: str) -> Node:
    link = sketch.parts[key].link
    return Node(link.kind, link.fields, kept=link.kept)


def _inner_names(sketch: Sketch, cell: str, keys: list[str]) -> dict[str, str]:
    titles = ["input", *(sketch.parts[key].title for key in (cell, *keys)), "output"]
    return dict(zip([_IN, cell, *keys, _OUT], _numbered(titles), strict=True))


def _nested(sketch: Sketch, cell: str, keys: list[str]) -> Graph:
    """A population with its loop, between an input and an output."""
    names = _inner_names(sketch, cell, keys)
    shape = {"shape": np.array([_size(sketch, cell)])}
    nodes: dict[str, Node | Graph] = {names[_IN]: Node("Input", shape)}
    nodes |= {names[key]: _node(sketch, key) for key in (cell, *keys)}
    nodes[names[_OUT]] = Node("Output", shape)
    loop = [(a, b) for a, b in sketch.edges if {a, b} <= {cell, *keys}]
    edges = [(_IN, cell), *loop, (cell, _OUT)]
    return Graph(nodes, tuple((names[a], names[b]) for a, b in edges))


def _nests(sketch: Sketch) -> dict[str, list[str]]:
    """The weights of each population that has one loop of its own, over them alone."""
    into: dict[str, list[str]] = {}
    out: dict[str, list[str]] = {}
    for source, target in sketch.edges:
        into.setdefault(target, []).append(source)
        out.setdefault(source, []).append(target)
    found: dict[str, list[str]] = {}
    for key, part in sketch.parts.items():
        private = len(into.get(key, [])) == len(out.get(key, [])) == 1
        if part.link.kind not in ("Linear", "Affine") or not private:
            continue
        (cell,) = into[key]
        if out[key] == [cell] and (key, cell) in sketch.back and len(into[cell]) > 1:
            found.setdefault(cell, []).append(key)
    return {cell: keys for cell, keys in found.items() if len(keys) == 1}


def _in_order(sketch: Sketch, inside: Mapping[str, str]) -> list[str]:
    """Parts, or the populations that stand for nested graphs, as they act one after the other."""
    item = {key: inside.get(key, key) for key in sketch.parts}
    pairs = {(item[a], item[b]) for a, b in sketch.edges if item[a] != item[b]}
    soft = {(item[a], item[b]) for a, b in sketch.back}
    soft |= {(item[a], item[b]) for a, b in sketch.edges if sketch.parts[a].link.kind == "Delay"}
    knots = _knots(list(dict.fromkeys(item.values())), pairs)
    hard = {pair for pair in pairs if pair not in soft or knots[pair[0]] != knots[pair[1]]}
    waits: dict[str, set[str]] = {key: set() for key in item.values()}
    behind: dict[str, list[str]] = {key: [] for key in item.values()}
    for source, target in hard:
        waits[target].add(source)
        behind[source].append(target)
    ready = [(sketch.parts[key].rank, key) for key in waits if not waits[key]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, key = heapq.heappop(ready)
        order.append(key)
        for target in behind[key]:
            waits[target].discard(key)
            if not waits[target]:
                heapq.heappush(ready, (sketch.parts[target].rank, target))
    return order


def _knots(keys: list[str], pairs: Set[Edge]) -> dict[str, int]:
    """The number of the knot of loops that each lies in."""
    number = {key: place for place, key in enumerate(keys)}
    rows = [number[a] for a, _ in pairs]
    columns = [number[b] for _, b in pairs]
    shape = (len(keys), len(keys))
    matrix = sparse.coo_array((np.ones(len(pairs)), (rows, columns)), shape)
    _, knots = csgraph.connected_components(matrix.tocsr(), connection="strong")
    return {key: int(knots[number[key]]) for key in keys}


def _misread(sketch: Sketch, layout: Layout) -> list[Edge]:
    """The edges that take a step in the network and none as we read the graph, or keep others off.

    Where our reading takes a step that the network does not, the loop's other steps need nodes.
    """
    flat = flattened(_bare(layout.graph), "")
    order = Order(Units(flat, shapes_of(flat, []), sketch.network.dt_ms))
    names = layout.names
    cells = [key for key, part in sketch.parts.items() if part.link.kind in CELLS]
    knots = _knots(list(sketch.parts), set(sketch.edges))
    wrong: dict[Edge, None] = {}
    into: dict[str, list[Edge]] = {key: [] for key in sketch.parts}
    for edge in sketch.edges:
        into[edge[1]].append(edge)
    for target in sketch.parts:
        kind = sketch.parts[target].link.kind
        if kind in LINEAR:
            continue
        for source, back in _ways(sketch, target, into):
            late = (
                kind in CELLS and source in cells and bool(order.late(names[source], names[target]))
            )
            if back and not (late and len(back) == 1):
                wrong |= dict.fromkeys(back[1:] if late else back)
            elif late and not back:
                wrong |= dict.fromkeys(
                    (a, b) for a, b in sketch.back if knots[a] == knots[b] == knots[target]
                )
    return list(wrong)


def _bare(graph: Graph) -> Graph:
    """A graph without its metadata, which cost time to read."""
    nodes = {
        name: _bare(part) if isinstance(part, Graph) else Node(part.kind, part.fields)
        for name, part in graph.nodes.items()
    }
    return Graph(nodes, graph.edges)


def _ways(
    sketch: Sketch, target: str, into: Mapping[str, list[Edge]]
) -> list[tuple[str, tuple[Edge, ...]]]:
    """The cells, inputs and delays that reach a part over weights, each with the steps it takes.

    Weights with a bias, too: as we read a step it is between cells, and what does not come from one
    acts at once. The bias is that of what the weights lead to, so that their own step is not its.
    """
    found: dict[tuple[str, tuple[Edge, ...]], None] = {}
    left: list[tuple[str, tuple[Edge, ...]]] = [(target, ())]
    while left:
        key, back = left.pop()
        for edge in into[key]:
            taken = (*back, edge) if edge in sketch.back else back
            if sketch.parts[edge[0]].link.kind in LINEAR:
                left.append((edge[0], taken))
                if np.any(sketch.parts[edge[0]].link.fields.get("bias", 0.0)):
                    found[edge[0], back] = None
            else:
                found[edge[0], taken] = None
    return list(found)
