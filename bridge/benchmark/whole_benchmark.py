"""A whole benchmark: case after case, what is measured already kept."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from bridge.backends.devices import torch_device
from bridge.benchmark import children, table
from bridge.benchmark.case import PARTS, Case, Key, Row, row_of
from bridge.benchmark.compilers import environment
from bridge.benchmark.grid import cases
from bridge.errors import BackendError
from bridge.spiking.arrays import counted

Report = Callable[[float, str], None]


def benchmark(
    out: Path,
    *,
    quick: bool = False,
    only: Sequence[str] = PARTS,
    repeats: int = 3,
    device: str | None = None,
    on_progress: Report | None = None,
) -> list[Row]:
    """Measure what `out` does not hold yet, and write benchmark.csv and .png and machine.json.

    Args:
        out: Folder of the results; `out/cache` keeps what was compiled and may be deleted.
        quick: Few cases, and short: some minutes.
        only: Parts that are measured.
        repeats: Timed runs of each case, of which the median is taken.
        device: "cpu"; "cuda": torch runs there as well; None: "cuda" where torch sees one.
        on_progress: Called with the fraction done and what is being measured.

    Returns:
        All rows that `out` holds now.

    Raises:
        SpecError: an option makes no sense.
        OutputError: `out` was measured with other settings or on another machine.
        BackendError: there is no such device.
    """
    counted("repeats", repeats, least=1)
    chosen = device or ("cuda" if torch.cuda.device_count() else "cpu")
    torch_device(chosen)
    devices = ["cpu", chosen] if chosen != "cpu" else ["cpu"]
    wanted = cases(quick=quick, parts=only, repeats=repeats, devices=devices)
    settings = {"quick": quick, "repeats": repeats, "device": chosen}
    return measure_all(wanted, out, settings, on_progress)


def measure_all(
    wanted: Sequence[Case],
    out: Path,
    settings: Mapping[str, Any],
    on_progress: Report | None = None,
) -> list[Row]:
    """Measure cases one after another, and keep each as soon as it is done.

    Args:
        wanted: What to measure, unless it was before.
        out: Folder of the results.
        settings: What must be the same in all runs that share `out`, as plain values.
        on_progress: As for `benchmark`.
    """
    table.claim(out, settings)
    rows = table.kept_rows(out)
    progress = _Progress([case for case in wanted if not _done(rows, case)], on_progress)
    for case in wanted:
        if not _done(rows, case):
            progress.start(case)
            _measure(case, out, rows, progress.tick)
    written = table.write(out, rows.values())
    # Only here: matplotlib takes a while to load.
    from bridge.benchmark.picture import draw

    draw(written, out / "benchmark.png")
    return written


_MOST_COMPILING_RUNS = 3


def _done(rows: Mapping[Key, Row], case: Case) -> bool:
    return case.key in rows and rows[case.key].wall_s_median is not None


def _measure(case: Case, out: Path, rows: dict[Key, Row], on_tick: Callable[[float], None]) -> None:
    """Put the row of a case among the rows, and on disk."""
    first_run_s = rows[case.key].first_run_s if case.key in rows else None
    if case.left_out:
        rows[case.key] = row_of(case)
        return
    space = environment((out / "cache").absolute())
    try:
        measured = children.measure(case, space, on_tick)
        # A short first run may leave something to compile for the whole one.
        for _ in range(_MOST_COMPILING_RUNS):
            if "wall_s" in measured:
                break
            first_run_s = first_run_s or measured["first_run_s"]
            rows[case.key] = row_of(case, first_run_s=first_run_s, note="not finished")
            table.write(out, rows.values())
            measured = children.measure(case, space, on_tick)
        if "wall_s" not in measured:
            raise BackendError("every run of it compiled something new")
        rows[case.key] = table.row_from(case, measured, first_run_s)
    except BackendError as error:
        note = f"{table.FAILED}{error}"
        rows[case.key] = row_of(case, first_run_s=first_run_s, note=note)
    table.write(out, rows.values())


class _Progress:
    """How much of the estimated time of all cases is done."""

    def __init__(self, wanted: Sequence[Case], report: Report | None) -> None:
        self.report = report or (lambda fraction, note: None)
        self.whole_s = sum(case.estimate_s for case in wanted) or math.inf
        self.before_s = 0.0
        self.case: Case | None = None

    def start(self, case: Case) -> None:
        self.before_s += self.case.estimate_s if self.case else 0.0
        self.case = case
        self.tick(0.0)

    def tick(self, seconds: float) -> None:
        """A case that takes longer than estimated lets the bar wait."""
        if self.case is not None:
            done_s = self.before_s + min(seconds, self.case.estimate_s)
            self.report(done_s / self.whole_s, self.case.label)
