"""Inputs of a network in tables of text (.csv): analog values, or units and times of spikes.

Columns are separated by commas, and may have names in the first row. Analog: a row is a sample, and
a column a channel except for those called `trial`, `time_s` and `condition`. Spikes: `unit` and
`time` (or `time_s`), s from the start of the trial, in addition to `trial` and `condition`.

Of several inputs, the names of an analog one's columns are or begin with its name, as `light_0`,
and a table of spikes has a column `input`.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
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
    labels_of,
    spikes_of,
    whole,
)
from bridge.exchange.named_inputs import ToldInputs, assigned, inputs_told, owner
from bridge.exchange.told_inputs import AnalogInput, SpikeInput
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]

SUFFIXES = (".csv", ".txt")
_LARGEST_BYTES = 2**30
_LONGEST_ROW = 2**20


@dataclass(kw_only=True, eq=False)
class _Table:
    """A table as text: names of its columns (numbers where it has none) and where rows begin.

    Columns of `texts` hold words, which become the numbers of their names.
    """

    path: Path
    names: list[str]
    named: bool
    texts: dict[str, Conditions] = field(default_factory=lambda: {"condition": {}})

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions."""
        return tuple(self.texts["condition"])


def read(path: Path) -> AnalogInput | SpikeInput:
    """The input that a table holds.

    Raises:
        FormatError: it is not such a table: the sentence says in which row and column.
    """
    return _told(*_table(path))


def _table(path: Path, more: tuple[str, ...] = ()) -> tuple[_Table, Array]:
    """A table and its (R, columns) rows; of spikes it may have `more` columns of words."""
    _check_size(path)
    try:
        table = _opened(path, more)
        return table, _numbers(table)
    except UnicodeDecodeError:
        raise FormatError(f"{path}: no text in UTF-8, so no .csv file") from None


def _told(table: _Table, values: Array) -> AnalogInput | SpikeInput:
    if not table.named:
        return analog_of(values, {}, (), table.path)
    columns = dict(zip(table.names, values.T, strict=True))
    if "unit" in columns:
        return spikes_of(columns, table.conditions, table.path)
    channels = [place for place, name in enumerate(table.names) if name not in _KNOWN]
    return _analog(table, values, channels)


def _analog(table: _Table, values: Array, channels: list[int]) -> AnalogInput:
    """Some of the columns as an analog input."""
    columns = dict(zip(table.names, values.T, strict=True))
    told = {name: columns[name] for name in _KNOWN if name in columns}
    return analog_of(values[:, channels], told, table.conditions, table.path)


_KNOWN = ("trial", "time_s", "condition")


def read_named(path: Path, network: SpikingNetwork) -> ToldInputs:
    """What a table holds of the inputs of a network, by their names where it has these.

    Raises:
        FormatError: as `read` does, or for what is of none of the inputs.
    """
    table, values = _table(path, ("input",))
    if table.named and "unit" in table.names:
        return _spikes_by_name(table, values, network)
    owners = {
        place: owner(name, network.inputs)
        for place, name in enumerate(table.names)
        if table.named and name not in _KNOWN
    }
    if not any(owners.values()):
        return assigned(_told(table, values), network, path)
    analog = {}
    for place, part in owners.items():
        if part is None or part.spiking:
            why = "is of no input" if part is None else "is of an input that takes spikes"
            raise FormatError(
                f"{path}: the column {table.names[place]!r} {why}; {inputs_told(network)}"
            )
        mine = [each for each, whose in owners.items() if whose == part]
        analog[part.name] = _analog(table, values, mine)
    labels = next(iter(analog.values())).labels
    return ToldInputs(analog=analog, labels=labels, conditions=table.conditions)


def _spikes_by_name(table: _Table, values: Array, network: SpikingNetwork) -> ToldInputs:
    """Spikes of the inputs that a column names."""
    path, columns = table.path, dict(zip(table.names, values.T, strict=True))
    if "input" not in columns:
        return assigned(spikes_of(columns, table.conditions, path), network, path)
    spiking = {part.name for part in network.spiking_inputs()}
    strange = [name for name in table.texts["input"] if name not in spiking]
    if strange:
        raise FormatError(
            f"{path}: a spike of {strange[0][:60]!r}, which is not an input that takes spikes; "
            f"{inputs_told(network)}"
        )
    kept = {name: each for name, each in columns.items() if name not in ("input", "condition")}
    spikes = {
        name: spikes_of(
            {of: each[columns["input"] == number] for of, each in kept.items()}, (), path
        )
        for name, number in table.texts["input"].items()
    }
    labels = None
    if "condition" in columns:
        trial = whole("trial", columns["trial"], path) if "trial" in columns else None
        labels = labels_of(columns["condition"], trial, path)
    return ToldInputs(spikes=spikes, labels=labels, conditions=table.conditions)


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


def _opened(path: Path, more: tuple[str, ...]) -> _Table:
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
    check_names(names, path, more)
    table = _Table(path=path, names=names, named=True)
    if "unit" in names:
        table.texts |= {name: {} for name in more}
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _numbers(table: _Table) -> Array:
    """(R, columns) all rows; a word is the number of its name."""
    converters: dict[int | str, Callable[[str], Any]] = {
        table.names.index(name): partial(_number_of, known)
        for name, known in table.texts.items()
        if table.named and name in table.names
    }
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


def _number_of(known: Conditions, cell: str) -> int:
    return known.setdefault(cell.strip(), len(known))


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
            if (table.named and row == 1) or name in table.texts or _is_number(cell):
                continue
            what = f"holds {cell[:40]!r}, no number" if cell else "is empty"
            column = f"column {name!r}" if table.named else f"column {int(name) + 1}"
            return FormatError(f"{table.path}: row {row}, {column} {what}")
    return FormatError(f"{table.path}: cannot be read as numbers ({error})")
