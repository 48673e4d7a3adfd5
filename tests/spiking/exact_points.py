"""Where the exact functions are tried, how far off they are there, and what they do.

`data/exact_functions.py` tries many more points.
"""

from typing import NamedTuple

import mpmath
import numpy as np

from bridge.spiking import exact_functions
from bridge.spiking.operations import Operations

# Far more than the 53 bits of a float64; log1p of the smallest numbers is precise in mpmath itself.
BITS = 160


class Function(NamedTuple):
    """What is tried of a function: its name, `mpmath`'s and the domain, in words."""

    name: str
    true: object
    domain: str


FUNCTIONS = (
    Function("exp", mpmath.exp, "-700 to 700"),
    Function("log1p", mpmath.log1p, "-1 to 1e300"),
    Function("tanh", mpmath.tanh, "all"),
    Function("sigmoid", lambda x: 1 / (1 + mpmath.exp(-x)), "-700 and above"),
)


def points(name, count, rng):
    """About that many arguments of a function, at random: anywhere, near 0, near its ends."""
    n = count // 5
    anywhere, lowest = {
        "exp": (rng.uniform(-700, 700, n), -700),
        "log1p": (np.concatenate([rng.uniform(-1, 1, n // 2), 10 ** rng.uniform(-3, 300, n)]), -1),
        "tanh": (rng.uniform(-20, 20, n), -1e308),
        "sigmoid": (rng.uniform(-700, 50, n), -700),
    }[name]
    tiny = 10 ** rng.uniform(-300, 0, n) * rng.choice([-1, 1], n)
    ends = {
        # Where the multiple of log 4 that is taken away changes.
        "exp": np.nextafter((np.arange(-505, 505) + 0.5) * np.log(4), np.inf),
        "log1p": np.concatenate([-1 + 10 ** rng.uniform(-15.9, 0, n // 2), around_powers()]),
        "tanh": np.concatenate([rng.uniform(18.5, 20, n // 2), -(10 ** rng.uniform(1, 308, 99))]),
        "sigmoid": np.concatenate([rng.uniform(30, 40, n // 2), 10 ** rng.uniform(2, 308, 99)]),
    }[name]
    x = np.concatenate([anywhere, tiny, ends, rng.normal(0, 1, n), rng.normal(0, 8, n)])
    return x[x > lowest]


def around_powers():
    """x of which 1 + x is a power of two or beside it, or where the nearest power changes."""
    powers = 2.0 ** np.arange(-52, 997)
    beside = [np.nextafter(powers, 0), powers, np.nextafter(powers, np.inf)]
    x = np.concatenate([*beside, 1.5 * powers, np.nextafter(1.5 * powers, np.inf)]) - 1
    return x[x > -1]


def errors_in_ulp(true, x, results):
    """How far results are from the truth, in units in its last place; each is to be finite."""
    errors = []
    with mpmath.workprec(BITS):
        for argument, result in zip(x.tolist(), results.tolist(), strict=True):
            truth = true(mpmath.mpf(argument))
            ulp = float(np.spacing(abs(np.float64(float(truth)))))
            errors.append(float(abs(mpmath.mpf(result) - truth) / ulp))
    return np.array(errors)


class Symbol:
    """Something that has only the four operators: each writes down one line of C++."""

    def __init__(self, lines, name):
        self.lines, self.name = lines, name

    def made(self, kind, expression):
        """A new variable that is set to `expression`."""
        name = f"r{len(self.lines)}"
        self.lines.append(f"const {kind} {name} = {expression};")
        return Symbol(self.lines, name)

    def __add__(self, other):
        return self.made("double", f"{self.name} + {text(other)}")

    def __radd__(self, other):
        return self.made("double", f"{text(other)} + {self.name}")

    def __sub__(self, other):
        return self.made("double", f"{self.name} - {text(other)}")

    def __rsub__(self, other):
        return self.made("double", f"{text(other)} - {self.name}")

    def __mul__(self, other):
        return self.made("double", f"{self.name} * {text(other)}")

    def __rmul__(self, other):
        return self.made("double", f"{text(other)} * {self.name}")

    def __truediv__(self, other):
        if not isinstance(other, Symbol):
            raise TypeError("simulators make the division by a constant a multiplication")
        return self.made("double", f"{self.name} / {other.name}")


def text(value):
    """A symbol or number as C++."""
    return value.name if isinstance(value, Symbol) else repr(float(value))


class SymbolOperations(Operations):
    """The vocabulary on symbols."""

    def __init__(self, lines):
        self.any = Symbol(lines, "")

    def above(self, a, b):
        return self.any.made("bool", f"{text(a)} > {text(b)}")

    def at_or_above(self, a, b):
        return self.any.made("bool", f"{text(a)} >= {text(b)}")

    def where(self, condition, a, b):
        return self.any.made("double", f"{condition.name} ? {text(a)} : {text(b)}")

    def floor(self, x):
        return self.any.made("double", f"std::floor({x.name})")


def traced(name):
    """The operations of a function as lines of C++, and the variable with its result."""
    lines = []
    result = getattr(exact_functions, name)(SymbolOperations(lines), Symbol(lines, "x"))
    return lines, result.name
