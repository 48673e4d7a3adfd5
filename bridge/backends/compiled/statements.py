"""Traced operations as C++: one operation a line, each rounded once."""

import math
from collections.abc import Mapping

from bridge.spiking.tracing import Argument, Trace


def statements(
    trace: Trace, prefix: str, names: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """What a trace does, in statements.

    Args:
        trace: The operations.
        prefix: Begins the names of what lives for these statements only.
        names: What a name of the trace is called in C++.

    Returns:
        The statements, and for each output the expression that holds it.
    """

    def called(argument: Argument) -> str:
        if isinstance(argument, float):
            return literal(argument)
        return names.get(argument, f"{prefix}_{argument}")

    lines = []
    for operation in trace.operations:
        kind = "bool" if operation.name in ("above", "at_or_above") else "real"
        expression = _EXPRESSIONS[operation.name].format(*map(called, operation.arguments))
        lines.append(f"const {kind} {prefix}_{operation.result} = {expression};")
    return lines, {output: called(argument) for output, argument in trace.outputs.items()}


def literal(number: float) -> str:
    """A number, to its last bit."""
    if math.isinf(number):
        return "(real)INFINITY" if number > 0 else "(real)-INFINITY"
    return "(real)NAN" if math.isnan(number) else f"(real){number!r}"


_EXPRESSIONS = {
    "+": "{} + {}",
    "-": "{} - {}",
    "*": "{} * {}",
    "/": "{} / {}",
    "above": "{} > {}",
    "at_or_above": "{} >= {}",
    "where": "{} ? {} : {}",
    "floor": "std::floor({})",
}
