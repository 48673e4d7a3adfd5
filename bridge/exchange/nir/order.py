"""In which order cells pass on within a step, and which connections of loops take a step.

Within a loop the cells are taken in the order in which input reaches them, by the number of nodes
on the way, and those alike by their names. What leads back in that order, or to the cell itself,
acts in the next step.
"""

import heapq
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from bridge.exchange.nir.units import Arrival, Units


@dataclass(frozen=True, eq=False)
class Order:
    """The order of the cells of a graph."""

    units: Units

    def reach(self, name: str, way: tuple[str, ...] = ()) -> frozenset[str]:
        """The cells whose output reaches a unit without a delay, over linear units or at once.

        Raises:
            FormatError: linear units alone form a loop.
        """
        if name in self._reached:
            return self._reached[name]
        if name in way:
            loop = " to ".join((*way[way.index(name) :], name))
            raise self.units.place(name).error(f"lies in a loop without a state, {loop}")
        found: set[str] = set()
        for arrival in self.arrivals(name):
            if not np.any(arrival.delays == 0):
                continue
            if arrival.source in self.units.cells:
                found.add(arrival.source)
            elif arrival.source in self.units.linear and arrival.source != name:
                found |= self.reach(arrival.source, (*way, name))
            elif arrival.source in self.units.linear:
                raise self.units.place(name).error("lies in a loop without a state, to itself")
        self._reached[name] = frozenset(found)
        return self._reached[name]

    @cached_property
    def _reached(self) -> dict[str, frozenset[str]]:
        return {}

    def arrivals(self, name: str) -> list[Arrival]:
        """What arrives at a unit."""
        if name not in self._arrivals:
            self._arrivals[name] = self.units.arrivals(name)
        return self._arrivals[name]

    @cached_property
    def _arrivals(self) -> dict[str, list[Arrival]]:
        return {}

    @cached_property
    def depth(self) -> Mapping[str, int]:
        """How many edges input passes to each node; those that it does not reach come last."""
        graph = self.units.graph
        left = list(self.units.inputs)
        found = dict.fromkeys(left, 0)
        for name in left:
            for target in graph.targets(name):
                if target not in found:
                    found[target] = found[name] + 1
                    left.append(target)
        return {name: found.get(name, len(graph.nodes)) for name in graph.nodes}

    @cached_property
    def _loops(self) -> Mapping[str, int]:
        """The number of the loop, or of the knot of loops, that each cell lies in."""
        cells = self.units.cells
        number = {name: place for place, name in enumerate(cells)}
        pairs = [(number[a], number[b]) for b in cells for a in self.reach(b)]
        shape = (len(cells), len(cells))
        if not pairs:
            return number
        matrix = sparse.coo_array((np.ones(len(pairs)), tuple(zip(*pairs, strict=True))), shape)
        _, knots = csgraph.connected_components(matrix.tocsr(), connection="strong")
        return {name: int(knots[number[name]]) for name in cells}

    def late(self, source: str, target: str) -> bool:
        """Whether what a cell emits acts on another in the next step."""
        if self._loops[source] != self._loops[target]:
            return False
        return (self.depth[source], source) >= (self.depth[target], target)


def in_acting_order(within: Mapping[str, Set[str]], depth: Mapping[str, float]) -> list[str]:
    """Populations, each after those that act on it within the step.

    Of those that may be next it is the least deep, and of these the first by its name.

    Args:
        within: The populations that act on each within the step.
        depth: By how many edges input reaches each, or its place where that is known.
    """
    waits = {name: set(sources) for name, sources in within.items()}
    behind: dict[str, list[str]] = {name: [] for name in within}
    for name, sources in within.items():
        for source in sources:
            behind[source].append(name)
    ready = [(depth[name], name) for name, sources in waits.items() if not sources]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        _, first = heapq.heappop(ready)
        order.append(first)
        for name in behind[first]:
            waits[name].discard(first)
            if not waits[name]:
                heapq.heappush(ready, (depth[name], name))
    return order
