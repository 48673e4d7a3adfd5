"""A run of a PyTorch module: on which inputs, how it is called, what it returns."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.errors import SpecError
from bridge.exchange.leaky_parts import Parts
from bridge.exchange.torch_untouched import untouched
from bridge.rate.plain_arrays import numbers
from bridge.spiking.essentials import essentials, several

Array = NDArray[np.float64]
Forward = Callable[[Tensor], Any]

# What the code of a module raises where its input does not suit it.
FAILURES = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError)

_SAMPLES, _TRIALS = 24, 4


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a module is run, and on what.

    Attributes:
        module: The user's, or a copy of it.
        bare: The parts of a module that is an nn.RNN or an nn.RNNCell itself, which are run with
            their readout; None: the module is called.
        forward: What is called in its place, if a user says so.
        given: Inputs as the module takes them; None: they are drawn.
        batch_first: Whether trials come first there; None: whichever fits.
    """

    module: nn.Module
    bare: Parts | None = None
    forward: Forward | None = None
    given: Any = None
    batch_first: bool | None = None

    __repr__ = essentials

    def in_float64(self) -> "Trial | None":
        """The same of a copy of the module in float64; None where there can be no such copy."""
        if self.forward is not None or _dtype(self.module) is torch.float64:
            return None
        try:
            return replace(self, module=copy.deepcopy(self.module).double())
        except FAILURES:
            return None

    def inputs(self, channels: int, *, batch_first: bool) -> tuple[Tensor, str]:
        """(T, B, C) inputs, and what they are.

        Raises:
            SpecError: those that are given have other channels, or are not numbers.
        """
        if self.given is None:
            rng = np.random.default_rng(0)
            array, origin = rng.standard_normal((_SAMPLES, _TRIALS, channels)), "drawn"
        else:
            array, origin = _given(self.given, channels, batch_first=batch_first), "given"
        told = (several(array.shape[1], "trial"), several(array.shape[0], "sample"))
        said = f"{' of '.join(told)} that were {origin}"
        return torch.tensor(array, dtype=_dtype(self.module)), said

    def returned(self, inputs: Tensor) -> list[Tensor]:
        """The tensors that the module returns for inputs in its layout; it remains as it was."""
        forward = self.forward or (self.module if self.bare is None else self._layer(self.bare))
        with untouched(self.module):
            return list(_tensors(forward(inputs.contiguous())))

    def _layer(self, parts: Parts) -> Forward:
        """A bare layer with its first state and its readout."""
        module, run = self.module, _cell if isinstance(self.module, nn.RNNCell) else _rnn
        first = next(iter(parts.start.values()), None)
        start, weights, bias = (
            None if each is None else torch.tensor(numbers("part", each), dtype=_dtype(module))
            for each in (first, parts.w_out, parts.b_out)
        )

        def forward(inputs: Tensor) -> Tensor:
            states = run(module, inputs, start)
            return states if weights is None else nn.functional.linear(states, weights, bias)

        return forward


def _dtype(module: nn.Module) -> torch.dtype:
    """That of its weights."""
    return next((value.dtype for value in module.parameters()), torch.float32)


def _given(given: Any, channels: int, *, batch_first: bool) -> Array:
    """(T, B, C) from the inputs of one trial or of several, as the module takes them."""
    array = numbers("check", given)
    if array.ndim == 2:
        array = array[None] if batch_first else array[:, None]
    if array.ndim != 3 or array.shape[2] != channels or 0 in array.shape:
        raise SpecError(
            f"check: expected inputs of {several(channels, 'channel')}, (samples, trials, channels)"
            f" as the module takes them, got shape {numbers('check', given).shape}"
        )
    if not np.isfinite(array).all():
        raise SpecError("check: holds NaN or infinite values")
    return array.transpose(1, 0, 2) if batch_first else array


def _rnn(rnn: Any, inputs: Tensor, start: Tensor | None) -> Tensor:
    trials = inputs.shape[0 if rnn.batch_first else 1]
    first = None if start is None else start.reshape(1, 1, -1).expand(1, trials, -1).contiguous()
    states: Tensor = rnn(inputs, first)[0]
    return states


def _cell(cell: Any, inputs: Tensor, start: Tensor | None) -> Tensor:
    state = None if start is None else start.reshape(1, -1).expand(inputs.shape[1], -1)
    states = []
    for sample in inputs:
        state = cell(sample, state)
        states.append(state)
    return torch.stack(states)


def _tensors(given: Any) -> Iterator[Tensor]:
    """Those that a module returns, alone, in tuples or under names."""
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))
    elif isinstance(given, tuple | list):
        for each in given:
            yield from _tensors(each)
