"""Normal noise that every backend computes for itself, bit for bit: a counter, hashed.

The number for (trial, step, neuron) is a function of these and of the seed: there is no stream to
read in order, nothing to store, and a trial's noise does not depend on what runs with it. 32-bit
integers are mixed, four 16-bit parts of them added, and a polynomial bends that sum into a normal
number (the method of Teichroew, see Knuth, TAOCP 2, 3.4.1). Integers and + - * round alike in
NumPy, torch and C++; logarithms and cosines would not. In float32 the same number comes out
rounded.

The distribution: variance 1 and kurtosis 3 to six digits, its CDF within 1.1e-4 of the normal
one, no value beyond 5.4. The functions take NumPy arrays and torch tensors of int32 alike.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.seed_words import seed_words

Array = NDArray[np.float64]
# NumPy arrays or torch tensors: both have the operators used here.
Bits: TypeAlias = Any
Numbers: TypeAlias = Any

# z(s) = s (c0 + c1 s^2 + c2 s^4 + c3 s^6 + c4 s^8), fitted to the normal quantiles of the sum's
# distribution (Irwin-Hall of 4) with variance and kurtosis held.
COEFFICIENTS = (1.668132, 0.038052, 0.047954, -0.029952, 0.007886)
UNIT_OFFSET, SECOND_WORD = 0x5BD1E995, 0x2545F491
# The sum of four 16-bit numbers lies evenly around this.
CENTRE, SCALE = 131070, 2.0**-16


def mix(bits: Bits) -> Bits:
    """A bijection of 32-bit integers in which every bit of the result hangs on all of `bits`.

    Constants: Wellons' search for low-bias hashes (hash-prospector, 2018).
    """
    # The masks make the shifts those of unsigned numbers.
    bits = bits ^ ((bits >> 16) & 0xFFFF)
    # From here on in place: what was handed in remains as it was.
    bits *= 0x21F0AAAD
    bits ^= (bits >> 15) & 0x1FFFF
    bits *= 0x735A2D97
    bits ^= (bits >> 15) & 0x1FFFF
    return bits


def step_keys(step: Bits, first: Bits, second: Bits) -> Bits:
    """What all neurons of a trial share in a step; `first` and `second` are the trial's keys."""
    return mix(mix(step ^ first) + second)


def unit_keys(neuron: Bits) -> Bits:
    """What a neuron brings to all steps; `neuron` is its number through all populations."""
    return mix(neuron + UNIT_OFFSET)


def sixteen_bit_sums(unit: Bits, step: Bits) -> Bits:
    """Sums of four 16-bit numbers less their mean, decided by the two keys; int32."""
    one = mix(unit ^ step)
    two = mix(one ^ SECOND_WORD)
    total = one & 0xFFFF
    total += (one >> 16) & 0xFFFF
    total += two & 0xFFFF
    total += (two >> 16) & 0xFFFF
    total -= CENTRE
    return total


def bent(sums: Numbers) -> Numbers:
    """Standard normal numbers from sums, already in floating point."""
    s = sums * SCALE
    q = s * s
    total = q * COEFFICIENTS[-1]
    for coefficient in COEFFICIENTS[-2:0:-1]:
        total += coefficient
        total *= q
    total += COEFFICIENTS[0]
    total *= s
    return total


def trial_keys(seed: int, stream: int, trials: Sequence[int]) -> NDArray[np.int32]:
    """(B, 2) keys of trials, from SeedSequence: unrelated for neighbouring seeds and trials."""
    return seed_words(seed, stream, trials, 2).view(np.int32)


def standard_normal(keys: NDArray[np.int32], steps: range, size: int) -> Array:
    """(len(steps), B, N) numbers of the trials with (B, 2) `keys`, for N = `size` neurons."""
    step = np.arange(steps.start, steps.stop, dtype=np.int32)[:, None]
    shared = step_keys(step, keys[:, 0], keys[:, 1])
    units = unit_keys(np.arange(size, dtype=np.int32))
    drawn: Array = bent(sixteen_bit_sums(units, shared[:, :, None]).astype(np.float64))
    return drawn
