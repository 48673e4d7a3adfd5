"""`bridge.spiking.noise` as C++, bit for bit.

Nothing of the noise is written a second time here: its functions are run on symbols, and what they
do to them is noted down, one operation a line.
"""

from typing import Any

from bridge.spiking.noise import bent, sixteen_bit_sums, step_keys


class _Symbol:
    """A C++ variable; every operation on it writes a line that makes another."""

    def __init__(self, lines: list[str], kind: str, name: str) -> None:
        self.lines, self.kind, self.name = lines, kind, name

    def made(self, kind: str, expression: str) -> "_Symbol":
        """A new variable that is set to `expression`."""
        name = f"n{len(self.lines)}"
        self.lines.append(f"const {kind} {name} = {expression};")
        return _Symbol(self.lines, kind, name)

    def _with(self, operator: str, other: Any) -> "_Symbol":
        right = other.name if isinstance(other, _Symbol) else repr(other)
        if self.kind != "int32_t":
            number = right if isinstance(other, _Symbol) else f"({self.kind}){right}"
            return self.made(self.kind, f"{self.name} {operator} {number}")
        # Unsigned: signed overflow means nothing in C++.
        return self.made(
            "int32_t", f"(int32_t)((uint32_t){self.name} {operator} (uint32_t){right})"
        )

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


def step_code(name: str) -> str:
    """C++ function: what all neurons share in a step, from the step and the trial's two keys."""
    lines: list[str] = []
    step, first, second = (_Symbol(lines, "int32_t", part) for part in ("step", "first", "second"))
    return _function(f"int32_t {name}", ("step", "first", "second"), step_keys(step, first, second))


def normal_code(name: str, kind: str = "double") -> str:
    """C++ function: the standard normal number of a neuron's key and a step's key.

    Args:
        name: Of the function.
        kind: Of floating point: "double" or "float".
    """
    lines: list[str] = []
    unit, step = (_Symbol(lines, "int32_t", part) for part in ("unit", "step"))
    sums = sixteen_bit_sums(unit, step)
    made = bent(sums.made(kind, f"({kind}){sums.name}"))
    return _function(f"{kind} {name}", ("unit", "step"), made)


def _function(head: str, arguments: tuple[str, ...], result: _Symbol) -> str:
    given = ", ".join(f"const int32_t {name}" for name in arguments)
    body = "\n".join(f"    {line}" for line in result.lines)
    return f"static inline {head}({given})\n{{\n{body}\n    return {result.name};\n}}\n"
