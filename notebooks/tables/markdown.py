"""A table in Markdown, and the files it is made from."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
UNKNOWN = "-"


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a file in `data/`."""
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a table, without columns that say nothing."""
    columns = zip(head, *([str(cell) for cell in row] for row in rows), strict=True)
    told = [column for column in columns if set(column[1:]) - {"", UNKNOWN}]
    lines = [f"| {' | '.join(line)} |" for line in zip(*told, strict=True)]
    ruler = ("---:" if all(map(_is_number, column[1:])) else "---" for column in told)
    yield from (lines[0], f"|{'|'.join(ruler)}|", *lines[1:])


def _is_number(cell: str) -> bool:
    return cell in ("", UNKNOWN) or cell.replace(".", "", 1).replace(",", "").isdigit()
