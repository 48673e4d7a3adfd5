"""The paper's figures run again: a heading, a table and a picture for each study on record."""

from collections.abc import Iterator

import numpy as np

from bridge.studies.catalog import STUDIES
from bridge.studies.cell_summaries import UNKNOWN, Summary, paired, summaries
from bridge.studies.csv_files import read_csv
from tables.markdown import DATA, table

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
# Of figure 6A's twenty periods these are enough to read.
SHOWN = {"6a": ("0 ms", "2 ms", "3.5 ms", "4 ms", "4.5 ms", "5 ms", "10 ms", "50 ms")}
LEFT_OUT, ORIGINAL = ("quality",), "-original"
# The same figure otherwise, in a folder of its own: how networks were trained, their neurons.
OTHERWISE = {ORIGINAL: ", original training", "-if": ", integrate-and-fire neurons"}
NAMES = {
    "4de": "Figure 4D, E",
    "tasks": "Study `tasks`",
    "options": "Study `options`",
    "7-faithful": "Figure 7, by output error",
}


def studies() -> Iterator[str]:
    """A heading and a table for each study on record, a row for each cell."""
    for name, study in ((n + end, s) for n, s in STUDIES.items() for end in ("", *OTHERWISE)):
        record = DATA / "studies" / name / "table.csv"
        if name in LEFT_OUT or not record.exists():
            continue
        figure = NAMES.get(name, f"Figure {name.upper()}")
        for end, words in OTHERWISE.items():
            figure = figure.replace(end.upper(), words)
        shown = SHOWN.get(name.removesuffix(ORIGINAL))
        found = summaries(study, read_csv(record))
        rows = [_study_row(one) for one in found if shown is None or one.name in shown]
        spiking = any(one.spiking for one in found)
        head = STUDY_HEAD if spiking else (*STUDY_HEAD[:2], TRAINED_HEAD, *STUDY_HEAD[3:])
        # A word of the paper on a whole figure stands under its heading.
        yield from (f"### {figure}", "", f"{study.title}.", "")
        if study.paper.get("", ""):
            yield from (f"The paper: {_sign(study.paper[''])}.", "")
        yield from (*table(head, rows), "")
        yield from (f"![{figure}](../data/studies/{name}/figure.png)", "")


def _sign(words: str) -> str:
    return words.replace("+-", "±")


def _study_row(one: Summary) -> tuple[object, ...]:
    right = 100 * np.asarray(one.accuracies)
    told = f"{right.mean():.1f} ± {right.std():.1f}, worst {right.min():.1f}"
    difference, interval, worse = paired(one)
    if interval != UNKNOWN:
        difference = f"{difference} ({interval})"
    errors = one.values("output_error")
    error = f"{np.median(errors):.2g}" if errors else UNKNOWN
    count = one.successes if one.spiking else one.trained
    return (one.name, len(one.rows), count, told, difference, worse, error, _sign(one.paper))
