"""`bridge.spiking.noise` in the text of a program, bit for bit.

Nothing of the noise is written a second time here: its functions are run on symbols, and what they
do to them is noted down, one operation a line.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.spiking.noise import bent, sixteen_bit_sums, step_keys


class Language(Protocol):
    """How a program says what the noise is made of."""

    def named(self, kind: str, name: str, expression: str) -> str:
        """The line that names a number."""

    def whole(self, left: str, operator: str, right: str) -> str:
        """An operation on 32-bit integers, which overflow silently."""

    def real(self, kind: str, value: float | str) -> str:
        """A number in floating point: a value, or an integer that has a name."""


class _Cpp:
    """C++."""

    def named(self, kind: str, name: str, expression: str) -> str:
        """As `Language` says, and so the others."""
        return f"const {kind} {name} = {expression};"

    def whole(self, left: str, operator: str, right: str) -> str:
        # Unsigned: signed overflow means nothing in C++.
        return f"(int32_t)((uint32_t){left} {operator} (uint32_t){right})"

    def real(self, kind: str, value: float | str) -> str:
        return f"({kind}){value if isinstance(value, str) else repr(value)}"


@dataclass
class _Page:
    """Lines, in a language; what they name begins with a prefix."""

    language: Language
    prefix: str
    lines: list[str] = field(default_factory=list)


class _Symbol:
    """A variable of the program; every operation on it writes a line that makes another."""

    def __init__(self, page: _Page, kind: str, name: str) -> None:
        self.page, self.kind, self.name = page, kind, name

    def made(self, kind: str, expression: str) -> "_Symbol":
        """A new variable that is set to `expression`."""
        name = f"{self.page.prefix}{len(self.page.lines)}"
        self.page.lines.append(self.page.language.named(kind, name, expression))
        return _Symbol(self.page, kind, name)

    def _with(self, operator: str, other: Any) -> "_Symbol":
        language, named = self.page.language, isinstance(other, _Symbol)
        if self.kind != "int32_t":
            number = other.name if named else language.real(self.kind, other)
            return self.made(self.kind, f"{self.name} {operator} {number}")
        right = other.name if named else repr(other)
        return self.made("int32_t", language.whole(self.name, operator, right))

    def __xor__(self, other: Any) -> "_Symbol":
        return self._with("^", other)

    def __and__(self, other: Any) -> "_Symbol":
        return self._with("&", other)

    def __add__(self, other: Any) -> "_Symbol":
        return self._with("+", other)

    def __sub__(self, other: Any) -> "_Symbol":
        return self._with("-", other)

    def __mul__(self, other: Any) -> "_Symbol":
        return self._with("*", other)

    # + and * of two numbers give the same in both orders.
    __radd__ = __add__
    __rmul__ = __mul__

    def __rshift__(self, bits: int) -> "_Symbol":
        return self.made("int32_t", f"{self.name} >> {bits}")


def step_lines(language: Language, prefix: str, *given: str) -> tuple[list[str], str]:
    """What all neurons share in a step: the lines that make it, and its name.

    Args:
        language: Of the lines.
        prefix: Begins the names that the lines make.
        *given: Names of the step and of the trial's two keys.
    """
    page = _Page(language, prefix)
    step, first, second = (_Symbol(page, "int32_t", name) for name in given)
    return page.lines, step_keys(step, first, second).name


def normal_lines(
    language: Language, prefix: str, unit: str, step: str, kind: str
) -> tuple[list[str], str]:
    """The standard normal number of a neuron's key and a step's: its lines, and its name.

    Args:
        language: Of the lines.
        prefix: Begins the names that the lines make.
        unit: Name of the neuron's key.
        step: Name of the step's key.
        kind: Of floating point.
    """
    page = _Page(language, prefix)
    sums = sixteen_bit_sums(_Symbol(page, "int32_t", unit), _Symbol(page, "int32_t", step))
    return page.lines, bent(sums.made(kind, language.real(kind, sums.name))).name


def step_code(name: str) -> str:
    """C++ function: what all neurons share in a step, from the step and the trial's two keys."""
    given = ("step", "first", "second")
    return _function(f"int32_t {name}", given, *step_lines(_Cpp(), "n", *given))


def normal_code(name: str, kind: str = "double") -> str:
    """C++ function: the standard normal number of a neuron's key and a step's key.

    Args:
        name: Of the function.
        kind: Of floating point: "double" or "float".
    """
    given = ("unit", "step")
    return _function(f"{kind} {name}", given, *normal_lines(_Cpp(), "n", *given, kind))


def _function(head: str, arguments: tuple[str, ...], lines: list[str], result: str) -> str:
    given = ", ".join(f"const int32_t {name}" for name in arguments)
    body = "\n".join(f"    {line}" for line in lines)
    return f"static inline {head}({given})\n{{\n{body}\n    return {result};\n}}\n"
