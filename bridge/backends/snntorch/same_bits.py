"""Whether two functions change tensors alike, bit for bit: tried on states drawn by chance."""

from collections.abc import Iterator

import torch
from torch import Tensor

from bridge.backends.snntorch.single_steps import OneStep, Step

# Numbers of the steps that are tried: filters begin late, and neurons are free early or late.
_STEPS = (0, 20)
_SPREAD = 5


def differing(one: OneStep, other: Step) -> int:
    """How many numbers are not the same bits where `other` takes a step in place of `one`.

    All those that are handed in are looked at, of as many neurons and trials as the block has.
    One NaN is as good as another.
    """
    found = 0
    for tensors in drawn(one):
        again = [each.clone() for each in tensors]
        one(*tensors)
        other(*again)
        pairs = zip(tensors, again, strict=True)
        found += int(torch.stack([_unlike(mine, theirs) for mine, theirs in pairs]).sum())
    return found


def drawn(one: OneStep) -> Iterator[list[Tensor]]:
    """Tensors for calls of a step, whose states lie about those that the block holds.

    Neurons are on both sides of their thresholds, and about half of them are free to move.
    """
    device = one.block.neurons[0].v.device
    generator = torch.Generator(device).manual_seed(0)
    for step in _STEPS:
        states = [_state(*each, step, generator) for each in _named(one)]
        for number, neurons in enumerate(one.block.neurons):
            place = one.names.index(f"neurons.{number}.state_{neurons.model.voltage}")
            states[place] = _near(neurons.sharp_threshold, states[place], generator)
        yield [*states, *(_given(each, step, generator) for each in one.given())]


def _named(one: OneStep) -> Iterator[tuple[str, Tensor]]:
    return zip((name.rpartition(".")[2] for name in one.names), one.state(), strict=True)


def _state(field: str, held: Tensor, step: int, generator: torch.Generator) -> Tensor:
    if field == "free_from":
        near = torch.empty_like(held).random_(2 * _SPREAD, generator=generator)
        return near + (step - _SPREAD)
    if field.startswith("state_"):
        width = 1 + held.abs().nan_to_num(0, 0, 0)
        return held + torch.empty_like(held).normal_(generator=generator) * width
    return held.clone()


def _near(threshold: Tensor, v: Tensor, generator: torch.Generator) -> Tensor:
    """Voltages, about half of them near a threshold, which may be far from where they begin."""
    chance = torch.empty_like(v).normal_(generator=generator)
    chosen = (chance > 0) & threshold.isfinite()
    return torch.where(chosen, threshold + (chance - 1) * _SPREAD, v)


def _given(like: Tensor, step: int, generator: torch.Generator) -> Tensor:
    if like.ndim == 0:
        return torch.full_like(like, step)
    if not like.is_floating_point():
        return torch.empty_like(like).random_(-(2**31), 2**31 - 1, generator=generator)
    return torch.empty_like(like).normal_(generator=generator) * _SPREAD


def _unlike(one: Tensor, other: Tensor) -> Tensor:
    """How many numbers of two tensors differ."""
    if not one.is_floating_point():
        return (one != other).sum()
    whole = _WHOLE[one.element_size()]
    alike = (one.view(whole) == other.view(whole)) | (one.isnan() & other.isnan())
    return (~alike).sum()


_WHOLE = {4: torch.int32, 8: torch.int64}
