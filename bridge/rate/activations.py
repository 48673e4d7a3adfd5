"""The activations in torch, with their slopes, in memory handed in.

What each of them is, `bridge.rate.plain_activations` says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from bridge.rate.plain_activations import HIGHEST_RATE


@dataclass(frozen=True)
class Activation:
    """r = phi(x) and phi'(x).

    Attributes:
        rates: Fills its second argument with phi of its first.
        slopes: Fills its second argument with phi'(x), from the rates r alone, its first.
    """

    rates: Callable[[Tensor, Tensor], object]
    slopes: Callable[[Tensor, Tensor], object]


def _sigmoid(x: Tensor, r: Tensor) -> None:
    torch.sigmoid(x, out=r)


def _sigmoid_slopes(r: Tensor, out: Tensor) -> None:
    torch.addcmul(r, r, r, value=-1, out=out)


def _softplus(x: Tensor, r: Tensor) -> None:
    torch.logaddexp(x, x.new_zeros(()), out=r).clamp_(max=HIGHEST_RATE)


def _softplus_slopes(r: Tensor, out: Tensor) -> None:
    # r = log(1 + e^x) has the slope 1 - e^-r; where it is clipped it has none.
    torch.neg(r, out=out).expm1_().neg_().mul_(r < HIGHEST_RATE)


def _relu(x: Tensor, r: Tensor) -> None:
    torch.clamp(x, 0.0, HIGHEST_RATE, out=r)


def _relu_slopes(r: Tensor, out: Tensor) -> None:
    out.copy_((r > 0) & (r < HIGHEST_RATE))


def _tanh(x: Tensor, r: Tensor) -> None:
    torch.tanh(x, out=r)


def _tanh_slopes(r: Tensor, out: Tensor) -> None:
    torch.mul(r, r, out=out).neg_().add_(1.0)


TORCH_ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "sigmoid": Activation(_sigmoid, _sigmoid_slopes),
        "softplus": Activation(_softplus, _softplus_slopes),
        "relu": Activation(_relu, _relu_slopes),
        "tanh": Activation(_tanh, _tanh_slopes),
    }
)
