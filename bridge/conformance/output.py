"""The table as a file: all that is said as CSV, or the words alone as a picture."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from bridge.conformance.judging import DIED, ERROR, LATE, OTHERWISE, RIGHT, WRONG
from bridge.conformance.running import Found
from bridge.conformance.table import COLUMNS, rows, verdicts
from bridge.conformance.trap import Trap
from bridge.exchange.hdf5 import write_bytes

SUFFIXES = (".csv", ".svg", ".png", ".pdf")
# Okabe and Ito (2008), lightened: the colour-blind can distinguish them, too, and each has a word.
_COLOURS = {
    RIGHT: "#b3e2d3",
    OTHERWISE: "#cce6f6",
    WRONG: "#f0a987",
    ERROR: "#f7e3b5",
    DIED: "#d9d9d9",
    LATE: "#d9d9d9",
}


def write(path: Path, found: Sequence[Found], graphs: Sequence[Trap]) -> None:
    """Write the table, whole or not at all; its ending, one of `SUFFIXES`, says as what."""
    if path.suffix.lower() == ".csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(found, graphs))
        write_bytes(path, text.getvalue().encode())
        return
    write_bytes(path, _picture(found, graphs, path.suffix.lower()[1:]))


def _picture(found: Sequence[Found], graphs: Sequence[Trap], kind: str) -> bytes:
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    table = verdicts(found, graphs)
    named = {each.title: f"{each.title}\n{each.version}" for each in found}
    heads = [named.get(name, "") for name in table.headers[1:]]
    words = [[str(cell) for cell in row[1:]] for row in table.rows]
    figure = Figure(figsize=(1.8 + 1.1 * len(heads), 0.24 * (2 + len(words))))
    axes = figure.subplots()
    axes.set_axis_off()
    drawn = axes.table(
        cellText=words,
        cellColours=[[_COLOURS[word] for word in row] for row in words],
        rowLabels=[str(row[0]) for row in table.rows],
        colLabels=heads,
        cellLoc="center",
        bbox=Bbox.unit(),
    )
    for (row, _), cell in drawn.get_celld().items():
        cell.set_edgecolor("#ffffff")
        # Names have a line more, their versions.
        cell.set_height(cell.get_height() * (2 if row == 0 else 1))
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150, bbox_inches="tight")
    return content.getvalue()
