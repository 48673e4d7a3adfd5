"""A benchmark on the screen: a line for each row."""

from collections.abc import Iterable

from bridge.benchmark.case import Row, name_of
from bridge.tables import Table

HEADERS = (
    "part", "what", "N", "batch", "processes", "trial (s)", "rate (Hz)", "speed (s/s)",
    "wall (s/s)", "CPU (s/s)", "x floor", "peak (MB)", "first run (s)", "note",
)  # fmt: skip
"""Speed is seconds of trials in a second, wall and CPU time are for each second of each trial."""


def table_of(rows: Iterable[Row]) -> Table:
    """The rows as a table."""
    return Table(
        headers=HEADERS,
        rows=_lines(rows),
        words=("part", "what", "note"),
        essential=(
            "what", "N", "batch", "processes", "speed (s/s)", "x floor", "peak (MB)", "note"
        ),
        footnotes="note",
    )  # fmt: skip


def _lines(rows: Iterable[Row]) -> list[tuple[object, ...]]:
    return [
        (
            row.part,
            name_of(row),
            row.n,
            row.batch,
            row.processes,
            _short(row.simulated_s),
            _short(row.rate_hz),
            _short(row.trial_s_per_wall_s),
            _short(row.wall_s_per_trial_s),
            _short(row.cpu_s_per_trial_s),
            _short(row.ratio_to_floor),
            "" if row.peak_mb is None else round(row.peak_mb),
            _short(row.first_run_s),
            row.note,
        )
        for row in rows
    ]


def _short(value: float | None) -> str:
    """Three digits."""
    if value is None:
        return ""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
