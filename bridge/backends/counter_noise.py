"""Normal noise from a counter, in one compiled kernel: no state, any number of threads.

torch's own `normal_` draws on one thread and took half of a large batch's time. Here number i of
step k is a hash of (i, key of k), turned into normal numbers in pairs (Box & Muller 1958). For
float32 simulations under noise of the backend's own; shared noise is drawn elsewhere.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

_BITS24 = 2.0**-24


def counter_noise(
    shape: tuple[int, int], sd: Tensor, seed: int
) -> Callable[[Tensor], Iterator[Tensor]]:
    """A function that fills a (B, N) float32 buffer with the noise of one step after another.

    Args:
        shape: (B, N).
        sd: (N,) or () s.d. of the noise, float32.
        seed: Decides all numbers.
    """
    half = (math.prod(shape) + 1) // 2
    counter = torch.arange(half, dtype=torch.int32)
    kernel = torch.compile(_fill, dynamic=False, fullgraph=True)
    spread = sd.expand(shape[1])
    keys = np.random.default_rng(seed)

    def fill(pair: Tensor) -> Iterator[Tensor]:
        flat = pair.view(-1)
        while True:
            key = torch.from_numpy(keys.integers(-(2**31), 2**31, 2, dtype=np.int32))
            kernel(counter, key, flat)
            yield pair.view(-1)[: math.prod(shape)].view(shape).mul_(spread)

    return fill


def _fill(counter: Tensor, key: Tensor, out: Tensor) -> None:
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
