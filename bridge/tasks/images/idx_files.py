"""Pictures in idx files, as MNIST and Fashion-MNIST come: plain, or packed by gzip."""

import gzip
import math
import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.tasks.images.folder import missing
from bridge.tasks.images.pictures import Pictures, check_labels

SIDE = 28
SIZE = SIDE * SIDE
_PARTS = {"training": "train", "held out": "t10k"}
# The third byte says unsigned bytes, the fourth how many dimensions.
_PICTURES, _LABELS = 0x00000803, 0x00000801
_MOST_BYTES = 2**31


@lru_cache(maxsize=4)
def idx_pictures(folder: Path, part: str) -> Pictures:
    """The "training" or the "held out" pictures of a folder.

    Raises:
        FormatError: a file is missing, cut off, of another kind, or does not fit the other.
    """
    name = _PARTS[part]
    files = [f"{name}-images-idx3-ubyte", f"{name}-labels-idx1-ubyte"]
    found = [_found(folder, each) for each in files]
    if None in found:
        raise missing(folder, [f"{each} or {each}.gz" for each in files])
    pictures, labels = (path for path in found if path is not None)
    pixels = read_idx(pictures, _PICTURES)
    classes = read_idx(labels, _LABELS).astype(np.int64)
    if pixels.shape[1:] != (SIDE, SIDE):
        rows, columns = pixels.shape[1:]
        raise FormatError(
            f"{pictures}: expected pictures of {SIDE} x {SIDE} pixels, got {rows} x {columns}"
        )
    try:
        check_labels(classes, len(pixels))
    except ValueError as error:
        raise FormatError(f"{labels}: {error}") from None
    return Pictures(np.divide(pixels.reshape(-1, SIZE), 255, dtype=np.float32), classes)


def _found(folder: Path, name: str) -> Path | None:
    """The file of that name, plain or packed."""
    places = (folder / name, folder / f"{name}.gz")
    return next((path for path in places if path.is_file()), None)


def read_idx(path: Path, magic: int) -> NDArray[np.uint8]:
    """The bytes of an idx file in its shape.

    Args:
        path: The file, plain or packed by gzip.
        magic: The number that it begins with.

    Raises:
        FormatError: it is damaged, or of another kind.
    """
    content = _content(path)
    dimensions = magic & 0xFF
    head = 4 + 4 * dimensions
    if len(content) < head:
        raise FormatError(f"{path}: has {len(content)} bytes, and an idx file begins with {head}")
    begin, *shape = struct.unpack(f">{1 + dimensions}I", content[:head])
    if begin != magic:
        raise FormatError(f"{path}: begins with {begin:#010x}, expected {magic:#010x}")
    expected = math.prod(shape)
    if expected < 1 or expected != len(content) - head:
        raise FormatError(
            f"{path}: {' x '.join(map(str, shape))} values are stated, {len(content) - head} are "
            "there"
        )
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as file:
            # A small file may hold any number of bytes.
            content = file.read(_MOST_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise FormatError(f"{path}: is cut off or damaged, gzip cannot unpack it") from None
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    return content
