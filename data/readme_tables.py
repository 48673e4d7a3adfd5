"""The README's tables of results on record, made from the files in `data/`.

    python data/readme_tables.py

Rewrites the rows of both tables in README.md; a test holds README and files together.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bridge.studies.catalog import STUDIES
from bridge.studies.cell_summaries import UNKNOWN, Summary, paired, summaries
from bridge.studies.csv_files import read_csv

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
STUDY_HEAD = (
    "| figure | cell | networks | at least 95 % as spikes | accuracy (%) | less the rate network's "
    "(points) | worse | output error | the paper |"
)
FAULT_HEAD = "| fault | exact: 20 trials | probe | statistical: 100 trials |"
# Of figure 6A's twenty periods these are enough to read.
SHOWN = {"6a": ("0 ms", "2 ms", "3.5 ms", "4 ms", "4.5 ms", "5 ms", "10 ms", "50 ms")}
LEFT_OUT, ORIGINAL = ("quality",), "-original"
NAMES = {
    "4de": "4D, E",
    "tasks": "tasks",
    "options": "options",
    "7-faithful": "7, by output error",
}
LEVELS = ("exact", "probe", "statistical")


def main() -> None:
    """Rewrite the README."""
    text = README.read_text(encoding="utf-8")
    for head, rows in ((STUDY_HEAD, study_rows()), (FAULT_HEAD, fault_rows())):
        start = text.index(head)
        end = text.index("\n\n", start)
        ruler = "|---" * (head.count("|") - 1) + "|"
        text = text[:start] + "\n".join([head, ruler, *rows]) + text[end:]
    README.write_text(text, encoding="utf-8")


def study_rows() -> Iterator[str]:
    """A row for each cell and variant on record."""
    for name, study in ((n + end, s) for n, s in STUDIES.items() for end in ("", ORIGINAL)):
        table = HERE / "studies" / name / "table.csv"
        if name in LEFT_OUT or not table.exists():
            continue
        figure = NAMES.get(name, name.upper().replace(ORIGINAL.upper(), ", original training"))
        title = f"{figure}: {study.title}"
        for one in summaries(study, read_csv(table)):
            if one.name in SHOWN.get(name.removesuffix(ORIGINAL), (one.name,)):
                paper = one.paper or (study.paper.get("", "") if title != figure else "")
                yield _study_row(title, one, paper.replace("+-", "±"))
                title = figure


def _study_row(figure: str, one: Summary, paper: str) -> str:
    right = 100 * np.asarray(one.accuracies)
    told = f"{right.mean():.1f} ± {right.std():.1f}, worst {right.min():.1f}"
    difference, interval, worse = paired(one)
    if interval != UNKNOWN:
        difference = f"{difference} ({interval})"
    errors = one.values("output_error")
    error = f"{np.median(errors):.2g}" if errors else UNKNOWN
    # Where rate networks are all that is measured, those count that reached their target.
    count = str(one.successes) if one.spiking else f"{one.trained} trained"
    cells = (figure, one.name, len(one.rows), count, told, difference, worse, error, paper)
    return f"| {' | '.join(map(str, cells))} |"


def fault_rows() -> Iterator[str]:
    """A row for each fault, a column for each level."""
    with (HERE / "faults.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in dict.fromkeys(row["fault"] for row in rows):
        mine = {row["level"]: row for row in rows if row["fault"] == name}
        told = " | ".join(_seen(mine[level]) if level in mine else "-" for level in LEVELS)
        yield f"| {mine['exact']['meaning']} (`{name}`) | {told} |"


def _seen(row: dict[str, str]) -> str:
    what = row["what"]
    if row["level"] == "exact":
        what = re.sub(r"^(\d+)", lambda count: f"{int(count[0]):,}", what)
    elif row["level"] == "probe":
        parts = (_SHORT.get(part, part) for part in what.split("; "))
        what = ", ".join(dict.fromkeys(parts))
    return f"{'seen' if row['seen'] == 'True' else 'not seen'}: {what}"


# What the report calls a finding, and the README for short.
_SHORT = {
    "postsynaptic current: onset": "onset",
    "postsynaptic current: peak": "peak",
    "postsynaptic current: area": "area",
    "no current where there is no synapse": "current without a synapse",
    "shortest interval between spikes (refractory period + 1)": "refractory period",
    "f-I curve: interval under a constant current": "f-I curve",
    "variance of the voltage, relative": "s.d. of the noise",
    "variance of the voltage of each neuron, relative": "s.d. of the noise",
    "variance of the mean of all voltages (noise of neurons is independent)": "s.d. of the noise",
    "input: onset": "onset of the input",
    "input: size of the current, relative": "size of the input",
    "readout of a single spike": "readout of a spike",
}


if __name__ == "__main__":
    main()
