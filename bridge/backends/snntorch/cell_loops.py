"""The course of Spiking Recurrent Cells over time as loops in C++: several times as quick as torch.

The equations are those of `bridge.spiking.neurons.src`, written a second time for the sake of
speed: with a tanh of their own, fused operations and rounding that differs from processor to
processor. Networks are trained by them; what is stored is run by the text of the model alone.
"""

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from bridge.backends import compiler, native_library
from bridge.backends.snntorch.cell_text import TEXT
from bridge.errors import BackendError

_FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-std=c++17", "-fno-math-errno"]
_FLAGS += ["-fno-trapping-math", "-fPIC", "-shared", "-w"]
_KINDS = {torch.float32: "float", torch.float64: "double"}
# The constants of the model that the loops take, (N,) each, one after the other.
CONSTANTS = (
    *("alpha", "rho", "per_rho", "r", "r_s", "z", "new", "z_hyp", "z_dep", "gating", "bias_of_h"),
)


@dataclass(frozen=True)
class Course:
    """What cells do over time.

    Attributes:
        emitted: (T, B, N) what they pass on.
        slope_h: (T, B, N) derivative of what is passed on by the argument of the tanh of h.
        slope_i: (T, B, N) derivative of the bounded current by i.
    """

    emitted: Tensor
    slope_h: Tensor
    slope_i: Tensor


@cache
def _library() -> ctypes.CDLL | None:
    """The loops; None where nothing compiles them."""
    if not compiler.can_compile():
        return None
    try:
        made = native_library.library("cells", TEXT, _FLAGS, _declare, "the cells")
    except BackendError:
        # What torch does is as right, and slower.
        return None
    return made


def _declare(loaded: ctypes.CDLL) -> None:
    pointer, integer, word = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32
    for kind in _KINDS.values():
        advance, turn_back = _functions(loaded, kind)
        advance.restype, advance.argtypes = None, [pointer] * 6 + [integer] * 3 + [word] * 3
        turn_back.restype, turn_back.argtypes = None, [pointer] * 6 + [integer] * 3


def _functions(loaded: ctypes.CDLL, kind: str) -> tuple[Any, Any]:
    return getattr(loaded, f"advance_{kind}"), getattr(loaded, f"turn_back_{kind}")


def available(like: Tensor) -> bool:
    """Whether the loops take tensors of this precision and device here."""
    return like.device.type == "cpu" and like.dtype in _KINDS and _library() is not None


def _pointers(*tensors: Tensor) -> list[int]:
    return [tensor.data_ptr() for tensor in tensors]


def advance(
    current: Tensor,
    constants: Tensor,
    states: tuple[Tensor, Tensor, Tensor],
    *,
    bypass: bool,
    smooth: bool,
    newer: bool,
) -> Course:
    """Run cells over time; see `available`.

    Args:
        current: (T, B, N).
        constants: (11, N), in the order of `CONSTANTS`.
        states: i, h and h_s at the start, (B, N) each.
        bypass: Whether the derivative of max(h, 0) counts as 1 everywhere.
        smooth: Whether the gate is the sigmoid.
        newer: Whether the gate reads the new h.
    """
    steps, trials, size = current.shape
    current, state = current.contiguous(), torch.stack(states).contiguous()
    emitted, slope_h, slope_i = (torch.empty_like(current) for _ in range(3))
    function, _ = _functions(_loops(), _KINDS[current.dtype])
    function(
        *_pointers(current, constants.contiguous(), state, emitted, slope_h, slope_i),
        *(steps, trials * size, size, bypass, smooth, newer),
    )
    return Course(emitted, slope_h, slope_i)


def turn_back(
    gradient: Tensor, slope_h: Tensor, slope_i: Tensor, alpha: Tensor
) -> tuple[Tensor, Tensor]:
    """Derivatives by the current, (T, B, N), and by the bias of each cell, (B, N).

    Args:
        gradient: (T, B, N) derivative by what is passed on.
        slope_h: As a `Course` has it.
        slope_i: The same.
        alpha: (N,) what a step leaves of i.
    """
    steps, trials, size = gradient.shape
    gradient = gradient.contiguous()
    of_current, of_bias = torch.empty_like(gradient), gradient.new_empty((trials, size))
    _, function = _functions(_loops(), _KINDS[gradient.dtype])
    given = (gradient, slope_h, slope_i, alpha.contiguous(), of_current, of_bias)
    function(*_pointers(*given), steps, trials * size, size)
    return of_current, of_bias


def _loops() -> ctypes.CDLL:
    found = _library()
    if found is None:
        raise BackendError("the loops of the cells are not compiled here")
    return found
