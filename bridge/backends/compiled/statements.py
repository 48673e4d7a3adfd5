"""Traced operations in the text of a program: one operation a line, each rounded once."""

from collections.abc import Mapping

from bridge.backends.compiled.sheet import Sheet
from bridge.spiking.tracing import Argument, Trace


def statements(sheet: Sheet, trace: Trace, prefix: str, names: Mapping[str, str]) -> dict[str, str]:
    """Write down what a trace does.

    Args:
        sheet: Where to.
        trace: The operations.
        prefix: Begins the names of what lives for these statements only.
        names: What a name of the trace is called in the text.

    Returns:
        For each output the expression that holds it.
    """

    def called(argument: Argument) -> str:
        if isinstance(argument, float):
            return sheet.literal(argument)
        return names.get(argument, f"{prefix}_{argument}")

    for operation in trace.operations:
        kind = "bool" if operation.name in ("above", "at_or_above") else "real"
        expression = sheet.operation(operation.name, *map(called, operation.arguments))
        sheet.let(f"{prefix}_{operation.result}", expression, kind)
    return {output: called(argument) for output, argument in trace.outputs.items()}
