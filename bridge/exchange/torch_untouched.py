"""A PyTorch module that runs and is afterwards as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Run a module within this in evaluation mode, without gradients.

    Its mode, parameters, buffers, the tensors and lists among its attributes (hidden states that it
    keeps) and torch's random numbers are then as before.
    """
    attributes = [(part, dict(part.__dict__)) for part in module.modules()]
    held = [value for _, values in attributes for value in values.values()]
    groups = [(group, list(group.items())) for group in held if isinstance(group, dict)]
    lists = [(each, list(each)) for each in held if isinstance(each, list)]
    inside: list[Any] = [value for _, items in groups for _, value in items]
    inside += held + [value for _, items in lists for value in items]
    tensors = [(each, each.detach().clone()) for each in inside if isinstance(each, Tensor)]
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            module.eval()
            yield
    finally:
        for part, values in attributes:
            part.__dict__.clear()
            part.__dict__.update(values)
        for group, items in groups:
            group.clear()
            group.update(items)
        for each, values_in in lists:
            each[:] = values_in
        _put_back(tensors)


def _put_back(tensors: list[tuple[Tensor, Tensor]]) -> None:
    with torch.no_grad():
        for tensor, before in tensors:
            # Each write counts as a change, by which gradients that were kept would be lost.
            if not torch.equal(tensor, before):
                tensor.copy_(before)
