"""The pages' tables of results on record, made from the files in `data/`.

    python data/page_tables.py

Rewrites the tables between marks in `notebooks/`; a test holds pages and files together.
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
PAGES = HERE.parent / "notebooks"
STUDY_HEAD = (
    "cell",
    "networks",
    "at least 95 % as spikes",
    "accuracy (%)",
    "less the rate network's (points)",
    "worse",
    "output error",
    "the paper",
)
# Where rate networks are all that is measured.
TRAINED_HEAD = "reached their target"
FAULT_HEAD = ("fault", "exact: 20 trials", "probe", "statistical: 100 trials")
# Of figure 6A's twenty periods these are enough to read.
SHOWN = {"6a": ("0 ms", "2 ms", "3.5 ms", "4 ms", "4.5 ms", "5 ms", "10 ms", "50 ms")}
LEFT_OUT, ORIGINAL = ("quality",), "-original"
NAMES = {
    "4de": "Figure 4D, E",
    "tasks": "Study `tasks`",
    "options": "Study `options`",
    "7-faithful": "Figure 7, by output error",
}
LEVELS = ("exact", "probe", "statistical")


def main() -> None:
    """Rewrite the pages."""
    for (page, name), lines in made().items():
        path = PAGES / f"{page}.md"
        text = path.read_text(encoding="utf-8")
        begin, end = marks(name)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        body = "\n".join(lines)
        path.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")


def marks(name: str) -> tuple[str, str]:
    """What stands on a page before and after its tables of that name."""
    return f"<!-- from data/: {name} -->", f"<!-- end: {name} -->"


def made() -> dict[tuple[str, str], list[str]]:
    """Every table by its page and name, in lines."""
    return {
        ("results", "studies"): list(studies())[:-1],
        ("agreement_gate", "faults"): list(_table(FAULT_HEAD, fault_rows())),
    }


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """A table in Markdown, without columns that say nothing."""
    columns = zip(head, *rows, strict=True)
    told = [column for column in columns if set(column[1:]) - {"", UNKNOWN}]
    lines = [f"| {' | '.join(line)} |" for line in zip(*told, strict=True)]
    yield from (lines[0], "|---" * len(told) + "|", *lines[1:])


def studies() -> Iterator[str]:
    """A heading and a table for each study on record, a row for each cell."""
    for name, study in ((n + end, s) for n, s in STUDIES.items() for end in ("", ORIGINAL)):
        table = HERE / "studies" / name / "table.csv"
        if name in LEFT_OUT or not table.exists():
            continue
        figure = NAMES.get(name, f"Figure {name.upper()}")
        figure = figure.replace(ORIGINAL.upper(), ", original training")
        shown = SHOWN.get(name.removesuffix(ORIGINAL))
        found = summaries(study, read_csv(table))
        rows = [_study_row(one) for one in found if shown is None or one.name in shown]
        spiking = any(one.spiking for one in found)
        head = STUDY_HEAD if spiking else (*STUDY_HEAD[:2], TRAINED_HEAD, *STUDY_HEAD[3:])
        # A word of the paper on a whole figure stands under its heading.
        yield from (f"### {figure}", "", f"{study.title}.", "")
        if study.paper.get("", ""):
            yield from (f"The paper: {_sign(study.paper[''])}.", "")
        yield from (*_table(head, iter(rows)), "")
        yield from (f"![{figure}](../data/studies/{name}/figure.png)", "")


def _sign(words: str) -> str:
    return words.replace("+-", "±")


def _study_row(one: Summary) -> tuple[str, ...]:
    right = 100 * np.asarray(one.accuracies)
    told = f"{right.mean():.1f} ± {right.std():.1f}, worst {right.min():.1f}"
    difference, interval, worse = paired(one)
    if interval != UNKNOWN:
        difference = f"{difference} ({interval})"
    errors = one.values("output_error")
    error = f"{np.median(errors):.2g}" if errors else UNKNOWN
    count = one.successes if one.spiking else one.trained
    cells = (one.name, len(one.rows), count, told, difference, worse, error, _sign(one.paper))
    return tuple(map(str, cells))


def fault_rows() -> Iterator[tuple[str, ...]]:
    """A row for each fault, a column for each level."""
    with (HERE / "faults.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name in dict.fromkeys(row["fault"] for row in rows):
        mine = {row["level"]: row for row in rows if row["fault"] == name}
        told = (_seen(mine[level]) if level in mine else UNKNOWN for level in LEVELS)
        yield (f"{mine['exact']['meaning']} (`{name}`)", *told)


def _seen(row: dict[str, str]) -> str:
    what = row["what"]
    if row["level"] == "exact":
        what = re.sub(r"^(\d+)", lambda count: f"{int(count[0]):,}", what)
    elif row["level"] == "probe":
        parts = (_SHORT.get(part, part) for part in what.split("; "))
        what = ", ".join(dict.fromkeys(parts))
    return f"{'seen' if row['seen'] == 'True' else 'not seen'}: {what}"


# What the report calls a finding, and the page for short.
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
