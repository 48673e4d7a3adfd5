"""Functions in `+ - * /`: the same bits wherever these are rounded as IEEE 754 says.

The functions of the libraries differ in their last bits between NumPy, torch, C++ and processors.
Here each result is within 8 units in the last place of the true one (the greatest found are in
`data/exact_functions.csv`), and every simulator finds the same. A compiler may neither reorder the
operations nor fuse them. What they are made of:

- Within a small range, W coth(W/2) as a polynomial of W^2, from which e^W = (C + W) / (C - W).
- A power of two whose exponent is a value cannot be written in `+ - * /`. One that is roughly right
  is made by squaring, and rounded to its first bit: `_first_bit`.
- The exponent of a number is found by bisection, in `_log2`.

Polynomials were interpolated at Chebyshev nodes with 60 digits; each names its truncation error.
NumPy arrays and torch tensors of float64 and float32 are taken, and symbols, as float64.
"""

from dataclasses import dataclass
from typing import Any, Protocol


class Primitives(Protocol):
    """What is used in addition to `+ - * /`; see `bridge.spiking.operations`."""

    def above(self, a: Any, b: Any) -> Any:
        """Where a > b."""

    def at_or_above(self, a: Any, b: Any) -> Any:
        """Where a >= b."""

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """`a` where the condition holds, else `b`."""

    def floor(self, x: Any) -> Any:
        """The largest whole number that is not above x."""


@dataclass(frozen=True)
class _Precision:
    """What depends on the size of a floating-point number.

    Attributes:
        bits: After the first one.
        lowest, highest: Where e^x is 0 and infinite.
        largest: Number that is not infinite.
        shift: A number times 2^-shift is normal and does not overflow in `_first_bit`, if it is at
            least half the last bit of 1.
        top: Numbers times 2^-shift are below 2^(top + 1).
        steps: Exponents by which the smallest of them is brought to the top.
        grain: 2^-grain is what a step changes a number by, in addition, for each exponent.
    """

    bits: int
    lowest: float
    highest: float
    largest: float
    shift: int
    top: int
    steps: tuple[int, ...]
    grain: int


_DOUBLE = _Precision(
    bits=52,
    lowest=-746.0,
    highest=710.0,
    largest=(2 - 2.0**-52) * 2.0**1023,
    shift=960,
    top=64,
    steps=(512, 256, 128, 64, 64, 32, 16, 8, 4, 2, 1),
    grain=30,
)
_SINGLE = _Precision(
    bits=23,
    lowest=-104.0,
    highest=89.0,
    largest=(2 - 2.0**-23) * 2.0**127,
    shift=100,
    top=28,
    steps=(64, 32, 32, 16, 8, 4, 2, 1),
    grain=16,
)

# (W coth(W/2) - 2) / W^2 by powers of W^2: for |W| <= log 2, where e^W is wrong by 2.5e-17, and for
# |W| <= 1.2, where e^W - 1 is wrong by 5.5e-16 of itself at the ends.
_COTH = (
    0.16666666666666652,
    -0.0027777777777543127,
    6.613756556840807e-05,
    -1.6534340999716764e-06,
    4.173319927152963e-08,
    -1.019050519513837e-09,
)
_WIDE_COTH = (
    0.16666666666666582,
    -0.0027777777777191676,
    6.613756547567107e-05,
    -1.6534363451230848e-06,
    4.174782385887233e-08,
    -1.050888000068079e-09,
    2.3639633506148912e-11,
)
# (2 atanh(s) / s - 2) / s^2 by powers of s^2, for |s| <= 0.2: 2 atanh(s) is wrong by 5.4e-17.
_ATANH = (
    0.6666666666666694,
    0.39999999999335556,
    0.2857142883604555,
    0.22222182776674482,
    0.18184610246294064,
    0.15283703752403147,
    0.1511848710872457,
)
_LOG_2 = 0.6931471805599453
# log 4 in two parts: the first is short, so that its multiples up to 540 are exact.
_LOG_4 = 5678.0 * 2.0**-12
_LOG_4_REST = 6.389236989061883e-05
_PER_LOG_4 = 0.7213475204444817
# Beyond the first, where e^2x is 2^54, e^2x + 1 is not always rounded alike: tanh would waver in
# its last place. At the second it is 1. A 16th of that is in the range of the polynomial.
_TANH_ONE, _TANH_END, _TANH_HALVINGS = 18.71497, 19.0625, 4
# ((a + n^2 + b n) / (a + n^2 - b n))^256 is 2^n within 16 %, for |n| <= 540.
_ROUGH_A, _ROUGH_B, _ROUGH_SQUARINGS = 1713527.608, 2315.300047, 8


def exp(ops: Primitives, x: Any) -> Any:
    """e^x: 0 below -745.13, subnormal below -708.4, infinite above 709.78; NaN stays NaN."""
    up, down, root = _parts(ops, x)
    return up / down * root * root


def sigmoid(ops: Primitives, x: Any) -> Any:
    """1 / (1 + e^-x), from 0 below -745.13 to 1 above 37.43; NaN stays NaN."""
    up, down, root = _parts(ops, x)
    # Not e^x / (1 + e^x): nothing here overflows.
    rising, falling = up * root, down / root
    return rising / (rising + falling)


def tanh(ops: Primitives, x: Any) -> Any:
    """Hyperbolic tangent, odd to the last bit, +-1 beyond 18.72; NaN stays NaN."""
    negative = ops.above(0.0, x)
    x = ops.where(negative, 0.0 - x, x)
    y = ops.where(ops.above(x, _TANH_ONE), _TANH_END, x) * 2.0**-_TANH_HALVINGS
    # e^y - 1 = 2 y / (y coth(y/2) - y) as y and what is more, which is small where y is.
    t = y * y
    less = y - t * _polynomial(_WIDE_COTH, t)
    risen = y + y * less / (2.0 - less)
    # From y to 2 y: e^2y - 1 = (e^y - 1)^2 + 2 (e^y - 1). (e^y - 1) (e^y + 1) is rounded once more.
    for _ in range(_TANH_HALVINGS + 1):
        risen = risen * risen + (risen + risen)
    result = risen / (risen + 2.0)
    return ops.where(negative, 0.0 - result, result)


def log1p(ops: Primitives, x: Any) -> Any:
    """log(1 + x), infinite at infinity; NaN stays NaN, and is the result at -1 and below."""
    precision = _precision(x)
    # 0 ends as 0/0.
    whole = ops.where(ops.above(x, -1.0), 1.0 + x, 0.0)
    lost = x - (whole - 1.0)
    shifted = whole * 2.0**-precision.shift
    power = _first_bit(shifted, precision)
    near_1 = shifted / power
    s = (near_1 - 1.0) / (near_1 + 1.0)
    t = s * s
    log_near_1 = s * (2.0 + t * _polynomial(_ATANH, t))
    log = _log2(ops, power, precision) * _LOG_2 + (log_near_1 + lost / whole)
    return ops.where(ops.above(x, precision.largest), x, log)


def _parts(ops: Primitives, x: Any) -> tuple[Any, Any, Any]:
    """up, down and a power of two `root`, of which e^x is up / down root^2."""
    precision = _precision(x)
    x = _clip(ops, x, precision.lowest, precision.highest)
    n = ops.floor(x * _PER_LOG_4 + 0.5)
    rest = x - n * _LOG_4 - n * _LOG_4_REST
    t = rest * rest
    coth = 2.0 + t * _polynomial(_COTH, t)
    return coth + rest, coth - rest, _power_of_two(n, precision)


def _power_of_two(n: Any, precision: _Precision) -> Any:
    """2^n for whole n from -540 to 540."""
    even, odd = n * n + _ROUGH_A, n * _ROUGH_B
    rough = (even + odd) / (even - odd)
    for _ in range(_ROUGH_SQUARINGS):
        rough = rough * rough
    return _first_bit(rough, precision)


def _first_bit(x: Any, precision: _Precision) -> Any:
    """The power of two p with 0.75 p <= x <= 1.5 p."""
    # Beside a number so much larger only the first bit of x is left. Taken away, not added: a sum
    # may need one more bit, and the number just below p would lose its first.
    larger = x * 2.0**precision.bits
    return larger - (larger - x)


def _log2(ops: Primitives, power: Any, precision: _Precision) -> Any:
    """The n of a power of two 2^(n - shift)."""
    # Each step that is taken is kept in the last bits, which a power of two has no use for: in the
    # end 2^top (1 - 2^-grain (sum of steps)) is left, nearly, from which that sum can be read.
    for step in precision.steps:
        raised = power * (2.0**step * (1.0 - step * 2.0**-precision.grain))
        power = ops.where(ops.above(2.0 ** (precision.top - step + 0.5), power), raised, power)
    per_step = 2.0 ** (precision.grain - precision.top)
    highest = precision.top + precision.shift
    return ops.floor(power * per_step + (0.5 + highest - 2.0**precision.grain))


def _precision(x: Any) -> _Precision:
    return _SINGLE if str(getattr(x, "dtype", "")).endswith("float32") else _DOUBLE


def _clip(ops: Primitives, x: Any, low: float, high: float) -> Any:
    return ops.where(ops.above(x, high), high, ops.where(ops.above(low, x), low, x))


def _polynomial(coefficients: tuple[float, ...], t: Any) -> Any:
    """Their sum over t^0, t^1, ..., by Horner's rule."""
    *lower, total = coefficients
    for coefficient in reversed(lower):
        total = total * t + coefficient
    return total
