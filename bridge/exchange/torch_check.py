"""A rate network held against the forward pass of the PyTorch module that it was read from."""

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
from bridge.rate.network import RateNetwork
from bridge.rate.plain_arrays import numbers
from bridge.spiking.essentials import essentials, several
from bridge.spiking.values import shown

Array = NDArray[np.float64]
Forward = Callable[[Tensor], Any]

TOLERANCE = 1e-5
"""Largest difference of two outputs, of the largest output."""

_DRAWN = (24, 4)
# What the code of a module raises where its input does not suit it.
_FAILURES = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError)


@dataclass(frozen=True, kw_only=True)
class Match:
    """How far a network's outputs are from its module's.

    Attributes:
        difference: The largest, of the largest output.
        lag_samples: How much later the network's outputs come, samples.
        first: Sample and trial of the first difference beyond `TOLERANCE`; None: there is none.
        varies: Whether the module's outputs are not all alike.
        inputs: What they were shown, in words.
    """

    difference: float
    lag_samples: int
    first: tuple[int, int] | None
    varies: bool
    inputs: str

    __repr__ = essentials

    def told(self) -> str:
        """The match in a sentence."""
        lag = f", {several(self.lag_samples, 'sample')} later" if self.lag_samples else ""
        return (
            f"outputs equal the module's to {self.difference:.1e} of the largest{lag}, in "
            f"{self.inputs}"
        )


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a module is run, and on what.

    Attributes:
        module: The user's.
        forward: What is called with inputs in the module's layout.
        given: Inputs in that layout, of three dimensions; None: they are drawn.
        batch_first: Whether trials come first there; None: whichever fits.
    """

    module: nn.Module
    forward: Forward
    given: Any = None
    batch_first: bool | None = None

    __repr__ = essentials


def forward_of(module: nn.Module, layer: nn.Module | None, parts: Parts) -> Forward:
    """How to run a module: by calling it, and a bare nn.RNN or nn.RNNCell with its readout."""
    if layer is not module:
        return module
    weights, bias = _tensor(parts.w_out, module), _tensor(parts.b_out, module)
    run = _cell if isinstance(module, nn.RNNCell) else _rnn
    start = _tensor(next(iter(parts.start.values()), None), module)

    def forward(inputs: Tensor) -> Tensor:
        states = run(module, inputs, start)
        return states if weights is None else nn.functional.linear(states, weights, bias)

    return forward


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


def _tensor(value: Any, module: nn.Module) -> Tensor | None:
    """An array of whatever origin in the module's type."""
    return None if value is None else torch.tensor(numbers("part", value), dtype=dtype_of(module))


def dtype_of(module: nn.Module) -> torch.dtype:
    """That of its weights."""
    return next((value.dtype for value in module.parameters()), torch.float32)


def match(rate: RateNetwork, trial: Trial) -> Match:
    """The network beside its module, in the layout and at the lag at which they are nearest.

    Raises:
        SpecError: the module cannot be run, gives no outputs of this shape or none that vary, or
            the two differ.
    """
    best = _nearest(rate, trial)
    if best.difference <= TOLERANCE:
        if not best.varies:
            raise SpecError(
                f"module: its outputs are all the same in {best.inputs}, which shows nothing of "
                "the network; give inputs that drive it (check=...)"
            )
        return best
    sample, number = best.first or (0, 0)
    raise SpecError(
        f"module: the network read from it has other outputs than its own forward pass, by up to "
        f"{best.difference:.2g} of the largest, first at sample {sample} of trial {number}"
        f"{_hint(rate, trial)}"
    )


def _hint(rate: RateNetwork, trial: Trial) -> str:
    """What would mend it, where that is known."""
    form = "h" if rate.form == "x" else "x"
    for changed, how in (
        ({"form": form}, f"form={form!r} would agree"),
        ({"recurrent": rate.recurrent.T, "excitatory": None}, "recurrent weights turned round"),
    ):
        if _nearest(replace(rate, **changed), trial).difference <= TOLERANCE:
            return f"; {how}{'' if 'form' in changed else ' would agree (orientation)'}"
    return (
        "; its parts, activation, form and time constants must be told as it has them, and no noise"
    )


def _nearest(rate: RateNetwork, trial: Trial) -> Match:
    layouts = (False, True) if trial.batch_first is None else (trial.batch_first,)
    found: list[Match] = []
    reasons = []
    for batch_first in layouts:
        inputs, said = _inputs(rate, trial, batch_first=batch_first)
        laid = inputs.transpose(0, 1) if batch_first else inputs
        try:
            with untouched(trial.module):
                outputs = list(_tensors(trial.forward(laid.contiguous())))
        except _FAILURES as error:
            reasons.append(f"it cannot be run on inputs of shape {tuple(laid.shape)} ({error})")
            continue
        shown_inputs = inputs.double().numpy()
        matches = list(_matches(rate, shown_inputs, outputs, batch_first=batch_first, said=said))
        if not matches:
            shapes = " and ".join(str(tuple(each.shape)) for each in outputs) or "no tensor"
            reasons.append(
                f"of inputs of shape {tuple(laid.shape)} it makes {shapes}, and not "
                f"{len(rate.w_out)} outputs or {rate.size} activities"
            )
        found += matches
    if not found:
        raise SpecError(f"module: {' '.join(reasons[0].split())}")
    return min(found, key=lambda each: each.difference)


def _inputs(rate: RateNetwork, trial: Trial, *, batch_first: bool) -> tuple[Tensor, str]:
    """(T, B, C) inputs, and what they are."""
    if trial.given is None:
        drawn = np.random.default_rng(0).standard_normal((*_DRAWN, rate.input_size))
        array, origin = drawn, "that were drawn"
    else:
        array, origin = numbers("check", trial.given), "that were given"
        array = array[:, None] if array.ndim == 2 and not batch_first else array
        array = array[None] if array.ndim == 2 else array
        if array.ndim != 3 or array.shape[2] != rate.input_size or 0 in array.shape:
            raise SpecError(
                f"check: expected inputs of {several(rate.input_size, 'channel')}, (samples, "
                f"trials, channels) as the module takes them, got shape {np.shape(trial.given)}"
            )
        if not np.isfinite(array).all():
            raise SpecError("check: holds NaN or infinite values")
        array = array.transpose(1, 0, 2) if batch_first else array
    said = f"{several(array.shape[1], 'trial')} of {several(array.shape[0], 'sample')} {origin}"
    return torch.tensor(array, dtype=dtype_of(trial.module)), said


def _tensors(given: Any) -> Iterator[Tensor]:
    """The tensors that a module returns, alone or in tuples."""
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))
    elif isinstance(given, tuple | list):
        for each in given:
            yield from _tensors(each)


def _matches(
    rate: RateNetwork, inputs: Array, returned: list[Tensor], *, batch_first: bool, said: str
) -> Iterator[Match]:
    """Each tensor that may be the outputs, or else the activities, at each lag."""
    steps, trials, _ = inputs.shape
    # One sample more, since the first of a network is of its first state.
    outputs, activity = rate.run(np.concatenate([inputs, np.zeros_like(inputs[:1])]), None)
    for ours in (outputs, activity):
        fitting = []
        for each in returned:
            theirs = each.detach().double().numpy()
            theirs = theirs.swapaxes(0, 1) if batch_first and theirs.ndim == 3 else theirs
            if theirs.shape == (steps, trials, ours.shape[2]):
                fitting.append((theirs, 0))
            elif theirs.shape == (trials, ours.shape[2]):
                # Some modules give only the output at the end.
                fitting.append((theirs[None], steps - 1))
        for theirs, start in fitting:
            for lag in (0, 1):
                mine = ours[start + lag : start + lag + len(theirs)]
                yield _compared(theirs, mine, lag, said)
        if fitting:
            return


def _compared(theirs: Array, mine: Array, lag: int, said: str) -> Match:
    if not np.isfinite(theirs).all():
        raise SpecError(f"module: its own outputs hold {shown(np.nan)} or infinite values")
    scale = float(np.abs(theirs).max()) or 1.0
    differences = np.abs(theirs - mine) / scale
    beyond = np.argwhere(differences.max(axis=2) > TOLERANCE)
    return Match(
        difference=float(differences.max()),
        lag_samples=lag,
        first=(int(beyond[0, 0]), int(beyond[0, 1])) if len(beyond) else None,
        varies=bool(np.ptp(theirs) > TOLERANCE * scale),
        inputs=said,
    )
