"""Traps that lie in nodes without a state: what is right does not depend on any neuron."""

from collections.abc import Iterator

from bridge.conformance.graphs import convolution, graph, node, numbers, pool, ports
from bridge.conformance.trap import Trap, drive
from bridge.exchange.nir.file import Node

_SQUARE = (1, 6, 6)
_STEPS = 4


def map_traps() -> Iterator[Trap]:
    """All of them."""
    yield from _convolutions()
    for kind, name in (("SumPool2d", "sum-pool"), ("AvgPool2d", "avg-pool")):
        yield _of(name, f"{kind} with padding", pool(kind, (1, 1)), (2, 4, 4), (2, 3, 3))
    flatten = node("Flatten", {"start_dim": 0, "end_dim": -1})
    yield _of("flatten", "Flatten, which does not count the batch", flatten, (2, 3, 4), (24,))


def _convolutions() -> Iterator[Trap]:
    kernel = numbers(30, 2, 1, 3, 3)
    plain = convolution(kernel, (6, 6))
    yield _of("conv", "Conv2d with a kernel of 3 x 3", plain, _SQUARE, (2, 4, 4))
    wide = convolution(numbers(31, 2, 1, 3, 5), (10, 10))
    yield _of("conv-3x5", "Conv2d with a kernel of 3 x 5", wide, (1, 10, 10), (2, 8, 6))
    groups = convolution(numbers(33, 4, 2, 3, 3), (6, 6), groups=2)
    yield _of("conv-groups", "Conv2d in two groups", groups, (4, 6, 6), (4, 4, 4))
    padded = convolution(kernel, (6, 6), padding=(1, 2))
    what = "Conv2d with another padding for each axis"
    yield _of("conv-padding", what, padded, _SQUARE, (2, 6, 8))
    same = convolution(kernel, (6, 6), padding="same")
    yield _of("conv-same", "Conv2d with padding 'same'", same, _SQUARE, (2, 6, 6))
    unsaid = convolution(kernel, None)
    yield _of("no-shape", "Conv2d without input_shape", unsaid, _SQUARE, (2, 4, 4))


def _of(name: str, what: str, kind: Node, shape: tuple[int, ...], made: tuple[int, ...]) -> Trap:
    """A node of that kind alone, which makes numbers of one shape of those of another."""
    nodes = {"input": ports(shape, "Input"), "l1_map": kind, "output": ports(made, "Output")}
    return Trap(
        name=name,
        what=what,
        graph=graph(nodes, "input l1_map output"),
        inputs=drive(41, *shape, steps=_STEPS),
    )
