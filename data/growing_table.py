"""A CSV file that grows row by row, so that a script which is stopped goes on where it was."""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path


def fill(
    path: Path,
    names: tuple[str, ...],
    places: Iterable[tuple[object, ...]],
    row: Callable[..., dict[str, object]],
) -> None:
    """Add the rows that are not in the file yet, each as soon as it is made.

    Args:
        path: The file.
        names: Of the columns that say which row it is.
        places: What stands in them, a tuple for each row.
        row: Makes a row of them.
    """
    there = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
    done = {tuple(each[name] for name in names) for each in there}
    for place in places:
        if tuple(map(str, place)) in done:
            continue
        made = row(*place)
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, made)
            if not file.tell():
                writer.writeheader()
            writer.writerow(made)
        print(made, flush=True)
