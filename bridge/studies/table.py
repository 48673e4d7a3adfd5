"""The results of a study as a tidy table, a summary beside the paper, and a picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from bridge.studies.csv_files import write_csv
from bridge.studies.folder import DETAILS, FIGURE, TABLE, Folder
from bridge.studies.study import Study
from bridge.studies.work import Row

SUCCESS = 0.95
"""The paper counts a network as a success from this accuracy on."""

COLUMNS = (
    "cell",
    "value",
    "variant",
    "variant_value",
    "seed",
    "accuracy",
    "rate_accuracy",
    "search_accuracy",
    "inverse_scale",
    "plateau",
    "searched",
    "rate_hz",
    "loss",
    "updates",
    "stopped",
    "largest_eigenvalue",
    "training_s",
    "seconds",
    "failed",
    "made",
)


def write_all(folder: Folder) -> list[Row]:
    """Write table.csv, details.csv where a study has details, and figure.png; the table's rows."""
    rows = folder.all_results()
    further = sorted({name for row in rows for name in row} - {*COLUMNS, "details"})
    plain = [{name: row.get(name) for name in (*COLUMNS, *further)} for row in rows]
    if not rows:
        return []
    write_csv(folder.home / TABLE, (*COLUMNS, *further), plain)
    details = [line for row in rows if "details" in row for line in _lines(row)]
    if details:
        write_csv(folder.home / DETAILS, tuple(dict.fromkeys(chain(*details))), details)
    else:
        (folder.home / DETAILS).unlink(missing_ok=True)
    # Only here: matplotlib takes a while to load.
    from bridge.studies.picture import draw

    draw(folder.study, plain, details, folder.home / FIGURE)
    return plain


def _lines(row: Row) -> Iterable[Row]:
    columns = row["details"]
    for values in zip(*columns.values(), strict=True):
        yield {"cell": row["cell"], "seed": row["seed"], **dict(zip(columns, values, strict=True))}


@dataclass(frozen=True)
class Summary:
    """The networks of one cell and variant."""

    name: str
    cell: str
    variant: str
    value: float | None
    rows: tuple[Row, ...]
    paper: str

    @property
    def accuracies(self) -> list[float]:
        """Of the spiking networks; one whose training failed has none."""
        return [row["accuracy"] for row in self.rows if row["accuracy"] is not None]

    @property
    def successes(self) -> int:
        """Networks with an accuracy of at least `SUCCESS`."""
        return sum(value >= SUCCESS for value in self.accuracies)


def summaries(study: Study, rows: Sequence[Row]) -> list[Summary]:
    """One for each cell and variant that has networks, in the study's order."""
    found = []
    for cell in study.cells:
        for variant in cell.variants:
            mine = tuple(
                row
                for row in rows
                if row["cell"] == cell.name and (row["variant"] or "") == variant.name
            )
            if mine:
                value = cell.value if variant.value is None else variant.value
                paper = study.paper.get(variant.name or cell.name, "")
                several = variant.name and len(study.cells) > 1
                name = f"{cell.name}, {variant.name}" if several else variant.name or cell.name
                found.append(Summary(name, cell.name, variant.name, value, mine, paper))
    return sorted(found, key=lambda one: (one.value is not None, one.value or 0.0))


HEADERS = ("", "networks", "trained", "succeed", "accuracy", "rate net", "1/lambda", "Hz", "paper")


def lines(study: Study, rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """The summary as a table; accuracies in %, mean and s.d. over networks."""
    return [_line(one) for one in summaries(study, rows)]


def _line(one: Summary) -> tuple[object, ...]:
    def mean(name: str) -> float:
        values = [row[name] for row in one.rows if row.get(name) is not None]
        return float(np.mean(values)) if values else float("nan")

    accuracies = 100 * np.asarray(one.accuracies or [np.nan])
    return (
        one.name,
        len(one.rows),
        sum(row["stopped"] == "target" for row in one.rows),
        one.successes,
        f"{accuracies.mean():.1f} +- {accuracies.std():.1f}",
        f"{100 * mean('rate_accuracy'):.1f}",
        f"{mean('inverse_scale'):.0f}",
        f"{mean('rate_hz'):.1f}",
        one.paper,
    )
