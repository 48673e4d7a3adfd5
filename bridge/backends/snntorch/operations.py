"""The vocabulary of a step on torch tensors."""

from typing import Any

import torch
from torch import Tensor

from bridge.spiking.operations import Operations


class TorchOperations(Operations):
    """The vocabulary on tensors of the precision and device of `like`."""

    def __init__(self, like: Tensor) -> None:
        self._like = like

    def above(self, a: Any, b: Any) -> Any:
        return a > b

    def at_or_above(self, a: Any, b: Any) -> Any:
        return a >= b

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        if not isinstance(a, Tensor) and not isinstance(b, Tensor):
            # Of two Python numbers torch would make its default type, float32.
            a = torch.full_like(self._like, a)
        return torch.where(condition, a, b)

    def floor(self, x: Any) -> Any:
        return torch.floor(x)
