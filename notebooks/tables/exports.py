"""Which importers run the NIR graphs that are exported here."""

from collections.abc import Iterator

from tables.markdown import UNKNOWN, rows_of, table

RECORD = "nir_exports.csv"


def exports() -> Iterator[str]:
    """A row for each network, a column for each importer."""
    rows = rows_of(RECORD)
    titles = {row["importer"]: f"{row['importer']} {row['version']}" for row in rows}
    found = {(row["graph"], row["importer"]): row for row in rows}
    whats = {row["graph"]: row["what"] for row in rows}
    yield from table(
        ("network", *titles.values()),
        (
            (what, *(_cell(found.get((name, title))) for title in titles))
            for name, what in whats.items()
        ),
    )


def _cell(row: dict[str, str] | None) -> str:
    """The verdict, and what an error says, without where it comes from."""
    if row is None:
        return UNKNOWN
    if row["verdict"] in ("right", "wrong"):
        return row["verdict"]
    said = row["said"].rsplit(" (in ", 1)[0].removesuffix(".")
    for kind in ("AssertionError: ", "ValueError: ", "RuntimeError: "):
        said = said.removeprefix(kind)
    lacks = "Unknown node type <class 'nir.ir."
    if said.startswith(lacks):
        return f"lacks {said.removeprefix(lacks).split(chr(39))[0].rsplit('.', 1)[-1]}"
    return f"{row['verdict']}: {said}"
