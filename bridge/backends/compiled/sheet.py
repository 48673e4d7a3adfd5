"""The text of a program while it is written: its lines, and what it is given from outside.

What every program computes is said through a sheet's words, so that one text of it is C++ here and
another language on a sheet that overrides them (`bridge.backends.compiled.gpu.sheet`).
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class Sheet:
    """Lines of C++, and the names of the arrays and numbers that the program is handed.

    Attributes:
        lines: What was written.
        arrays: Names of the arrays, in the order in which they are handed over.
        numbers: Names of the whole numbers, likewise.
        operations: How each operation of `bridge.spiking.tracing` is written.
    """

    operations: ClassVar[dict[str, str]] = {
        "+": "{} + {}",
        "-": "{} - {}",
        "*": "{} * {}",
        "/": "{} / {}",
        "above": "{} > {}",
        "at_or_above": "{} >= {}",
        "where": "{} ? {} : {}",
        "floor": "std::floor({})",
    }

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrays: list[str] = []
        self.numbers: list[str] = []
        self._depth = 0
        self._alike: set[str] = set()

    def cell(self, name: str, index: str = "i") -> str:
        """The number of one neuron in an array, or the one that all share."""
        return name if name in self._alike else f"{name}[{index}]"

    def let(self, name: str, expression: str, kind: str = "real") -> None:
        """Name a number that stays as it is."""
        self.add(f"const {kind} {name} = {expression};")

    def variable(self, name: str, expression: str) -> None:
        """Name a number that changes."""
        self.add(f"real {name} = {expression};")

    def put(self, place: str, expression: str) -> None:
        """Set a number that changes, or a cell."""
        self.add(f"{place} = {expression};")

    def operation(self, name: str, *arguments: str) -> str:
        """An operation, rounded once."""
        return self.operations[name].format(*arguments)

    def size_of(self, expression: str) -> str:
        """The absolute value."""
        return f"std::fabs({expression})"

    def counted_step(self, more: str = "") -> str:
        """The number of this step, and some more, as 32 bits."""
        return f"(int32_t)(step{more})" if more else "(int32_t)step"

    def fire(self, number: int, condition: str) -> None:
        """Note whether any neuron of a population fires."""
        self.add(f"any_{number} |= {condition} ? (whole)1 : (whole)0;")

    def literal(self, number: float) -> str:
        """A number, to its last bit."""
        if math.isinf(number):
            return "(real)INFINITY" if number > 0 else "(real)-INFINITY"
        return "(real)NAN" if math.isnan(number) else f"(real){number!r}"

    def add(self, *lines: str) -> None:
        """Write lines at the present depth."""
        self.lines += ["    " * self._depth + line for line in lines]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written meanwhile lies in braces after `head`."""
        self.add(f"{head} {{")
        self._depth += 1
        yield
        self._depth -= 1
        self.add("}")

    @contextmanager
    def each(self, width: str) -> Iterator[None]:
        """What is written meanwhile is done for each i below `width`, in any order."""
        # No two arrays overlap.
        self.add("#pragma GCC ivdep")
        with self.block(f"for (int64_t i = 0; i < {width}; ++i)"):
            yield

    def array(self, name: str, kind: str = "real") -> str:
        """Declare an array that is handed over, read only."""
        self.add(
            f"const {kind} *__restrict const {name} = "
            f"(const {kind} *)given[{_place(self.arrays, name)}];"
        )
        return name

    def constant(self, name: str, *, alike: bool) -> None:
        """Declare a constant of neurons that is handed over in an array."""
        if not alike:
            self.array(name)
            return
        # One number, that stays in a register.
        self._alike.add(name)
        self.let(name, f"((const real *)given[{_place(self.arrays, name)}])[0]")

    def changed_array(self, name: str, kind: str = "real") -> str:
        """Declare an array that is handed over to be written."""
        place = _place(self.arrays, name)
        self.add(f"{kind} *__restrict const {name} = ({kind} *)given[{place}];")
        return name

    def number(self, name: str) -> str:
        """Declare a whole number that is handed over."""
        self.add(f"const int64_t {name} = numbers[{_place(self.numbers, name)}];")
        return name

    def kept(self, name: str, width: str, kind: str = "real", start: str = "0") -> str:
        """Declare an array of the trial's own, that starts with one number throughout."""
        self.add(f"{kind} *__restrict const {name} = room.take<{kind}>({width}, ({kind}){start});")
        return name

    def kept_number(self, name: str, kind: str, start: str = "0") -> str:
        """Declare a number of the trial's own."""
        self.add(f"{kind} &{name} = *room.take<{kind}>(1, ({kind}){start});")
        return name


def _place(names: list[str], name: str) -> int:
    """Where a name stands among others, the last of them if it is new."""
    if name not in names:
        names.append(name)
    return names.index(name)
