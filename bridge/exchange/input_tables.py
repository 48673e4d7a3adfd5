"""Inputs of a network in tables of text (.csv): analog values, or units and times of spikes.

Columns are separated by commas, and may have names in the first row. Analog: a row is a sample, and
a column a channel but for those called `trial`, `time_s` and `condition`. Spikes: `unit` and `time`
(or `time_s`), s from the start of the trial, beside `trial` and `condition`.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.input_columns import (
    Conditions,
    analog_of,
    check_names,
    spikes_of,
)
from bridge.exchange.told_inputs import AnalogInput, SpikeInput

Array = NDArray[np.float64]

SUFFIXES = (".csv", ".txt")
_LARGEST_BYTES = 2**30
_LONGEST_ROW = 2**20


@dataclass(kw_only=True, eq=False)
class _Table:
    """A table as text: names of its columns (numbers where it has none) and where rows begin."""

    path: Path
    names: list[str]
    named: bool
    conditions: Conditions = field(default_factory=dict)


def read(path: Path) -> AnalogInput | SpikeInput:
    """The input that a table holds.

    Raises:
        FormatError: it is no such table: the sentence says in which row and column.
    """
    _check_size(path)
    try:
        table = _opened(path)
        values = _numbers(table)
    except UnicodeDecodeError:
        raise FormatError(f"{path}: no text in UTF-8, so no .csv file") from None
    if not table.named:
        return analog_of(values, {}, (), path)
    columns = dict(zip(table.names, values.T, strict=True))
    if "unit" in columns:
        return spikes_of(columns, tuple(table.conditions), path)
    channels = [place for place, name in enumerate(table.names) if name not in _KNOWN]
    told = {name: columns[name] for name in _KNOWN if name in columns}
    return analog_of(values[:, channels], told, tuple(table.conditions), path)


_KNOWN = ("trial", "time_s", "condition")


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if not size:
        raise FormatError(f"{path}: an empty file")
    if size > _LARGEST_BYTES:
        raise FormatError(
            f"{path}: a text of {size / 2**30:.1f} GiB is too large; write its arrays as .npz"
        )
    with path.open("rb") as file:
        if b"\0" in file.read(4096):
            raise FormatError(f"{path}: no text, so no .csv file")


def _lines(path: Path) -> Iterator[str]:
    """The rows that are not empty."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        while line := file.readline(_LONGEST_ROW):
            if len(line) == _LONGEST_ROW:
                raise FormatError(f"{path}: a row of more than {_LONGEST_ROW:,} letters")
            if line.strip():
                yield line


def _cells(line: str, path: Path) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]))]
    except csv.Error as error:
        raise FormatError(f"{path}: no row of a table ({error})") from None


def _opened(path: Path) -> _Table:
    """The table, its first row looked at."""
    first = next(_lines(path), None)
    if first is None:
        raise FormatError(f"{path}: an empty file")
    cells = _cells(first, path)
    if len(cells) == 1 and (";" in first or "\t" in first.strip()):
        raise FormatError(f"{path}: its columns must be separated by commas")
    numbers = [_is_number(cell) for cell in cells]
    if all(numbers):
        return _Table(path=path, names=[str(place) for place in range(len(cells))], named=False)
    names = [cell.lower() for cell in cells]
    if any(numbers) and not {"unit", *_KNOWN} & set(names):
        raise FormatError(f"{path}: its first row is neither one of names nor one of numbers")
    check_names(names, path)
    return _Table(path=path, names=names, named=True)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(table: _Table) -> Array:
    """(R, columns) all rows; a condition is the number of its name."""
    known = table.conditions
    converters: dict[int | str, Callable[[str], Any]] = {}
    if table.named and "condition" in table.names:
        place = table.names.index("condition")
        converters[place] = lambda cell: known.setdefault(cell.strip(), len(known))
    rows = _lines(table.path)
    if table.named:
        next(rows)
    first = next(rows, None)
    if first is None:
        return np.empty((0, len(table.names)))
    try:
        values: Array = np.loadtxt(
            chain([first], rows),
            delimiter=",",
            comments=None,
            quotechar='"',
            ndmin=2,
            converters=converters or None,
        )
    except ValueError as error:
        raise _misread(table, error) from None
    if values.shape[1] != len(table.names):
        raise _misread(table, None)
    return values


def _misread(table: _Table, error: ValueError | None) -> FormatError:
    """Which row and column of a table is at fault."""
    for row, line in enumerate(_lines(table.path), 1):
        cells = _cells(line, table.path)
        if len(cells) != len(table.names):
            return FormatError(
                f"{table.path}: row {row} has {len(cells)} columns, the first one has "
                f"{len(table.names)}"
            )
        for name, cell in zip(table.names, cells, strict=True):
            if (table.named and row == 1) or name == "condition" or _is_number(cell):
                continue
            what = f"holds {cell[:40]!r}, no number" if cell else "is empty"
            column = f"column {name!r}" if table.named else f"column {int(name) + 1}"
            return FormatError(f"{table.path}: row {row}, {column} {what}")
    return FormatError(f"{table.path}: cannot be read as numbers ({error})")
