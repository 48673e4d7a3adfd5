"""HDF5 files of unknown origin: opened, and their data sets of numbers read, with suspicion."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange.attributes import per_second
from bridge.exchange.files import check_file

Array = NDArray[np.float64]

_MOST_NUMBERS = 200_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Moments:
    """Times as a data set holds them.

    Attributes:
        seconds: (S,) the times, s.
        apart_s: How far apart two numbers of its type are at the largest of them, s.
        number_type: The type they are stored in, as "float32".
    """

    seconds: Array
    apart_s: float
    number_type: str


@contextmanager
def foreign_file(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file of another tool; whatever is wrong with it is a FormatError in a sentence."""
    try:
        check_file(path)
        with h5py.File(path, "r") as file:
            yield file
    except (FormatError, SpecError):
        raise
    except PermissionError:
        raise FormatError(f"{path}: no permission to read it") from None
    except BlockingIOError:
        raise FormatError(f"{path}: another program has it open for writing") from None
    except MemoryError:
        raise FormatError(f"{path}: claims more than fits into memory") from None
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise FormatError(f"{path}: damaged, or no HDF5 file") from None


def is_hdf5(path: Path) -> bool:
    """Whether the content of a file is that of HDF5, damaged or not."""
    try:
        return bool(h5py.is_hdf5(path))
    except OSError:
        return False


def numbers(group: h5py.Group, name: str, path: Path, *, kinds: str = "fiu") -> Array:
    """A data set of plain numbers in a group of a foreign file, as float64.

    Args:
        group: Where it lies.
        name: Its name.
        path: The file.
        kinds: Which kinds of NumPy's types count as numbers.

    Raises:
        FormatError: it is missing, lies elsewhere, is not an array, or is absurdly large.
    """
    return np.asarray(_numbers_in(group, name, path, kinds)[()], dtype=np.float64)


def vector(group: h5py.Group, name: str, path: Path) -> Array:
    """The same as one row of numbers: one alone, a column or a row of a matrix are one, too.

    Raises:
        FormatError: as there, or it has rows and columns.
    """
    values = numbers(group, name, path)
    if sum(length != 1 for length in values.shape) > 1:
        raise FormatError(
            f"{path}: {group.name}/{name} must be one row of numbers, its shape is {values.shape}"
        )
    return values.reshape(-1)


def whole_numbers(group: h5py.Group, name: str, path: Path) -> NDArray[np.int64]:
    """A row of numbers that must be whole and not negative."""
    values = vector(group, name, path)
    if values.size and not (np.isfinite(values).all() and np.all(values >= 0)):
        raise FormatError(f"{path}: {group.name}/{name} must hold numbers that are not negative")
    if values.size and values.max() >= 2.0**53:
        raise FormatError(f"{path}: {group.name}/{name} holds {values.max():.0f}: too large")
    whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise FormatError(f"{path}: {group.name}/{name} must hold whole numbers")
    return whole


def moments(
    group: h5py.Group,
    name: str,
    path: Path,
    *,
    unit: str,
    above: tuple[h5py.Group, ...] = (),
    ours: bool = False,
) -> Moments:
    """A row of times.

    Args:
        group: Where the data set lies.
        name: Its name.
        path: The file.
        unit: The unit of time where the file says none.
        above: Groups whose attributes may state the unit, too.
        ours: Whether we have written it, in `unit`.

    Raises:
        FormatError: as of `vector`, or the unit is none of time, or stated twice and differently.
    """
    values = vector(group, name, path)
    item = group[name]
    in_a_second = per_second((item, *above), path, missing=unit, ours=ours)
    small = item.dtype.kind == "f" and item.dtype.itemsize < 8
    largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    apart = float(np.spacing(largest.astype(item.dtype.newbyteorder("=") if small else float)))
    return Moments(
        seconds=values / in_a_second,
        apart_s=apart / in_a_second,
        number_type=item.dtype.name,
    )


def _numbers_in(group: h5py.Group, name: str, path: Path, kinds: str = "fiu") -> h5py.Dataset:
    """The data set, judged before it is read: a small file can claim terabytes."""
    link = group.get(name, getlink=True) if name in group else None
    if link is None:
        raise FormatError(f"{path}: {group.name}/{name} is missing")
    if not isinstance(link, h5py.HardLink):
        raise FormatError(f"{path}: {group.name}/{name} links elsewhere; that is not followed")
    item = group[name]
    plain = isinstance(item, h5py.Dataset) and item.shape is not None
    if not plain or item.dtype.kind not in kinds or item.external or item.is_virtual:
        raise FormatError(f"{path}: {item.name} is not a plain array of numbers")
    if item.size > _MOST_NUMBERS:
        raise FormatError(f"{path}: {item.name} claims {item.size:,} numbers")
    if item.size and not item.id.get_storage_size():
        raise FormatError(f"{path}: {item.name} claims {item.size:,} numbers and holds none")
    _check_filters(item, path)
    return item


def _check_filters(item: h5py.Dataset, path: Path) -> None:
    """Raise FormatError where it is packed by what this HDF5 cannot unpack."""
    made = item.id.get_create_plist()
    for place in range(made.get_nfilters()):
        code, _, _, name = made.get_filter(place)
        if not h5py.h5z.filter_avail(code):
            raise FormatError(
                f"{path}: {item.name} is compressed by a filter that is not installed here "
                f"({name.decode('utf-8', 'replace') or code}); rewrite it with gzip (h5repack)"
            )
