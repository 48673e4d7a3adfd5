"""Version 5 `.mat` files: plain arrays of numbers and lines of text, read with suspicion.

What is wanted of the format is little, and is read here: `scipy.io.loadmat` reads all of it, but
damaged files make it crash the interpreter. A file is a header of 128 bytes and elements, each with
its type and size; those of a variable, often compressed, hold its class, shape, name and numbers in
turn (MathWorks, MAT-File Format). No size in a file is believed before the bytes are there.
"""

import io
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from bridge.errors import FormatError
from bridge.exchange.files import check_file

Array = NDArray[np.float64]

_LARGEST_BYTES = 2 * 2**30
_HEADER_BYTES = 128
_PIECE_BYTES = 2**20

# Types of elements, and how their numbers and letters are coded.
_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_LETTERS = {1: "ascii", 2: "ascii", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}

# Classes of variables.
_CHAR, _OPAQUE = 4, 17
_NUMERIC = range(6, 16)
_OTHERS = {1: "a cell", 2: "a struct", 3: "an object", 5: "a sparse matrix", 16: "a function"}
_COMPLEX = 0x800


def mat_content(path: Path) -> bytes:
    """The bytes of a file that says it is a version 5 `.mat` file; FormatError for any other."""
    check_file(path)
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise FormatError(f"{path}: larger than {_LARGEST_BYTES / 2**30:.0f} GiB")
        content = path.read_bytes()
    except PermissionError:
        raise FormatError(f"{path}: no permission to read it") from None
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    if b"\x89HDF\r\n\x1a\n" in content[:1024]:
        raise FormatError(
            f"{path}: an HDF5 file (as MATLAB's -v7.3 is); save it in MATLAB with -v7 instead"
        )
    if content[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise FormatError(f"{path}: no .mat file of version 5 (MATLAB's -v6 and -v7)")
    return content


def read_mat(path: Path, content: bytes, names: Sequence[str]) -> dict[str, Array | str]:
    """Those of the named fields that the `content` of a file holds: float64 numbers, or text.

    Whatever type the numbers are stored in, they come back as float64: MATLAB stores whole ones in
    as few bytes as they need, and arithmetic on those would wrap around.

    Raises:
        FormatError: the file is damaged or holds too much, or a named field stands in it twice or
            is no plain array of real numbers or line of text.
    """
    found: dict[str, Array | str] = {}
    for variable in _variables(path, content):
        if variable.name in found:
            raise FormatError(f"{path}: holds {variable.name} twice")
        if variable.name in names:
            found[variable.name] = variable.value()
    return found


def mat_bytes(fields: dict[str, Any]) -> bytes:
    """A compressed version 5 `.mat` file of arrays and texts, as MATLAB reads it."""
    buffer = io.BytesIO()
    savemat(buffer, fields, format="5", do_compression=True, oned_as="column")
    return buffer.getvalue()


class _Elements:
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
        if _NUMBERS.get(kind) not in types:
            raise FormatError(f"{self.path}: a damaged .mat file")
        dtype = np.dtype(f"{self.order}{_NUMBERS[kind]}")
        return np.frombuffer(content, dtype, len(content) // dtype.itemsize)

    def more(self) -> bool:
        """Whether there is another one."""
        return self.place < len(self.content)


@dataclass
class _Variable:
    """The beginning of a variable, and the elements with what it holds."""

    name: str
    class_: int
    complex_: bool
    shape: tuple[int, ...]
    rest: _Elements

    def value(self) -> Array | str:
        """What it holds; FormatError unless that is plain."""
        path, name, count = self.rest.path, self.name, math.prod(self.shape)
        if self.class_ in _OTHERS or self.complex_:
            what = "complex" if self.complex_ else _OTHERS[self.class_]
            raise FormatError(f"{path}: {name} is no plain array of real numbers but {what}")
        if self.class_ == _CHAR:
            return self._text()
        if self.class_ not in _NUMERIC:
            raise FormatError(f"{path}: a damaged .mat file")
        if min(self.shape) < 0 or 8 * count > _LARGEST_BYTES:
            raise FormatError(f"{path}: {name} claims the shape {self.shape}")
        values = self.rest.numbers(*_NUMBERS.values())
        if values.size != count:
            raise FormatError(f"{path}: {name} holds {values.size} numbers, not {count}")
        # A signalling NaN is no reason to warn: it is refused where it matters.
        with np.errstate(invalid="ignore"):
            return values.astype(np.float64).reshape(self.shape, order="F")

    def _text(self) -> str:
        kind, content = self.rest.take(padded=True)
        order = "" if kind == 16 or "utf" not in _LETTERS.get(kind, "") else "-le"
        if order and self.rest.order == ">":
            order = "-be"
        try:
            text = bytes(content).decode(_LETTERS.get(kind, "ascii") + order)
        except UnicodeDecodeError:
            raise FormatError(f"{self.rest.path}: {self.name} is no line of text") from None
        if len(self.shape) != 2 or self.shape[0] > 1:
            raise FormatError(f"{self.rest.path}: {self.name} is no line of text")
        return text.strip()


def _variables(path: Path, content: bytes) -> Iterator[_Variable]:
    order = "<" if content[126:128] == b"IM" else ">"
    elements = _Elements(path, memoryview(content)[_HEADER_BYTES:], order)
    left = _LARGEST_BYTES
    while elements.more():
        kind, held = elements.take(padded=False)
        if kind == _COMPRESSED:
            unpacked = _unpacked(path, held, left)
            left -= len(unpacked)
            kind, held = _Elements(path, memoryview(unpacked), order).take(padded=False)
        if kind != _MATRIX:
            raise FormatError(f"{path}: a damaged .mat file")
        # MATLAB leaves empty elements; objects of its classes have no shape.
        variable = _variable(_Elements(path, held, order)) if len(held) else None
        if variable is not None:
            yield variable


def _variable(elements: _Elements) -> _Variable | None:
    """The beginning of a variable: flags and class, shape, name."""
    flags = elements.numbers("u4").tolist()
    if not flags:
        raise FormatError(f"{elements.path}: a damaged .mat file")
    if flags[0] & 0xFF == _OPAQUE:
        return None
    shape = tuple(elements.numbers("i4").tolist())
    _, name = elements.take(padded=True)
    if len(shape) < 2:
        raise FormatError(f"{elements.path}: a damaged .mat file")
    return _Variable(
        name=bytes(name).decode("latin1"),
        class_=flags[0] & 0xFF,
        complex_=bool(flags[0] & _COMPLEX),
        shape=shape,
        rest=elements,
    )


def _unpacked(path: Path, packed: memoryview, left: int) -> bytes:
    """What a compressed element holds, at most `left` bytes."""
    stream, waiting, pieces, size = zlib.decompressobj(), bytes(packed), [], 0
    try:
        while not stream.eof:
            piece = stream.decompress(waiting, _PIECE_BYTES)
            waiting = stream.unconsumed_tail
            pieces.append(piece)
            size += len(piece)
            if size > left:
                raise FormatError(f"{path}: holds more than {_LARGEST_BYTES / 2**30:.0f} GiB")
            if not piece and not stream.eof:
                raise FormatError(f"{path}: a damaged .mat file")
    except zlib.error:
        raise FormatError(f"{path}: a damaged .mat file") from None
    return b"".join(pieces)
