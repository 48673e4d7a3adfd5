"""Tables as CSV files."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bridge.errors import FormatError
from bridge.exchange.hdf5 import write_bytes
from bridge.studies.work import Row

_TEXT = ("cell", "variant", "stopped", "failed", "made", "condition", "type")
"""Columns of text, even of such that looks like a number."""


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows as CSV, whole or not at all: numbers with six digits, None as nothing."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _shown(value) for name, value in row.items()} for row in rows)
    write_bytes(path, text.getvalue().encode())


def _shown(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def read_csv(path: Path) -> list[Row]:
    """The rows of a table that `write_csv` wrote.

    Numbers come as numbers; nothing comes as None, in columns of text as "".

    Raises:
        FormatError: there is none, or it is damaged.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path}: no table of a study ({error})") from None
    if not rows:
        raise FormatError(f"{path}: no table of a study (it has no rows); move it away")
    for number, row in enumerate(rows, start=1):
        # What DictReader makes of a line that is too long, and of one that is too short.
        if None in row or None in row.values():
            raise FormatError(f"{path}: damaged in row {number}; repair it, or move it away")
    return [{name: _value(name, text) for name, text in row.items()} for row in rows]


def _value(name: str, text: str) -> Any:
    if name in _TEXT:
        return text
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None
