"""What was found, in tables and lines."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bridge.conformance.judging import MEANING, RIGHT
from bridge.conformance.running import Found
from bridge.conformance.trap import Trap
from bridge.tables import Rows, Table

COLUMNS = ("importer", "version", "with", "graph", "what", "verdict", "said")


def rows(found: Sequence[Found], graphs: Sequence[Trap]) -> list[dict[str, str]]:
    """A row, as `COLUMNS`, for each importer that was run and each graph."""
    made = []
    for each in found:
        for trap in graphs if not each.missing else ():
            verdict = each.verdicts[trap.name]
            cells = (each.title, each.version, each.others, trap.name, trap.what)
            made.append(dict(zip(COLUMNS, (*cells, verdict.word, verdict.said), strict=True)))
    return made


def summary(found: Found) -> str:
    """A line: versions, and how many graphs are read how; or what is missing."""
    if found.missing:
        return f"{found.title}: not run, without {', '.join(found.missing)}: {found.install}"
    counts = Counter(verdict.word for verdict in found.verdicts.values())
    told = ", ".join(f"{counts[word]} {word}" for word in MEANING if counts[word])
    return f"{found.title} {found.version} ({found.others}): {told}"


def verdicts(found: Sequence[Found], graphs: Sequence[Trap]) -> Table:
    """A row for each graph, a column for each importer that was run."""
    run = [each for each in found if not each.missing]
    titles = tuple(each.title for each in run)
    cells: Rows = [(trap.name, *(each.verdicts[trap.name].word for each in run)) for trap in graphs]
    return Table(headers=("graph", *titles), rows=cells, words=("graph", *titles))


def details(found: Sequence[Found], graphs: Sequence[Trap]) -> Table:
    """A row for each cell that is not right: what is said of it."""
    names = ("importer", "graph", "verdict", "said")
    told = [row for row in rows(found, graphs) if row["verdict"] != RIGHT]
    cells: Rows = [tuple(row[name] for name in names) for row in told]
    return Table(headers=names, rows=cells, words=names)


def legend(found: Sequence[Found]) -> Mapping[str, str]:
    """What the words in the table mean, those that are in it."""
    used = {verdict.word for each in found for verdict in each.verdicts.values()}
    return {word: meaning for word, meaning in MEANING.items() if word in used}
