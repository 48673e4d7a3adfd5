"""What of a graph becomes neurons: cells, and linear nodes whose sums others need one by one.

A linear node that leads to cells alone is weights of the projections into them, and its bias is
theirs. Where its sums are multiplied further, delayed or put out, it is a population of linear
units. What merely passes on, Flatten and the doors of nested graphs, is nothing of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bridge.exchange.nir.flat import Flat
from bridge.exchange.nir.maps import Map, Shape, map_of, spread
from bridge.exchange.nir.nodes import CELLS, LINEAR, PASSING, Place
from bridge.spiking.limits import LONGEST_DELAY_STEPS

Steps = NDArray[np.int64]
# Of a delay that is stored in float32, relative to a step.
_WHOLE = 1e-4


@dataclass(frozen=True, eq=False)
class Arrival:
    """What arrives at a unit from another.

    Attributes:
        source: Name of the unit it comes from: an input, a cell or a linear one; "": it is the bias
            of `via`.
        via: The linear node between, whose weights act; "": it arrives as it is.
        delays: (pre,) by how many steps it comes later.
    """

    source: str
    via: str
    delays: Steps


@dataclass(frozen=True, eq=False)
class Units:
    """A graph with the shapes of what arrives, taken apart into units.

    Attributes:
        graph: Its nodes and edges.
        shapes: What arrives at each node.
        dt_ms: Time step, by which delays become whole steps.
    """

    graph: Flat
    shapes: Mapping[str, Shape]
    dt_ms: float

    def place(self, name: str) -> Place:
        """A node."""
        return self.graph.nodes[name]

    def size(self, name: str) -> int:
        """How many numbers a node gives."""
        if self.place(name).kind in LINEAR:
            return int(np.prod(self.map(name).shape))
        return int(np.prod(self.shapes[name]))

    def map(self, name: str) -> Map:
        """What a linear node does."""
        if name not in self._maps:
            self._maps[name] = map_of(self.place(name), self.shapes[name])
        return self._maps[name]

    @cached_property
    def _maps(self) -> dict[str, Map]:
        return {}

    @cached_property
    def inputs(self) -> Mapping[str, str]:
        """The nodes that nothing leads to, each with the name of the input that drives it.

        Others than inputs get one, as NIR's own reader does it.
        """
        roots = [name for name in self.graph.nodes if not self.graph.sources(name)]
        return {
            name: name if self.place(name).kind == "Input" else self._free(name) for name in roots
        }

    def _free(self, name: str) -> str:
        free = f"input_{name}"
        while free in self.graph.nodes:
            free += "_"
        return free

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """The nodes with a state or a threshold."""
        return tuple(name for name, place in self.graph.nodes.items() if place.kind in CELLS)

    @cached_property
    def linear(self) -> frozenset[str]:
        """The linear nodes that are units of their own."""
        return frozenset(
            name
            for name, place in self.graph.nodes.items()
            if place.kind in LINEAR and not self._leads_to_cells(name)
        )

    @cached_property
    def ends(self) -> tuple[str, ...]:
        """The nodes that lead nowhere: outputs, and others, which are shown like them."""
        return tuple(name for name in self.graph.nodes if not self.graph.targets(name))

    def _leads_to_cells(self, name: str) -> bool:
        left, seen = [*self.graph.targets(name)], set[str]()
        if not left:
            return False
        while left:
            target = left.pop()
            kind = self.place(target).kind
            if kind in PASSING and target not in seen:
                seen.add(target)
                further = self.graph.targets(target)
                if not further:
                    return False
                left += further
            elif kind not in CELLS and target not in seen:
                return False
        return True

    def arrivals(self, name: str) -> list[Arrival]:
        """What arrives at a unit, in the order of the edges.

        Raises:
            FormatError: it lies in a loop of nodes without a state.
        """
        kind = self.place(name).kind
        if kind not in CELLS and kind not in LINEAR:
            return list(self._from(name, ()))
        if name in self.inputs:
            found = [self._driven(name)]
        else:
            found = [
                arrival for each in self.graph.sources(name) for arrival in self._from(each, ())
            ]
        return [replace(arrival, via=name) for arrival in found] if kind in LINEAR else found

    def _driven(self, name: str) -> Arrival:
        """What an input gives to a root."""
        size = int(np.prod(self.shapes[name]))
        return Arrival(self.inputs[name], "", np.zeros(size, dtype=np.int64))

    def _from(self, name: str, way: tuple[str, ...]) -> Iterator[Arrival]:
        """What a node passes on to a unit behind it."""
        place = self.place(name)
        if place.kind in CELLS or name in self.linear:
            yield Arrival(name, "", np.zeros(self.size(name), dtype=np.int64))
            return
        if name in way:
            loop = " to ".join((*way[way.index(name) :], name))
            raise place.error(f"lies in a loop without a state, {loop}")
        if name in self.inputs:
            found = [self._driven(name)]
        else:
            sources = self.graph.sources(name)
            found = [a for each in sources for a in self._from(each, (*way, name))]
        for arrival in found:
            if place.kind == "Delay":
                yield replace(arrival, delays=arrival.delays + self._delay(place))
            else:
                yield replace(arrival, via=name) if place.kind in LINEAR else arrival
        if place.kind in LINEAR and self.map(name).bias is not None:
            yield Arrival("", name, np.zeros(0, dtype=np.int64))

    def _delay(self, place: Place) -> Steps:
        """(n,) delays of a node in whole steps."""
        seconds = spread(place, "delay", self.shapes[place.name])
        if np.any(seconds < 0):
            raise place.error(f"delay must not be negative, got {seconds.min():g} s")
        steps = seconds / (self.dt_ms / 1000.0)
        whole = np.round(steps)
        if np.any(np.abs(steps - whole) > _WHOLE * np.maximum(whole, 1.0)):
            worst = int(np.argmax(np.abs(steps - whole)))
            raise place.error(
                f"delay of {seconds[worst]:g} s is not a whole number of steps of {self.dt_ms:g} ms"
            )
        if np.any(whole > LONGEST_DELAY_STEPS):
            raise place.error(
                f"delay of {seconds.max():g} s is longer than {LONGEST_DELAY_STEPS:,} steps"
            )
        return np.asarray(whole, dtype=np.int64)
