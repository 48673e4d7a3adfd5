"""A block of steps taken one by one, each by the same function: what is compiled is one step."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from bridge.backends.snntorch.block_step import BlockStep
from bridge.backends.snntorch.compiled_block import (
    Advance,
    kick_inputs,
    noise_inputs,
    state_of,
)

Step = Callable[..., object]


class OneStep:
    """A step of a block as a function of all tensors that it reads; some are changed in place.

    Attributes:
        block: The block, of one step.
        names: Of the tensors that the block holds; they come first.
        counts: How many tensors of noise, of kicks and of arrivals follow the step's number.
    """

    def __init__(self, block: BlockStep) -> None:
        # It shares the tensors of the other.
        self.block = copy.copy(block)
        self.block.plan = replace(block.plan, steps=1)
        self.names = list(state_of(block))
        self.counts = noise_inputs(self.block), kick_inputs(self.block), len(block.synapses)

    def __call__(self, *tensors: Tensor) -> tuple[()]:
        """State, step, noise, kicks, and one tensor of arrivals for each projection.

        Where the block spreads spikes itself, that is what arrives now, and holds afterwards what
        will arrive after the lag.
        """
        kept = dict(zip(self.names, tensors, strict=False))
        first, *rest = tensors[len(kept) :]
        noise, kicks, arrivals = ([rest.pop(0) for _ in range(count)] for count in self.counts)
        given = (first, noise, kicks, [[one] for one in arrivals])
        torch.func.functional_call(self.block, kept, given, tie_weights=False)
        return ()

    def state(self) -> list[Tensor]:
        """What the block holds, with room for the values of one step."""
        held = state_of(self.block)
        return [
            tensor.new_zeros((1, *tensor.shape[1:])) if name.endswith(".values") else tensor
            for name, tensor in held.items()
        ]

    def given(self) -> list[Tensor]:
        """Zeros like all that is handed in, in addition to the state."""
        block = self.block
        v = block.neurons[0].v
        column = v.new_zeros((len(v), 1))
        numbers = {
            "none": [],
            "given": [torch.zeros_like(neurons.v) for neurons in block.neurons],
            "counted": [column.to(torch.int32)],
        }
        owners = {neurons.number: neurons for neurons in block.neurons}
        return [
            torch.zeros((), dtype=torch.int32, device=v.device),
            *numbers[block.plan.noise],
            *(torch.zeros_like(column) for _ in range(self.counts[1])),
            *(torch.zeros_like(owners[one.owner].v) for one in block.synapses),
        ]


def one_by_one(block: BlockStep, step: Step) -> Advance:
    """A function that does what `block` does, to the state that it holds, by so many steps.

    Args:
        block: The block.
        step: Does what its `OneStep` does.
    """
    one, steps = OneStep(block), block.plan.steps
    state = one.state()
    rooms = [state[one.names.index(f"neurons.{p}.values")] if neurons.graded else None
             for p, neurons in enumerate(block.neurons)]  # fmt: skip
    noises, pushes, _ = one.counts
    inside = [block.plan.dense and part.source >= 0 for part in block.synapses]

    def advance(
        first: Tensor, noise: list[Tensor], kicks: list[Tensor], arrivals: list[list[Tensor]]
    ) -> None:
        codes = [torch.zeros_like(neurons.fired) for neurons in block.neurons]
        for j in range(steps):
            mine = noise[j * noises :][:noises], kicks[j * pushes :][:pushes]
            due = [each[j % len(each)] for each in arrivals]
            step(*state, first + j, *mine[0], *mine[1], *due)
            for neurons, code, room in zip(block.neurons, codes, rooms, strict=True):
                code.add_(neurons.fired, alpha=2**j)
                if room is not None:
                    neurons.values[j].copy_(room[0])
        for neurons, code in zip(block.neurons, codes, strict=True):
            neurons.fired.copy_(code)
            neurons.busy.copy_(code.amax(dim=1))
        for each, own in zip(arrivals, inside, strict=True):
            if own:
                _turn(each, steps)

    return advance


def _turn(due: Sequence[Tensor], steps: int) -> None:
    """Let what arrives next come first, where each step has put its own in the place it took."""
    if steps % len(due):
        held = [each.clone() for each in due]
        for place, each in enumerate(due):
            each.copy_(held[(place + steps) % len(due)])
