"""The text of a program while it is written: its lines, and what it is given from outside."""

from collections.abc import Iterator
from contextlib import contextmanager


class Sheet:
    """Lines of C++, and the names of the arrays and numbers that the program is handed.

    Attributes:
        lines: What was written.
        arrays: Names of the arrays, in the order in which they are handed over.
        numbers: Names of the whole numbers, likewise.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.arrays: list[str] = []
        self.numbers: list[str] = []
        self._depth = 0

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
