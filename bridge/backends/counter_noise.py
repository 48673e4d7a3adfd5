"""Normal noise from a counter, in one compiled kernel: no state, any number of threads.

torch's own `normal_` draws on one thread and took half of a large batch's time. Here number i of
step k is a hash of (i, key of k), turned into normal numbers in pairs (Box & Muller 1958). For
float32 simulations under noise of the backend's own; shared noise is drawn elsewhere.
"""

import math

import numpy as np
import torch
from torch import Tensor

_BITS24 = 2.0**-24


class CounterNoise:
    """Standard normal numbers for (B, N) float32 buffers, one after another, decided by a seed."""

    def __init__(self, shape: tuple[int, int], seed: int) -> None:
        self._size = math.prod(shape)
        half = (self._size + 1) // 2
        self._counter = torch.arange(half, dtype=torch.int32)
        self._odd = torch.empty(2 * half) if 2 * half != self._size else None
        self._keys = np.random.default_rng(seed)
        self._kernel = torch.compile(fill, dynamic=False, fullgraph=True)

    def into(self, buffer: Tensor) -> Tensor:
        """Fill a contiguous buffer with the next step's numbers."""
        key = torch.from_numpy(self._keys.integers(-(2**31), 2**31, 2, dtype=np.int32))
        flat = buffer.view(-1)
        if self._odd is None:
            self._kernel(self._counter, key, flat)
        else:
            self._kernel(self._counter, key, self._odd)
            flat.copy_(self._odd[: self._size])
        return buffer


def fill(counter: Tensor, key: Tensor, out: Tensor) -> None:
    """Fill (2 * H,) `out` from (H,) counters and two 32-bit keys."""
    first = _scramble(_scramble(counter ^ key[0]) + key[1])
    second = _scramble(first ^ counter ^ 0x5BD1E995)
    # The half keeps the logarithm finite; 24 bits are what float32 holds.
    radius = torch.sqrt(-2 * torch.log((_top24(first) + 0.5) * _BITS24))
    angle = _top24(second) * (2 * math.pi * _BITS24)
    half = counter.numel()
    out[:half].copy_(radius * torch.cos(angle))
    out[half:].copy_(radius * torch.sin(angle))


def _top24(bits: Tensor) -> Tensor:
    return ((bits >> 8) & 0xFFFFFF).to(torch.float32)


def _scramble(bits: Tensor) -> Tensor:
    """A bijection of 32-bit numbers that mixes all bits (two rounds of multiply and shift)."""
    bits = bits ^ ((bits >> 16) & 0xFFFF)
    bits = bits * 0x21F0AAAD
    bits = bits ^ ((bits >> 15) & 0x1FFFF)
    bits = bits * 0x735A2D97
    return bits ^ ((bits >> 15) & 0x1FFFF)
