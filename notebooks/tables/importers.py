"""Which importers of NIR read it right."""

import re
from collections.abc import Iterator

from tables.markdown import UNKNOWN, rows_of, table

RECORD = "nir_importers.csv"
HEAD = ("importer", "version", "reads with", "right", "other", "wrong", "error")
DIFFER = re.compile(r"(\d+) of (\d+) values differ, the first in step (\d+)")


def importers() -> Iterator[str]:
    """A row for each importer: its version, and how many graphs it reads how."""
    rows = rows_of(RECORD)
    titles = dict.fromkeys(row["importer"] for row in rows)
    return table(HEAD, (_importer(title, rows) for title in titles))


def _importer(title: str, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if row["importer"] == title]
    counts = (sum(row["verdict"] == word for row in mine) for word in HEAD[3:])
    return (title, mine[0]["version"], mine[0]["with"], *counts)


def graphs() -> Iterator[str]:
    """A row for each graph, a column for each importer."""
    rows = rows_of(RECORD)
    titles = tuple(dict.fromkeys(row["importer"] for row in rows))
    found = {(row["graph"], row["importer"]): row["verdict"] for row in rows}
    whats = {row["graph"]: row["what"] for row in rows}
    yield from table(
        ("graph", "what it tests", *titles),
        (
            (f"`{name}`", what, *(found.get((name, title), UNKNOWN) for title in titles))
            for name, what in whats.items()
        ),
    )


def said() -> Iterator[str]:
    """What is said of the cells that are not right, a row for each importer and sentence."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in rows_of(RECORD):
        if row["verdict"] == "right":
            continue
        differ = DIFFER.fullmatch(row["said"])
        sentence = "spikes or values differ, of all" if differ else _words(row)
        name = f"`{row['graph']}`" + (f" {int(differ[1]) / int(differ[2]):.0%}" if differ else "")
        groups.setdefault((row["importer"], row["verdict"], sentence), []).append(name)
    yield from table(
        ("importer", "", "what happens", "graphs"),
        ((*key, ", ".join(names)) for key, names in sorted(groups.items(), key=_order)),
    )


def _order(group: tuple[tuple[str, str, str], list[str]]) -> tuple[int, int]:
    """Importers as in the record, and of each what is wrong before what is said to be."""
    (importer, verdict, _), _ = group
    titles = list(dict.fromkeys(row["importer"] for row in rows_of(RECORD)))
    return titles.index(importer), ("wrong", "other", "died", "hangs", "error").index(verdict)


def _words(row: dict[str, str]) -> str:
    if row["verdict"] != "error":
        return row["said"]
    # The names of nodes and files differ from graph to graph, the reason does not.
    text = re.sub(r"mismatch: \S+ \[.*?\]+ -> \S+ \[.*?\]+", "mismatch", row["said"])
    text = re.sub(r" [\w-]+\.nir", "", text)
    return f"`{' '.join(text.replace('`', '').split())}`"
