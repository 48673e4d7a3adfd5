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
from bridge.errors import BackendError

_FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-std=c++17", "-fno-math-errno"]
_FLAGS += ["-fno-trapping-math", "-fPIC", "-shared", "-w"]
_KINDS = {torch.float32: "float", torch.float64: "double"}
# The constants of the model that the loops take, (N,) each, one after the other.
CONSTANTS = (
    *("alpha", "rho", "per_rho", "r", "r_s", "z", "new", "z_hyp", "z_dep", "gating", "bias_of_h"),
)

_TEXT = r"""
#include <cmath>
#include <cstdint>
#include <cstring>

namespace {
constexpr int64_t CELLS = 128;

// e^x for |x| below 80: the nearest power of two, and the rest by its series.
inline float power(float x)
{
    const float n = std::floor(x * 1.44269504f + 0.5f);
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float s = 1.0f / 5040;
    s = s * r + 1.0f / 720;
    s = s * r + 1.0f / 120;
    s = s * r + 1.0f / 24;
    s = s * r + 1.0f / 6;
    s = s * r + 0.5f;
    s = s * r + 1.0f;
    s = s * r + 1.0f;
    const int32_t bits = ((int32_t)n + 127) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return s * scale;
}

inline float bent(float x)
{
    x = x > 9.0f ? 9.0f : x < -9.0f ? -9.0f : x;
    return 1.0f - 2.0f / (power(2.0f * x) + 1.0f);
}

inline float gate(float x) { return 1.0f / (1.0f + power(x < -60.0f ? 60.0f : -x)); }
inline double bent(double x) { return std::tanh(x); }
inline double gate(double x) { return 1.0 / (1.0 + std::exp(-x)); }

template <typename F, bool SMOOTH> inline F left(F h, F z_hyp, F z_dep, F gating)
{
    if (SMOOTH)
        return z_hyp + gating * gate(F(10) * (h - F(0.5)));
    return h > F(0.5) ? z_dep : z_hyp;
}

// current, emitted, slope_h, slope_i: (steps, all); constants: (11, size); state: (3, all).
template <typename F, bool SMOOTH, bool NEW>
void advance(const F *current, const F *constants, F *state, F *emitted, F *slope_h, F *slope_i,
             int64_t steps, int64_t all, int64_t size, int32_t bypass)
{
    for (int64_t first = 0; first < all; first += CELLS) {
        const int64_t n = all - first < CELLS ? all - first : CELLS;
        F c[11][CELLS], i[CELLS], h[CELLS], slow[CELLS];
        for (int64_t j = 0; j < n; ++j) {
            for (int part = 0; part < 11; ++part)
                c[part][j] = constants[part * size + (first + j) % size];
            i[j] = state[first + j];
            h[j] = state[all + first + j];
            slow[j] = state[2 * all + first + j];
        }
        for (int64_t step = 0; step < steps; ++step) {
            const int64_t at = step * all + first;
            const F *u = current + at;
            F *out = emitted + at, *a = slope_h ? slope_h + at : nullptr;
            F *b = slope_i ? slope_i + at : nullptr;
            for (int64_t j = 0; j < n; ++j) {
                const F integrated = c[0][j] * i[j] + u[j];
                const F q = bent(integrated * c[2][j]);
                const F old = h[j], before = slow[j];
                const F driven = c[1][j] * q + c[3][j] * old + c[4][j] * before + c[10][j];
                const F t = bent(driven);
                const F now = c[5][j] * old + c[6][j] * t;
                const F z = left<F, SMOOTH>(NEW ? now : old, c[7][j], c[8][j], c[9][j]);
                i[j] = integrated;
                h[j] = now;
                slow[j] = z * before + (F(1) - z) * old;
                out[j] = now > F(0) ? now : F(0);
                if (a) {
                    a[j] = bypass || now > F(0) ? c[6][j] * (F(1) - t * t) : F(0);
                    b[j] = F(1) - q * q;
                }
            }
        }
        for (int64_t j = 0; j < n; ++j) {
            state[first + j] = i[j];
            state[all + first + j] = h[j];
            state[2 * all + first + j] = slow[j];
        }
    }
}

// gradient: (steps, all) of what is emitted; of_current: the same of the current; of_bias: (all).
template <typename F>
void turn_back(const F *gradient, const F *slope_h, const F *slope_i, const F *alpha,
               F *of_current, F *of_bias, int64_t steps, int64_t all, int64_t size)
{
    for (int64_t first = 0; first < all; first += CELLS) {
        const int64_t n = all - first < CELLS ? all - first : CELLS;
        F kept[CELLS], later[CELLS], sum[CELLS];
        for (int64_t j = 0; j < n; ++j) {
            kept[j] = alpha[(first + j) % size];
            later[j] = sum[j] = F(0);
        }
        for (int64_t step = steps - 1; step >= 0; --step) {
            const int64_t at = step * all + first;
            const F *g = gradient + at, *a = slope_h + at, *b = slope_i + at;
            F *e = of_current + at;
            for (int64_t j = 0; j < n; ++j) {
                const F d = g[j] * a[j];
                sum[j] += d;
                later[j] = kept[j] * later[j] + d * b[j];
                e[j] = later[j];
            }
        }
        for (int64_t j = 0; j < n; ++j)
            of_bias[first + j] = sum[j];
    }
}

template <typename F>
void chosen(const F *u, const F *c, F *s, F *out, F *a, F *b, int64_t steps, int64_t all,
            int64_t size, int32_t bypass, int32_t smooth, int32_t newer)
{
    auto run = smooth ? (newer ? advance<F, true, true> : advance<F, true, false>)
                      : (newer ? advance<F, false, true> : advance<F, false, false>);
    run(u, c, s, out, a, b, steps, all, size, bypass);
}
}

#define EXPORTED(F) \
extern "C" void advance_##F(const F *u, const F *c, F *s, F *out, F *a, F *b, int64_t steps, \
    int64_t all, int64_t size, int32_t bypass, int32_t smooth, int32_t newer) \
{ chosen<F>(u, c, s, out, a, b, steps, all, size, bypass, smooth, newer); } \
extern "C" void turn_back_##F(const F *g, const F *a, const F *b, const F *alpha, F *e, F *bias, \
    int64_t steps, int64_t all, int64_t size) \
{ turn_back<F>(g, a, b, alpha, e, bias, steps, all, size); }

EXPORTED(float)
EXPORTED(double)
"""


@dataclass(frozen=True)
class Course:
    """What cells do over time.

    Attributes:
        emitted: (T, B, N) what they pass on.
        states: i, h and h_s, (B, N) each, after the last step.
        slope_h: (T, B, N) derivative of what is passed on by the argument of the tanh of h.
        slope_i: (T, B, N) derivative of the bounded current by i.
    """

    emitted: Tensor
    states: tuple[Tensor, Tensor, Tensor]
    slope_h: Tensor
    slope_i: Tensor


@cache
def _library() -> ctypes.CDLL | None:
    """The loops; None where nothing compiles them."""
    if not compiler.can_compile():
        return None
    try:
        made = native_library.library("cells", _TEXT, _FLAGS, _declare, "the cells")
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


def _pointers(*tensors: Tensor | None) -> list[int | None]:
    return [None if tensor is None else tensor.data_ptr() for tensor in tensors]


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
    i, h, h_s = state
    return Course(emitted, (i, h, h_s), slope_h, slope_i)


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
