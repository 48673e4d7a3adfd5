"""Traps that lie in the order of nodes, in nested graphs and in loops."""

from collections.abc import Iterator

from bridge.conformance.graphs import Part, affine, cuba_lif, graph, lif, numbers, ports
from bridge.conformance.trap import INPUTS, NEURONS, Trap, drive, layer
from bridge.exchange.nir.file import Array, Graph

_BEFORE = affine(numbers(1, NEURONS, INPUTS, low=0.0), 0.25)
_LOOP = numbers(21, NEURONS, NEURONS, low=-2.0, high=2.0)
# Those of the graph, then those inside the nested one.
_ORDERED = "input l1_affine l2_rnn output input l1_cell l2_back output"
_USUAL = "input fc rnn output input lif w_rec output"


def order_traps() -> Iterator[Trap]:
    """All of them."""
    order = "two layers whose names are not in the order of execution"
    yield Trap(name="order", what=order, graph=_two_layers(), inputs=drive(11, INPUTS))
    yield Trap(
        name="port-names",
        what="Input and Output that are not called input and output",
        graph=layer(lif(NEURONS), ("a_source", "b_affine", "c_cell", "d_sink")),
        inputs=drive(7, INPUTS),
    )
    nodes: dict[str, Part] = {
        "input": ports([INPUTS], "Input"),
        "l1_graph": layer(lif(NEURONS)),
        "output": ports([NEURONS], "Output"),
    }
    nested = graph(nodes, "input l1_graph output")
    yield Trap(
        name="nested", what="a layer in a graph of its own", graph=nested, inputs=drive(7, INPUTS)
    )
    for name, what, made in _loops():
        yield Trap(name=name, what=what, graph=made, inputs=drive(17, INPUTS))


def _two_layers() -> Graph:
    nodes = {
        "input": ports([INPUTS], "Input"),
        "z_affine": _BEFORE,
        "y_cell": lif(NEURONS),
        "b_affine": affine(numbers(2, 2, NEURONS, low=2.0, high=8.0)),
        "a_cell": lif(2),
        "output": ports([2], "Output"),
    }
    return graph(nodes, "input z_affine y_cell b_affine a_cell output")


def _loops() -> Iterator[tuple[str, str, Graph]]:
    unordered = "named as exporters do, not in the order of execution"
    flat = "input l1_affine l2_rnn.l1_cell l2_rnn.l2_back output"
    yield "flat-loop", "a loop in the graph itself", _flat_loop(flat)
    what = f"a loop in the graph itself, {unordered}"
    yield "flat-order", what, _flat_loop("input fc rnn.lif rnn.w_rec output")
    yield "nested-loop", "a loop in a graph of its own", _nested_loop(_ORDERED)
    what = f"a loop in a graph of its own, {unordered}"
    yield "nested-order", what, _nested_loop(_USUAL)
    bias = numbers(23, NEURONS, low=-2.0, high=1.0)
    what = "a loop with a bias on the way back, which acts in the first step or does not"
    yield "loop-bias", what, _nested_loop(_ORDERED, bias)
    yield "pair-loop", "a loop of two populations", _pair_loop()


def _flat_loop(names: str) -> Graph:
    """CubaLIF over a loop, all nodes in one graph."""
    source, before, cell, back, sink = names.split()
    nodes = {
        source: ports([INPUTS], "Input"),
        before: _BEFORE,
        cell: cuba_lif(NEURONS, v_threshold=4.0),
        back: affine(_LOOP),
        sink: ports([NEURONS], "Output"),
    }
    return graph(nodes, f"{source} {before} {cell} {back} {cell} {sink}")


def _nested_loop(names: str, bias: Array | float = 0.0) -> Graph:
    """The same in a graph of its own, as exporters of recurrent layers write it."""
    source, before, rnn, sink, start, cell, back, end = names.split()
    inside = {
        start: ports([NEURONS], "Input"),
        cell: cuba_lif(NEURONS, v_threshold=4.0),
        back: affine(_LOOP, bias),
        end: ports([NEURONS], "Output"),
    }
    nodes: dict[str, Part] = {
        source: ports([INPUTS], "Input"),
        before: _BEFORE,
        rnn: graph(inside, f"{start} {cell} {back} {cell} {end}"),
        sink: ports([NEURONS], "Output"),
    }
    return graph(nodes, f"{source} {before} {rnn} {sink}")


def _pair_loop() -> Graph:
    nodes = {
        "input": ports([INPUTS], "Input"),
        "l1_affine": _BEFORE,
        "l2_cell": lif(NEURONS),
        "l3_affine": affine(numbers(25, 2, NEURONS, low=2.0, high=8.0)),
        "l4_cell": lif(2),
        "l5_back": affine(numbers(27, NEURONS, 2, low=-12.0, high=2.0)),
        "output": ports([2], "Output"),
    }
    forth = "input l1_affine l2_cell l3_affine l4_cell output"
    return graph(nodes, forth, "l4_cell l5_back l2_cell")
