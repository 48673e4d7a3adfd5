"""A step run on symbols: what it does, one operation after the other.

The text of a model is a function of arrays. Run on symbols it notes down what it does to them, and
from the notes other simulators' statements are written: nobody writes an equation a second time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from operator import add, mul, sub, truediv
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from bridge.errors import SpecError
from bridge.spiking.operations import Operations

Step = Callable[..., dict[str, Any]]
Argument = str | float
Call = tuple[Callable[[Any, Any], Any] | None, str, str, tuple[Argument, ...]]

_OPERATORS = {"+": add, "-": sub, "*": mul, "/": truediv}


@dataclass(frozen=True)
class Operation:
    """One operation: `result` is the name of what comes out.

    Attributes:
        result: Unique among the operations of a trace.
        name: "+", "-", "*", "/", "above", "at_or_above", "where" or "floor".
        arguments: Names, and numbers that stand in the text.
    """

    result: str
    name: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Trace:
    """What a step does.

    Attributes:
        operations: In order.
        outputs: What each result of the step is: a name, or a number.
    """

    operations: tuple[Operation, ...]
    outputs: Mapping[str, Argument]
    # Each operation with its operator: in every step there is no time to look for it.
    _calls: list[Call] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        calls = [
            (_OPERATORS.get(op.name), op.name, op.result, op.arguments) for op in self.operations
        ]
        object.__setattr__(self, "_calls", calls)

    def only(self, *outputs: str) -> "Trace":
        """The part that these outputs need."""
        wanted = {self.outputs[name] for name in outputs}
        kept: list[Operation] = []
        for operation in reversed(self.operations):
            if operation.result in wanted:
                kept.append(operation)
                wanted.update(operation.arguments)
        return Trace(tuple(reversed(kept)), {name: self.outputs[name] for name in outputs})

    def needs(self, output: str) -> set[str]:
        """The names of everything that an output depends on."""
        part = self.only(output)
        found = {each for operation in part.operations for each in operation.arguments}
        return {each for each in (*found, self.outputs[output]) if isinstance(each, str)}

    def evaluate(self, ops: Operations, values: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs, with each operation carried out by `ops` on the values of the names."""
        known: dict[Argument, Any] = {}
        known.update(values)
        # A number is not among the names, and stands for itself.
        found = known.get
        for operator, name, result, arguments in self._calls:
            if operator is None:
                known[result] = getattr(ops, name)(*(found(each, each) for each in arguments))
            else:
                a, b = arguments
                known[result] = operator(found(a, a), found(b, b))
        return {name: known.get(output, output) for name, output in self.outputs.items()}

    def digest(self) -> str:
        """A hash of what is done, whatever text it came from."""
        said = repr((self.operations, sorted(self.outputs.items())))
        return sha256(said.encode()).hexdigest()[:16]


def trace(title: str, step: Step, dtype: str = "float64", **groups: tuple[str, ...]) -> Trace:
    """Run a step on symbols.

    Args:
        title: What is traced, for messages.
        step: Called with the vocabulary and, by name, a namespace for each group.
        dtype: What the numbers will be: functions like `exp` are other operations in "float32".
        **groups: Names in each group. A group of one name that is its own becomes the symbol
            itself. What is in a group named `constant` does not change from step to step.

    Returns:
        The operations; a name of group `state` is "state.v" in them, the current "current".

    Raises:
        SpecError: the step does what other simulators could not repeat.
    """
    first, second = (_traced(title, step, groups, dtype) for _ in range(2))
    if first != second:
        raise SpecError(f"{title}: its step does something else each time it is called")
    return first


def _traced(title: str, step: Step, groups: Mapping[str, tuple[str, ...]], dtype: str) -> Trace:
    notes = Notes(title, dtype)
    given = {
        group: _group(notes, group, names, lasting=group == "constant")
        for group, names in groups.items()
    }
    try:
        made = step(SymbolOperations(notes), **given)
    except TypeError as error:
        raise SpecError(f"{title}: its step cannot be repeated by others ({error})") from None
    if not isinstance(made, dict) or not all(isinstance(name, str) for name in made):
        raise SpecError(f"{title}: its step has to return new values by the names of the states")
    return Trace(tuple(notes.operations), {name: _argument(title, made[name]) for name in made})


def _group(notes: "Notes", group: str, names: tuple[str, ...], *, lasting: bool) -> Any:
    if names == (group,):
        return Symbol(notes, group, lasting=lasting)
    parts = {name: Symbol(notes, f"{group}.{name}", lasting=lasting) for name in names}
    return SimpleNamespace(**parts)


def _argument(title: str, value: object) -> Argument:
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError(
            f"{title}: its step works with {type(value).__name__}; only states, constants, the "
            "current and plain numbers can be repeated by every simulator"
        )
    return float(value)


@dataclass
class Notes:
    """What a step did so far.

    Attributes:
        title: What is traced, for messages.
        dtype: What its numbers will be.
        operations: In order.
    """

    title: str
    dtype: str
    operations: list[Operation] = field(default_factory=list)


class Symbol:
    """A number of a step, known by name only; every operation on it is noted down."""

    # So that an array leaves the operation to the symbol, which refuses it.
    __array_ufunc__ = None

    def __init__(self, notes: Notes, name: str, *, lasting: bool) -> None:
        self.notes, self.name, self.lasting = notes, name, lasting
        self.title, self.dtype = notes.title, notes.dtype

    def made(self, name: str, *arguments: Any) -> "Symbol":
        """The result of an operation."""
        result = f"r{len(self.notes.operations)}"
        named = tuple(_argument(self.title, each) for each in arguments)
        self.notes.operations.append(Operation(result, name, named))
        lasting = all(each.lasting for each in arguments if isinstance(each, Symbol))
        return Symbol(self.notes, result, lasting=lasting)

    def __add__(self, other: Any) -> "Symbol":
        return self.made("+", self, other)

    def __radd__(self, other: Any) -> "Symbol":
        return self.made("+", other, self)

    def __sub__(self, other: Any) -> "Symbol":
        return self.made("-", self, other)

    def __rsub__(self, other: Any) -> "Symbol":
        return self.made("-", other, self)

    def __mul__(self, other: Any) -> "Symbol":
        return self.made("*", self, other)

    def __rmul__(self, other: Any) -> "Symbol":
        return self.made("*", other, self)

    def __truediv__(self, other: Any) -> "Symbol":
        if not isinstance(other, Symbol) or other.lasting:
            # Simulators make it a multiplication by the reciprocal, which rounds twice.
            raise SpecError(
                f"{self.title}: its step divides by what depends on no state; multiply by a "
                "constant instead"
            )
        return self.made("/", self, other)

    def __rtruediv__(self, other: Any) -> "Symbol":
        if self.lasting:
            raise SpecError(
                f"{self.title}: its step divides by what depends on no state; multiply by a "
                "constant instead"
            )
        return self.made("/", other, self)

    def __neg__(self) -> "Symbol":
        return self.made("*", -1.0, self)

    def _no_branch(self, *_: object) -> Any:
        raise SpecError(
            f"{self.title}: its step decides by a number; use where, above and at_or_above"
        )

    __bool__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __float__ = _no_branch
    __abs__ = __pow__ = __rpow__ = __int__ = __len__ = __iter__ = _no_branch
    __hash__ = None  # type: ignore[assignment]


class SymbolOperations(Operations):
    """The vocabulary on symbols."""

    def __init__(self, notes: Notes) -> None:
        self._nobody = Symbol(notes, "", lasting=True)

    def above(self, a: Any, b: Any) -> Any:
        return self._nobody.made("above", a, b)

    def at_or_above(self, a: Any, b: Any) -> Any:
        return self._nobody.made("at_or_above", a, b)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self._nobody.made("where", condition, a, b)

    def floor(self, x: Any) -> Any:
        return self._nobody.made("floor", x)


def check_trace(
    title: str,
    traced: Trace,
    step: Step,
    ops: Operations,
    dtype: str = "float64",
    **groups: tuple[str, ...],
) -> None:
    """Raise SpecError unless a trace gives the very bits of its step.

    Both are run on random read-only numbers, so that a step which writes into what it is given, or
    keeps something from call to call, is found.
    """
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for group, names in groups.items():
        drawn = {name: rng.normal(size=7).astype(dtype) for name in names}
        for array in drawn.values():
            array.flags.writeable = False
        alone = names == (group,)
        given[group] = drawn[group] if alone else SimpleNamespace(**drawn)
        values |= {(name if alone else f"{group}.{name}"): drawn[name] for name in names}
    try:
        with np.errstate(all="ignore"):
            made = step(ops, **given)
    except (ValueError, TypeError) as error:
        raise SpecError(f"{title}: its step does not work on arrays ({error})") from None
    with np.errstate(all="ignore"):
        again = traced.evaluate(ops, values)
    for name, value in made.items():
        if not np.array_equal(value, cast(Any, again[name]), equal_nan=True):
            raise SpecError(f"{title}: its step gives other numbers for {name} than its trace")
