"""Conversions and fits side by side, and fits of each task."""

from collections.abc import Callable, Iterator
from statistics import median

from tables.markdown import rows_of, table

Rows = list[dict[str, str]]

# What each line is called, of which column it is, and how its numbers are written.
LINES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("neurons", "neurons", "{:.0f}".format),
    ("time step (ms)", "step_ms", "{:g}".format),
    ("CPU s to make", "cpu_seconds", "{:.0f}".format),
    ("nMSE", "nmse", "{:.3f}".format),
    ("rate (Hz)", "rate_hz", "{:.1f}".format),
    ("right of 200", "right", "{:.0f}".format),
    ("right, noise of 2 %", "right_noise_0.02", "{:.0f}".format),
    ("right, noise of 5 %", "right_noise_0.05", "{:.0f}".format),
    ("right, noise of 10 %", "right_noise_0.1", "{:.0f}".format),
    ("right without 2 % of the neurons", "right_lost_0.02", "{:.0f}".format),
    ("right without 5 %", "right_lost_0.05", "{:.0f}".format),
    ("right without 10 %", "right_lost_0.1", "{:.0f}".format),
    ("right in steps 2.5 times as long", "right_step_x2.5", "{:.0f}".format),
    ("right in steps 5 times as long", "right_step_x5", "{:.0f}".format),
)


def roads() -> Iterator[str]:
    """What networks of both roads cost and tolerate, a column for each task and road."""
    rows = rows_of("two_roads.csv")
    kinds = list(dict.fromkeys((row["task"], row["road"]) for row in rows))
    groups = [[row for row in rows if (row["task"], row["road"]) == kind] for kind in kinds]
    head = ("", *(f"`{task}`, {road}" for task, road in kinds))
    return table(head, ((name, *_cells(groups, of, told)) for name, of, told in LINES))


def _cells(groups: list[Rows], column: str, told: Callable[[float], str]) -> Iterator[str]:
    for rows in groups:
        yield _range([float(row[column]) for row in rows], told)


def _range(values: list[float], told: Callable[[float], str]) -> str:
    """From the lowest to the highest; one number where all are alike."""
    ends = told(min(values)), told(max(values))
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


FITTED = ("task", "teacher's gain", "networks", "right of 200", "median nMSE", "CPU s, median")
# Of so many trials of learning.
_LEARNED = "400"


def fitted() -> Iterator[str]:
    """Fits of tasks whose trials differ, a row for each task."""
    rows = [row for row in rows_of("fitted_tasks.csv") if row["learn_trials"] == _LEARNED]
    rows += [{**row, "task": "reaching", "teacher_gain": "1.4"} for row in rows_of("reaching.csv")]
    kinds = dict.fromkeys((row["task"], row["teacher_gain"]) for row in rows)
    return table(FITTED, (_fitted_row(*kind, rows) for kind in kinds))


def _fitted_row(task: str, gain: str, rows: Rows) -> tuple[object, ...]:
    mine = [row for row in rows if (row["task"], row["teacher_gain"]) == (task, gain)]
    return (
        f"`{task}`",
        gain,
        len(mine),
        _range([float(row["right_of_200"]) for row in mine], "{:.0f}".format),
        _range([float(row["median_nmse"]) for row in mine], "{:#.2g}".format),
        f"{median(float(row['cpu_seconds']) for row in mine):.0f}",
    )
