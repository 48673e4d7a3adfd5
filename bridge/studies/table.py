"""The results of a study as a tidy table, and a picture of them."""

from collections.abc import Iterable
from itertools import chain

from bridge.studies.csv_files import write_csv
from bridge.studies.folder import DETAILS, FIGURE, TABLE, Folder
from bridge.studies.work import Row

COLUMNS = (
    "cell",
    "value",
    "variant",
    "variant_value",
    "seed",
    "accuracy",
    "rate_accuracy",
    "rate_only",
    "spiking_only",
    "output_error",
    "unit_correlation",
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
