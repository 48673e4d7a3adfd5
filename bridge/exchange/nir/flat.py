"""A graph without graphs in it: nested ones are taken apart, and edges lead to nodes that exist."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bridge.errors import FormatError
from bridge.exchange.nir.file import Field, Graph, Node
from bridge.exchange.nir.nodes import Place, checked
from bridge.spiking.values import shown


@dataclass(frozen=True, eq=False)
class Flat:
    """Nodes by name, those of nested graphs as "graph.node", and edges between nodes.

    Attributes:
        nodes: In alphabetical order, as HDF5 has them.
        edges: From a node to a node, in the order of the nodes.
        notes: What a user should know, a sentence each.
        kept: What we kept in the metadata of the whole graph, see `bridge.exchange.nir.metadata`.
    """

    nodes: Mapping[str, Place]
    edges: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    kept: Mapping[str, Field]

    def sources(self, name: str) -> list[str]:
        """Where the edges into a node come from."""
        return self._sources[name]

    def targets(self, name: str) -> list[str]:
        """Where the edges of a node lead."""
        return self._targets[name]

    @cached_property
    def _sources(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            found[target].append(source)
        return found

    @cached_property
    def _targets(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            found[source].append(target)
        return found


def flattened(graph: Graph, file: str) -> Flat:
    """All nodes of a graph and of those in it.

    Raises:
        FormatError: a node is not known or broken, or an edge leads where nothing is.
    """
    notes: list[str] = []
    nodes: dict[str, Place] = {}
    for name, node in _nodes(graph, ""):
        if name in nodes:
            raise FormatError(f"{file}: two nodes are called {shown(name)}")
        nodes[name] = checked(name, node, file)
    edges = set(_edges(graph, "", file, notes))
    told = [name for name, node in _parts(graph, "") if node.metadata]
    if told or graph.metadata:
        where = ", ".join(told[:5]) + (" and others" if len(told) > 5 else "")
        notes.append(f"metadata of {where or 'the graph'} are not kept")
    order = sorted(nodes)
    place = {name: number for number, name in enumerate(order)}
    return Flat(
        {name: nodes[name] for name in order},
        tuple(sorted(edges, key=lambda edge: (place[edge[0]], place[edge[1]]))),
        tuple(notes),
        graph.kept,
    )


def _parts(graph: Graph, above: str) -> Iterator[tuple[str, Node | Graph]]:
    """Every node and every graph inside, by its whole name."""
    for name, part in graph.nodes.items():
        whole = f"{above}{name}"
        yield whole, part
        if isinstance(part, Graph):
            yield from _parts(part, f"{whole}.")


def _nodes(graph: Graph, above: str) -> Iterator[tuple[str, Node]]:
    for name, part in _parts(graph, above):
        if isinstance(part, Node):
            yield name, part


def _edges(graph: Graph, above: str, file: str, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Edges between nodes: one to a graph leads to its input, one from it begins at its output."""
    for source, target in graph.edges:
        ends = {"Output": source, "Input": target}
        found = {
            kind: _end(graph, name, kind, above, (source, target), file, notes)
            for kind, name in ends.items()
        }
        yield found["Output"], found["Input"]
    for name, part in graph.nodes.items():
        if isinstance(part, Graph):
            yield from _edges(part, f"{above}{name}.", file, notes)


def _end(
    graph: Graph,
    name: str,
    kind: str,
    above: str,
    edge: tuple[str, str],
    file: str,
    notes: list[str],
) -> str:
    """The node that an end of an edge means; `kind`: what stands for it where it is a graph."""
    part: Node | Graph | None = graph.nodes.get(name)
    path = name
    if part is None:
        first, _, rest = name.partition(".")
        inside = graph.nodes.get(first)
        if isinstance(inside, Graph) and rest in inside.nodes:
            part, path = inside.nodes[rest], name
    if part is None and isinstance(graph.nodes.get(f"{name}.{kind.lower()}"), Node):
        path = f"{name}.{kind.lower()}"
        notes.append(
            f"edges name {above}{name}, which is not there: {above}{path} is taken, which is"
        )
        part = graph.nodes[path]
    if part is None:
        whole = " -> ".join(f"{above}{each}" for each in edge)
        raise FormatError(
            f"{file}: node {above}{name} is not there, which the edge {whole} needs; there are "
            f"{shown_names(list(graph.nodes))}"
        )
    if isinstance(part, Graph):
        return f"{above}{path}.{_door(part, f'{above}{path}', kind, file)}"
    return f"{above}{path}"


def _door(graph: Graph, name: str, kind: str, file: str) -> str:
    """The one node by which a nested graph is entered or left."""
    doors = [
        each for each, part in graph.nodes.items() if isinstance(part, Node) and part.kind == kind
    ]
    if len(doors) != 1:
        raise FormatError(
            f"{file}: node {name} (NIRGraph): an edge leads to it, and it has {len(doors)} nodes "
            f"of type {kind}; it needs one"
        )
    return doors[0]


def shown_names(names: list[str]) -> str:
    """Names within a sentence, not too many of them."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
