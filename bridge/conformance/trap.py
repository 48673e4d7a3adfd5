"""A graph of the table with its input, and the layer that most of them are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.conformance.graphs import affine, graph, numbers, ports
from bridge.exchange.nir.file import Array, Graph, Node

STEPS, TRIALS = 60, 2
INPUTS, NEURONS = 3, 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Trap:
    """A graph with its input.

    Attributes:
        name: Its name in the table.
        what: What it tests.
        graph: The graph; it has one input and one output.
        inputs: (T, B, ...) what drives it: steps, trials, and the shape of its input.
        dt_ms: Time step.
        dt_is_given: Whether importers that take a time step are given it.
    """

    name: str
    what: str
    graph: Graph
    inputs: Array
    dt_ms: float = 0.1
    dt_is_given: bool = True


def drive(seed: int, *shape: int, steps: int = STEPS) -> Array:
    """(T, B, ...) random input from 0 to 1."""
    return numbers(seed, steps, TRIALS, *shape, low=0.0)


def layer(cell: Node, names: Sequence[str] = ("input", "l1_affine", "l2_cell", "output")) -> Graph:
    """One layer of four neurons over three inputs."""
    source, before, middle, sink = names
    weight, bias = numbers(1, NEURONS, INPUTS, low=0.0), numbers(2, NEURONS, low=0.0)
    nodes = {
        source: ports([INPUTS], "Input"),
        before: affine(weight, bias),
        middle: cell,
        sink: ports([NEURONS], "Output"),
    }
    return graph(nodes, " ".join(names))


def of_layer(
    name: str, what: str, cell: Node, *, dt_ms: float = 0.1, dt_is_given: bool = True
) -> Trap:
    """A trap that lies in the neurons of one layer."""
    return Trap(
        name=name,
        what=what,
        graph=layer(cell),
        inputs=drive(7, INPUTS),
        dt_ms=dt_ms,
        dt_is_given=dt_is_given,
    )
