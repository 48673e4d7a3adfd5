"""Version 5 `.mat` files: plain arrays of numbers and lines of text, read with suspicion.

What is wanted of the format is little, and is read here: `scipy.io.loadmat` reads all of it, but
damaged files make it crash the interpreter. A file is a header of 128 bytes and elements, each with
its type and size; those of a variable, often compressed, hold its class, shape, name and numbers in
turn (MathWorks, MAT-File Format). No size in a file is believed before the bytes are there.
"""

import io
import math
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from bridge.errors import FormatError
from bridge.exchange.files import check_file
from bridge.exchange.mat5_elements import NUMBERS, Elements

Array = NDArray[np.float64]

_LARGEST_BYTES = 2 * 2**30
_HEADER_BYTES = 128
_PIECE_BYTES = 2**20

# Types of elements, and how their letters are coded.
_MATRIX, _COMPRESSED = 14, 15
_LETTERS = {1: "ascii", 2: "ascii", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}

# Classes of variables.
_STRUCT, _CHAR, _OPAQUE = 2, 4, 17
_NUMERIC = range(6, 16)
_OTHERS = {1: "a cell", _STRUCT: "a struct", 3: "an object", 5: "a sparse matrix", 16: "a function"}
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
            f"{path}: an HDF5 file (as MATLAB's -v7.3 is); save it in MATLAB with -v7 instead, or "
            "if it is a recording, name its format: nwb or sonata"
        )
    if content[124:128] not in (b"\x00\x01IM", b"\x01\x00MI"):
        raise FormatError(f"{path}: no .mat file of version 5 (MATLAB's -v6 and -v7)")
    return content


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What was found in a file.

    Attributes:
        fields: The fields that were asked for: float64 numbers, or text.
        structs: Numbers and text that a struct of one element holds, by its name.
        others: Names of all other variables.
    """

    fields: dict[str, Array | str]
    structs: dict[str, dict[str, Array | str]]
    others: tuple[str, ...]


def read_mat(
    path: Path,
    content: bytes,
    names: Collection[str],
    where_plain: Callable[[str], bool] = lambda name: False,
) -> Contents:
    """The named fields that the `content` of a file holds, and what its structs say.

    Whatever type the numbers are stored in, they come back as float64: MATLAB stores whole ones in
    as few bytes as they need, and arithmetic on those would wrap around.

    Args:
        path: The file, for errors.
        content: Its bytes.
        names: Fields that must be plain where they are there.
        where_plain: Whether a field of that name is asked for where it is plain.

    Raises:
        FormatError: the file is damaged or holds too much, or a named field stands in it twice or
            is not a plain array of real numbers or line of text.
    """
    fields: dict[str, Array | str] = {}
    structs: dict[str, dict[str, Array | str]] = {}
    others: list[str] = []
    for variable in _variables(path, content):
        name = variable.name
        if name in fields:
            raise FormatError(f"{path}: holds {name} twice")
        if variable.class_ != _OPAQUE and (
            name in names or (where_plain(name) and variable.is_plain)
        ):
            fields[name] = variable.value()
        elif variable.is_struct:
            structs[name] = variable.members()
        # MATLAB keeps what functions refer to under no name.
        elif name:
            others.append(name)
    return Contents(fields=fields, structs=structs, others=tuple(others))


def mat_bytes(fields: dict[str, Any]) -> bytes:
    """A compressed version 5 `.mat` file of arrays and texts, as MATLAB reads it."""
    buffer = io.BytesIO()
    savemat(buffer, fields, format="5", do_compression=True, oned_as="column")
    return buffer.getvalue()


@dataclass
class _Variable:
    """The beginning of a variable, and the elements with what it holds."""

    name: str
    class_: int
    complex_: bool
    shape: tuple[int, ...]
    rest: Elements

    @property
    def is_plain(self) -> bool:
        """Whether it says of itself that it is real numbers or a line of text."""
        if self.class_ == _CHAR:
            return len(self.shape) == 2 and self.shape[0] <= 1
        return self.class_ in _NUMERIC and not self.complex_

    @property
    def is_struct(self) -> bool:
        """Whether it is a struct of one element."""
        return self.class_ == _STRUCT and math.prod(self.shape) == 1

    def members(self) -> dict[str, Array | str]:
        """The plain fields of a struct; those that are not, structs among them, are left out."""
        path, order = self.rest.path, self.rest.order
        width, (_, packed) = self.rest.numbers("i4").tolist(), self.rest.take(padded=True)
        if len(width) != 1 or not 0 < width[0] <= max(len(packed), 1):
            raise FormatError(f"{path}: a damaged .mat file")
        found: dict[str, Array | str] = {}
        for start in range(0, len(packed), width[0]):
            name = bytes(packed[start : start + width[0]]).split(b"\0")[0].decode("latin1")
            kind, held = self.rest.take(padded=True)
            if kind != _MATRIX:
                raise FormatError(f"{path}: a damaged .mat file")
            if not len(held):
                continue
            member = replace(_variable(Elements(path, held, order)), name=f"{self.name}.{name}")
            if member.is_plain:
                found[name] = member.value()
        return found

    def value(self) -> Array | str:
        """What it holds; FormatError unless that is plain."""
        path, name, count = self.rest.path, self.name, math.prod(self.shape)
        if self.class_ in _OTHERS or self.complex_:
            what = "complex" if self.complex_ else _OTHERS[self.class_]
            raise FormatError(f"{path}: {name} is not a plain array of real numbers but {what}")
        if self.class_ == _CHAR:
            return self._text()
        if self.class_ not in _NUMERIC:
            raise FormatError(f"{path}: a damaged .mat file")
        if min(self.shape) < 0 or 8 * count > _LARGEST_BYTES:
            raise FormatError(f"{path}: {name} claims the shape {self.shape}")
        values = self.rest.numbers(*NUMBERS.values())
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
            raise FormatError(f"{self.rest.path}: {self.name} is not a line of text") from None
        if len(self.shape) != 2 or self.shape[0] > 1:
            raise FormatError(f"{self.rest.path}: {self.name} is not a line of text")
        return text.strip()


def _variables(path: Path, content: bytes) -> Iterator[_Variable]:
    order = "<" if content[126:128] == b"IM" else ">"
    elements = Elements(path, memoryview(content)[_HEADER_BYTES:], order)
    left = _LARGEST_BYTES
    while elements.more():
        kind, held = elements.take(padded=False)
        if kind == _COMPRESSED:
            unpacked = _unpacked(path, held, left)
            left -= len(unpacked)
            kind, held = Elements(path, memoryview(unpacked), order).take(padded=False)
        if kind != _MATRIX:
            raise FormatError(f"{path}: a damaged .mat file")
        # MATLAB leaves empty elements.
        if len(held):
            yield _variable(Elements(path, held, order))


def _variable(elements: Elements) -> _Variable:
    """The beginning of a variable: flags and class, shape, name."""
    flags = elements.numbers("u4").tolist()
    if not flags:
        raise FormatError(f"{elements.path}: a damaged .mat file")
    # Objects of MATLAB's classes, as its strings and tables are, have no shape.
    opaque = flags[0] & 0xFF == _OPAQUE
    shape = () if opaque else tuple(elements.numbers("i4").tolist())
    _, name = elements.take(padded=True)
    if len(shape) < 2 and not opaque:
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
