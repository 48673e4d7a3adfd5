"""The text of a kernel while it is written: Triton, where a name is a whole row of neurons.

Triton takes numbers that stand in its text for float32, and fuses nothing only where the launch
says so; it has no -0.0 either. So each number is made in the precision of the run.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from bridge.backends.compiled.sheet import Sheet


class KernelSheet(Sheet):
    """Lines of Triton, and what the kernel is handed.

    Attributes:
        real: What Triton calls the numbers.
        blocks: Names of the numbers of neurons that rows have, known when the kernel is compiled.
    """

    operations: ClassVar[dict[str, str]] = {
        **Sheet.operations,
        "where": "tl.where({}, {}, {})",
        "floor": "tl.floor({})",
    }

    def __init__(self, dtype: str, *, held: bool) -> None:
        """`held`: whether constants stay in registers, or are read again in each step."""
        super().__init__()
        self.real, self.held = f"tl.{dtype}", held
        self.blocks: list[str] = []
        self._literals: dict[str, str] = {}
        self._read: dict[str, str] = {}

    def cell(self, name: str, index: str = "") -> str:
        """The numbers of all neurons."""
        return self._read.get(name, name)

    def let(self, name: str, expression: str, kind: str = "") -> None:
        """Name a row."""
        self.add(f"{name} = {expression}")

    def variable(self, name: str, expression: str) -> None:
        """Name a row that changes."""
        self.add(f"{name} = {expression}")

    def put(self, place: str, expression: str) -> None:
        """Change a row."""
        self.add(f"{place} = {expression}")

    def size_of(self, expression: str) -> str:
        """The absolute value."""
        return f"tl.abs({expression})"

    def counted_step(self, more: str = "") -> str:
        """The number of this step, and some more, as 32 bits."""
        return f"(step{more}).to(tl.int32)"

    def fire(self, number: int, condition: str) -> None:
        """Note which neurons of a population fire."""
        self.add(f"fired_{number} = {condition}")

    def literal(self, number: float) -> str:
        """A number, to its last bit."""
        said = repr(float(number))
        return self._literals.setdefault(said, f"literal_{len(self._literals)}")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is written meanwhile is indented after `head`."""
        self.add(f"{head}:")
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def each(self, width: str) -> Iterator[None]:
        """What is written meanwhile is done for each neuron: rows are taken whole."""
        yield

    def array(self, name: str, kind: str = "real") -> str:
        """Name an array that is handed over; the name of where it lies."""
        if name not in self.arrays:
            self.arrays.append(name)
        return f"{name}_at"

    changed_array = array

    def row(self, name: str, population: int | str) -> None:
        """Hand over a row of constants for each neuron of a population."""
        read = f"tl.load({self.array(name)} + i_{population})"
        if self.held:
            self.add(f"{name} = {read}")
        else:
            self._read[name] = read

    def number(self, name: str) -> str:
        """Name a whole number that is handed over."""
        if name not in self.numbers:
            self.numbers.append(name)
        return name

    def whole(self, name: str, start: int | str = 0) -> None:
        """Name a whole number of 64 bits that changes."""
        self.add(f"{name} = tl.full([], {start}, tl.int64)")

    def size(self, number: int | str) -> str:
        """Let rows be of the size of a population, or of the channels of an input."""
        block = f"BLOCK_{number}"
        self.blocks.append(block)
        self.add(f"i_{number} = tl.arange(0, {block})")
        return block

    def text(self) -> str:
        """The whole module."""
        given = [f"{name}_at" for name in self.arrays]
        # Numbers that are handed over lie outside the registers; they are no part of the kernel.
        given += [f"{name}: tl.int64" for name in self.numbers]
        given += [f"{name}: tl.constexpr" for name in self.blocks]
        head = [_TITLE, "", "import triton", "import triton.language as tl", "", ""]
        head += [f"@triton.jit(do_not_specialize={self.numbers!r})", "def run("]
        head += [f"    {name}," for name in given]
        lines = [f"{name} = {name}.to(tl.int64)" for name in self.numbers]
        lines += [f"{name} = {self._made(said)}" for said, name in self._literals.items()]
        lines += self.lines
        return "\n".join([*head, "):", *(f"    {line}" for line in lines), ""])

    def _made(self, said: str) -> str:
        number = float(said)
        if not math.isfinite(number):
            said = f'float("{said}")'
        if number == 0 and math.copysign(1, number) < 0:
            # Triton takes each number that equals 0 for 0.0.
            return f"tl.full([], -1.0, {self.real}) * tl.full([], 0.0, {self.real})"
        return f"tl.full([], {said}, {self.real})"


class NoiseText:
    """How a kernel says what the noise is made of."""

    def __init__(self, sheet: KernelSheet) -> None:
        self._sheet = sheet

    def named(self, kind: str, name: str, expression: str) -> str:
        """The line that names a number."""
        return f"{name} = {expression}"

    def whole(self, left: str, operator: str, right: str) -> str:
        """An operation on 32-bit integers, which overflow silently."""
        return f"{left} {operator} {right}"

    def real(self, kind: str, value: float | str) -> str:
        """A number in floating point."""
        if isinstance(value, str):
            return f"{value}.to({self._sheet.real})"
        return self._sheet.literal(value)


_TITLE = '"""A whole run of a spiking network as one kernel, written by spikebridge."""'
