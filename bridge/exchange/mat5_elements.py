"""The elements of a version 5 `.mat` file, one after the other; no size is believed unseen."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError

# Types of elements that hold numbers, and how these are coded.
NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip


class Elements:
    """The elements that follow each other in a part of a file, read one by one."""

    def __init__(self, path: Path, content: memoryview, order: str) -> None:
        self.path, self.content, self.order, self.place = path, content, order, 0

    def take(self, *, padded: bool) -> tuple[int, memoryview]:
        """Type and content of the next element; `padded`: to multiples of 8 bytes."""
        kind, size = self._numbers_at(self.place, 2)
        start = self.place + 8
        # Up to four bytes stand in the tag itself, whose halves then say size and type.
        if kind >> 16:
            kind, size, start = kind & 0xFFFF, kind >> 16, self.place + 4
            if size > 4:
                raise FormatError(f"{self.path}: a damaged .mat file")
            self.place = start + 4
        else:
            self.place = start + size + (-size % 8 if padded else 0)
        if start + size > len(self.content):
            raise FormatError(f"{self.path}: a truncated .mat file")
        return kind, self.content[start : start + size]

    def _numbers_at(self, place: int, count: int) -> list[int]:
        if place + 4 * count > len(self.content):
            raise FormatError(f"{self.path}: a truncated .mat file")
        found: list[int] = np.frombuffer(self.content, f"{self.order}u4", count, place).tolist()
        return found

    def numbers(self, *types: str) -> NDArray[Any]:
        """The numbers of the next element, which must be of one of some types."""
        kind, content = self.take(padded=True)
        if NUMBERS.get(kind) not in types:
            raise FormatError(f"{self.path}: a damaged .mat file")
        dtype = np.dtype(f"{self.order}{NUMBERS[kind]}")
        return np.frombuffer(content, dtype, len(content) // dtype.itemsize)

    def more(self) -> bool:
        """Whether there is another one."""
        return self.place < len(self.content)
