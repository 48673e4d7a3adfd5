"""A block of steps in one CUDA graph, where calls would take longer than what they do."""

import torch
from torch import Tensor

from bridge.backends.cuda_graphs import InGraph
from bridge.backends.snntorch.block_step import BlockStep
from bridge.backends.snntorch.compiled_block import (
    Advance,
    arrival_inputs,
    kick_inputs,
    noise_inputs,
)


def in_one_graph(block: BlockStep, work: Advance | None = None) -> Advance:
    """A function that does what `block` does, to the state that `block` holds.

    Args:
        block: The block.
        work: Does the same; None: the block itself.
    """
    taken = work or block
    counts = (noise_inputs(block), kick_inputs(block), *arrival_inputs(block))

    def steps(first: Tensor, *given: Tensor) -> None:
        rest = list(given)
        noise, kicks, *arrivals = ([rest.pop(0) for _ in range(count)] for count in counts)
        taken(first, noise, kicks, arrivals)

    graph = InGraph(steps)

    def advance(
        first: Tensor, noise: list[Tensor], kicks: list[Tensor], arrivals: list[list[Tensor]]
    ) -> None:
        flat = [one for steps in arrivals for one in steps]
        graph(first, *noise, *kicks, *flat)
        if block.plan.dense and flat:
            # What the block spreads itself, it has brought up to date.
            torch._foreach_copy_(flat, graph.fixed[-len(flat) :])

    return advance
