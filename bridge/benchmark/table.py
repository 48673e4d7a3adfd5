"""The table of a benchmark: its rows, on disk and with their ratios to the floor."""

import csv
import io
import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from bridge.benchmark import machine
from bridge.benchmark.case import Case, Key, Row, row_of
from bridge.errors import FormatError, OutputError
from bridge.exchange.hdf5 import write_bytes

TABLE, MACHINE = "benchmark.csv", "machine.json"
COLUMNS = tuple(entry.name for entry in fields(Row))
FAILED = "failed: "


def row_from(case: Case, measured: Mapping[str, Any], first_run_s: float | None) -> Row:
    """The row of a case from what its process measured.

    Args:
        case: What was measured.
        measured: `wall_s` and `cpu_s` of each run and `trial_s`, the seconds of trials in one;
            the others are fields of a row.
        first_run_s: Time of the process before, which compiled.
    """
    wall_s, cpu_s = statistics.median(measured["wall_s"]), statistics.median(measured["cpu_s"])
    trial_s = measured["trial_s"]
    given = {name: measured[name] for name in COLUMNS if name in measured and name != "note"}
    return row_of(
        case,
        **given,
        simulated_s=case.simulated_s,
        repeats=len(measured["wall_s"]),
        wall_s_median=wall_s,
        wall_s_per_trial_s=wall_s / trial_s,
        cpu_s_per_trial_s=cpu_s / trial_s,
        trial_s_per_wall_s=trial_s / wall_s,
        first_run_s=first_run_s,
        note="; ".join(note for note in (case.note, measured.get("note", "")) if note),
    )


def with_floors(rows: Iterable[Row]) -> list[Row]:
    """The rows of simulations with the floor of their size, as far as it was measured."""
    rows = list(rows)
    floors = {
        _place(row): row for row in rows if row.part == "floor" and row.floor_state_s is not None
    }
    return [_with_floor(row, floors.get(_place(row))) for row in rows]


def _place(row: Row) -> tuple[str, int, int, int]:
    return (row.device, row.n, row.batch, row.processes)


def _with_floor(row: Row, floor: Row | None) -> Row:
    if row.part not in ("backends", "large") or row.wall_s_median is None:
        return row
    if floor is None or floor.floor_noise_s is None or floor.floor_state_s is None:
        return row
    share = row.steps / floor.steps
    noise_s, state_s = share * floor.floor_noise_s, share * floor.floor_state_s
    ratio = row.wall_s_median / (noise_s + state_s)
    return replace(row, floor_noise_s=noise_s, floor_state_s=state_s, ratio_to_floor=ratio)


def kept_rows(out: Path) -> dict[Key, Row]:
    """The rows that `out` holds already."""
    path = out / TABLE
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [Row.read(line) for line in csv.DictReader(file)]
    except (ValueError, KeyError, TypeError, csv.Error):
        raise FormatError(f"{path}: damaged, or not written by this benchmark") from None
    return {row.key: row for row in rows}


def write(out: Path, rows: Iterable[Row]) -> list[Row]:
    """Put the rows, with their floors, into `out`, whole or not at all; they are given back."""
    text, complete = io.StringIO(), with_floors(rows)
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.plain() for row in complete)
    write_bytes(out / TABLE, text.getvalue().encode())
    return complete


def claim(out: Path, settings: Mapping[str, Any]) -> None:
    """Make `out` the folder of a benchmark with these settings on this machine.

    Raises:
        OutputError: it holds one that cannot be gone on with, or cannot be written.
    """
    here = {"settings": dict(settings), "machine": machine.describe()}
    path = out / MACHINE
    if path.exists():
        _check_same(path, here)
        return
    if (out / TABLE).exists():
        raise OutputError(f"{out}: holds a {TABLE} but no {MACHINE}; use another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror}") from None
    text = json.dumps({"date": machine.now(), **here}, indent=2)
    write_bytes(path, text.encode() + b"\n")


def _check_same(path: Path, here: Mapping[str, Any]) -> None:
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        differing = {
            part: [name for name in here[part] if there[part].get(name) != here[part][name]]
            for part in here
        }
        was = {name: there[part].get(name) for part in here for name in differing[part]}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise FormatError(f"{path}: damaged, or not written by this benchmark") from None
    for part, what in (("settings", "with other settings"), ("machine", "on another machine")):
        if differing[part]:
            name = differing[part][0]
            if name in ("packages", "code", "python", "compiler"):
                what = "with other programs"
            raise OutputError(
                f"{path.parent}: was measured {what} ({name}: {was[name]!r} there, "
                f"{here[part][name]!r} here); use another --out"
            )
