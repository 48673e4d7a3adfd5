"""NumPy's own files, `.npz` and `.npy`: judged by their headers, and never unpickled."""

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.spiking.trains import MOST_VALUES

Arrays = dict[str, NDArray[Any]]


def npz_arrays(path: Path) -> Arrays:
    """All arrays of an archive, each judged by its header before it is read."""

    def read_() -> Arrays:
        _check_headers(path)
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    return _guarded(read_, path, "archive")


def npy_array(path: Path) -> NDArray[Any]:
    """The array of an `.npy` file, judged by its header before it is read."""

    def read_() -> Arrays:
        with path.open("rb") as file:
            _check_array(f"{path}", *_header(file))
        return {"": np.load(path, allow_pickle=False)}

    return _guarded(read_, path, "file")[""]


def _guarded(read_: Callable[[], Arrays], path: Path, kind: str) -> Arrays:
    """What a reading gives; whatever is wrong with the file is a FormatError in a sentence."""
    try:
        return read_()
    except FormatError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        raise FormatError(f"{path}: damaged, or no {kind} of NumPy arrays") from None
    # What `zipfile` raises for a compression that it lacks, and for what is encrypted.
    except (NotImplementedError, RuntimeError):
        raise FormatError(f"{path}: packed in a way that NumPy does not read") from None
    except MemoryError:
        raise FormatError(f"{path}: claims more than fits into memory") from None


def _check_headers(path: Path) -> None:
    """Raise FormatError for what holds anything else than arrays of numbers and text."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        strange = [name for name in names if not name.endswith(".npy")]
        if strange or not names:
            what = f"{strange[0][:60]!r}, no array" if strange else "nothing"
            raise FormatError(f"{path}: no archive of NumPy arrays, it holds {what}")
        if len(set(names)) < len(names):
            raise FormatError(f"{path}: two of its arrays have one name")
        for info in archive.infolist():
            with archive.open(info) as member:
                shape, dtype = _header(member)
            _check_array(f"{path}: {info.filename.removesuffix('.npy')}", shape, dtype)
            if int(np.prod(shape, dtype=object)) * dtype.itemsize > info.file_size:
                raise FormatError(f"{path}: damaged, or no archive of NumPy arrays")


def _header(member: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    layout: Any = np.lib.format
    version = layout.read_magic(member)
    readers = {(1, 0): layout.read_array_header_1_0, (2, 0): layout.read_array_header_2_0}
    if version not in readers:
        raise ValueError(version)
    shape, _, dtype = readers[version](member)
    return shape, dtype


def _check_array(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if dtype.hasobject:
        raise FormatError(f"{name} holds Python objects, which are not read: they could run code")
    if dtype.kind not in "fiubU":
        raise FormatError(f"{name} holds {dtype}, neither numbers nor text")
    count = int(np.prod(shape, dtype=object))
    if count > MOST_VALUES:
        raise FormatError(f"{name} claims {count:,} values; at most {MOST_VALUES:,} are read")
