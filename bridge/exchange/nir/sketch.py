"""Nodes and edges, before they have the names and the form of a NIR file."""

from dataclasses import dataclass, field

import numpy as np

from bridge.exchange.nir.chains import Link
from bridge.exchange.nir.file import Array
from bridge.exchange.nir.populations import Cell
from bridge.exchange.nir.sums import Steps
from bridge.spiking.network import SpikingNetwork

Edge = tuple[str, str]
Rank = tuple[float, ...]


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
