"""What the columns of an NWB units table state of its units: populations, when they were observed.

Columns that are of another form than the standard's are those of others, and passed over.
"""

import json
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.attributes import per_second, text, text_of
from bridge.exchange.foreign import numbers, whole_numbers
from bridge.exchange.links import own_part
from bridge.exchange.nwb_writing import POPULATIONS

Array = NDArray[np.float64]


def populations_of(units: h5py.Group, size: int, path: Path) -> dict[str, int]:
    """Names and sizes of the populations: as we wrote them, or as a column gives them."""
    found = _own_populations(units, path)
    if sum(found.values()) == size and found:
        return found
    found = {}
    names = texts(units, "population", size, path)
    for place, name in enumerate(names):
        if name in found and names[place - 1] != name:
            return {"units": size}
        found[name] = found.get(name, 0) + 1
    return found if names and "" not in found else {"units": size}


def _own_populations(units: h5py.Group, path: Path) -> dict[str, int]:
    """What `encode` noted with the column, whose text lies in the heap; {} where it did not."""
    note = text(units, POPULATIONS, path)
    try:
        told = {} if note is None else json.loads(note)
    except json.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or not all(type(n) is int and n >= 0 for n in told.values()):
        raise FormatError(f"{path}: {units.name}: {POPULATIONS} must state names and sizes")
    return told


def texts(units: h5py.Group, name: str, size: int, path: Path) -> list[str]:
    """A column of `size` texts; [] for a column of anything else, which others may have."""
    column = _column(units, name, size, path)
    if column is None or h5py.check_string_dtype(column.dtype) is None:
        return []
    return [text_of(value) for value in column[()]]


def labels(units: h5py.Group, name: str, size: int, path: Path) -> list[str]:
    """The same of a column of texts or of numbers."""
    column = _column(units, name, size, path)
    if column is not None and column.dtype.kind in "fiu":
        return [f"{value:.17g}" for value in numbers(units, name, path)]
    return texts(units, name, size, path)


def _column(units: h5py.Group, name: str, size: int, path: Path) -> h5py.Dataset | None:
    """A column of one value a row; None where it is of another form, or there is none."""
    # A column of several values a row has an index of its own.
    if f"{name}_index" in units or (name.endswith("_index") and name[: -len("_index")] in units):
        return None
    column = own_part(units, name, path)
    # Judged before it is read: a small file can claim a column of terabytes.
    if not isinstance(column, h5py.Dataset) or column.shape != (size,):
        return None
    return None if column.external or column.is_virtual else column


def intervals_s(units: h5py.Group, size: int, path: Path) -> Array | None:
    """(N, 2) from when to when each unit was observed, s; None: not stated, or not in one piece.

    Raises:
        FormatError: what gives it is damaged.
    """
    if own_part(units, "obs_intervals", path) is None or "obs_intervals_index" not in units:
        return None
    ends = whole_numbers(units, "obs_intervals_index", path)
    edges = numbers(units, "obs_intervals", path)
    if not np.array_equal(ends, np.arange(1, size + 1)) or edges.shape != (size, 2):
        return None
    return edges / per_second((units["obs_intervals"],), path, missing="s")


def observed(
    units: h5py.Group, size: int, times_s: Array, path: Path
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """From when to when all units were observed, s, if stated; and what a user should know."""
    if own_part(units, "obs_intervals", path) is None:
        return None, ()
    edges = intervals_s(units, size, path)
    if edges is not None and np.isfinite(edges).all() and not np.ptp(edges, axis=0).any():
        start, stop = edges[0].tolist()
        if (
            start < stop
            and start <= times_s.min(initial=start) <= times_s.max(initial=start) < stop
        ):
            return (start, stop), ()
    return None, ("obs_intervals: not looked at, they differ between units or lie elsewhere",)
