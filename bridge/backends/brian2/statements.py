"""Traced operations as assignments of one operation each, such as Brian2 takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.spiking.tracing import Argument, Trace

CHOOSE, FLOOR = "bridge_choose", "bridge_floor"


@dataclass
class Numbers:
    """The numbers that stand in the text of a step, by names: literals would be rewritten."""

    named: dict[str, float] = field(default_factory=dict)

    def name(self, value: float) -> str:
        """The name of a number."""
        for name, known in self.named.items():
            # By their digits, since 0.0 and -0.0 are equal.
            if repr(known) == repr(value):
                return name
        name = f"number_{len(self.named)}"
        self.named[name] = value
        return name


def statements(
    trace: Trace, prefix: str, names: Mapping[str, str], numbers: Numbers
) -> tuple[list[str], dict[str, str]]:
    """What a trace does, in statements.

    Args:
        trace: The operations.
        prefix: Begins the names of what lives for these statements only; each is written once.
        names: What a name of the trace is called.
        numbers: Where numbers get their names.

    Returns:
        The statements, and for each output the name that holds it.
    """

    def called(argument: Argument) -> str:
        if isinstance(argument, float):
            return numbers.name(argument)
        return names.get(argument, f"{prefix}_{argument}")

    lines = []
    for operation in trace.operations:
        a, *others = map(called, operation.arguments)
        expression = _EXPRESSIONS[operation.name].format(a, *others)
        lines.append(f"{prefix}_{operation.result} = {expression}")
    return lines, {output: called(argument) for output, argument in trace.outputs.items()}


_EXPRESSIONS = {
    "+": "{} + {}",
    "-": "{} - {}",
    "*": "{} * {}",
    "/": "{} / {}",
    "above": "int({} > {})",
    "at_or_above": "int({} >= {})",
    "where": f"{CHOOSE}({{}}, {{}}, {{}})",
    "floor": f"{FLOOR}({{}})",
}


def assigned(outputs: Mapping[str, str], targets: Mapping[str, str], one: str) -> list[str]:
    """Statements that set variables to outputs, all at once.

    Args:
        outputs: The name that holds each output.
        targets: The variable of each.
        one: The name of the number 1, by which what is itself set is copied first.
    """
    lines, copies = [], {}
    for name, held in outputs.items():
        others = [targets[other] for other in outputs if other != name]
        if held in others:
            copies[name] = f"copied_{targets[name]}"
            lines.append(f"{copies[name]} = {held} * {one}")
    for name, held in outputs.items():
        if held != targets[name]:
            lines.append(f"{targets[name]} = {copies.get(name, held)}")
    return lines
