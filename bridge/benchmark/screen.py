"""A benchmark on the screen: a line for each row."""

from collections.abc import Iterable

from bridge.benchmark.case import Row, name_of

HEADERS = (
    "part", "what", "N", "batch", "processes", "trial s", "Hz", "trial s / s", "wall s", "CPU s",
    "x floor", "peak MB", "first run s", "note",
)  # fmt: skip


def lines(rows: Iterable[Row]) -> list[tuple[object, ...]]:
    """Cells for each row; wall and CPU time are for each second of each trial."""
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
