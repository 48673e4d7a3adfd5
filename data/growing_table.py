"""A CSV file that grows row by row, so that a script which is stopped goes on where it was."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

Row = dict[str, object]


def fill(
    path: Path,
    names: tuple[str, ...],
    places: Iterable[tuple[object, ...]],
    row: Callable[..., Row],
    mapped: Callable[..., Iterable[Row]] = map,
) -> None:
    """Add the rows that are not in the file yet, each as soon as it is made.

    Args:
        path: The file.
        names: Of the columns that say which row it is.
        places: What stands in them, a tuple for each row.
        row: Makes a row of them.
        mapped: Makes the rows one after the other, as `map` does, or in processes, as the `map` of
            an executor.
    """
    there = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
    done = {tuple(each[name] for name in names) for each in there}
    left = [place for place in places if tuple(map(str, place)) not in done]
    for made in mapped(row, *zip(*left, strict=True)) if left else ():
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, made)
            if not file.tell():
                writer.writeheader()
            writer.writerow(made)
        print(made, flush=True)
