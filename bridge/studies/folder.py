"""The folder of studies: each network one file, each network's results one file.

DIR/networks/ holds the rate networks, shared by all studies in DIR; DIR/7/study.json the settings
of a study, DIR/7/results/ what was measured of each of its networks, DIR/7/table.csv all of it as
a table and DIR/7/figure.png as a picture. Table and settings are the record: where nothing else is
left, a study goes on from them.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from bridge.errors import FormatError, OutputError
from bridge.exchange.hdf5 import write_bytes
from bridge.studies.record import rows_on_record
from bridge.studies.study import Cell, Effort, Study
from bridge.studies.work import Row

if sys.platform != "win32":
    import fcntl

NETWORKS, SETTINGS, RESULTS, TABLE, FIGURE, DETAILS = (
    "networks",
    "study.json",
    "results",
    "table.csv",
    "figure.png",
    "details.csv",
)


@dataclass(frozen=True)
class Unit:
    """One network of a study: a cell and a seed."""

    cell: Cell
    seed: int

    def training(self, effort: Effort) -> dict[str, Any]:
        """All options of its training."""
        options = asdict(self.cell.options(self.seed))
        if effort.max_updates is not None:
            options["max_updates"] = effort.max_updates
        return options


class Folder:
    """What a study keeps on disk."""

    def __init__(self, out: Path, study: Study, effort: Effort) -> None:
        self.study, self.effort = study, effort
        self.networks, self.home = out / NETWORKS, out / study.name
        self.results = self.home / RESULTS

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the folder that of a study with these settings, and its only run.

        Raises:
            OutputError: it was begun with other settings, another run is at work in it, it cannot
                be written, or its table holds networks made otherwise.
            FormatError: its settings or its table are damaged.
        """
        try:
            for folder in (self.networks, self.results):
                folder.mkdir(parents=True, exist_ok=True)
            lock = (self.home / ".lock").open("w")
        except OSError as error:
            raise OutputError(f"cannot write {self.home}: {error.strerror or error}") from None
        with lock:
            if not _locked(lock):
                raise OutputError(f"{self.home}: another run is at work on it")
            self._check_settings()
            yield

    def _check_settings(self) -> None:
        path, here = self.home / SETTINGS, self.effort.plain()
        there = _read_json(path) if path.exists() else {**here, **_made_with()}
        other = [name for name in here if there.get(name) != here[name]]
        if other:
            name = other[0]
            raise OutputError(
                f"{self.home}: made with other settings ({name}: {there.get(name)} there, "
                f"{here[name]} here); use these, or another --out"
            )
        made = {cell.name: self._making(cell) for cell in self.study.cells}
        self._restore(there.get("cells"), made)
        # Networks of other programs may join those that are there: all versions are said.
        versions = sorted({*there.get("versions", ()), *_made_with()["versions"]})
        said = {**there, "versions": versions, "cells": made}
        if said != there or not path.exists():
            write_bytes(path, json.dumps(said, indent=1).encode() + b"\n")

    def _restore(self, there: Any, made: Mapping[str, Any]) -> None:
        """Make results again of what only the table still holds.

        Args:
            there: For each cell how the networks of the table were made, if that is known.
            made: How they are made here.
        """
        for (name, seed), rows in rows_on_record(self.home / TABLE, self.home / DETAILS).items():
            path = self._result_path(name, seed)
            if path.exists():
                continue
            if not isinstance(there, dict) or name not in made or there.get(name) != made[name]:
                raise OutputError(
                    f"{self.home / TABLE}: holds networks of the cell {name!r} that were made "
                    "otherwise; move it away, or use another --out"
                )
            _write_result(path, made[name], rows)

    def _making(self, cell: Cell) -> dict[str, Any]:
        """All that decides what is measured of a network of a cell, but for its seed."""
        training = Unit(cell, 0).training(self.effort)
        del training["seed"]
        variants = [asdict(one) for one in cell.variants]
        said = {"task": cell.task, "training": training, "variants": variants}
        # As it comes back from a file.
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain

    def network_path(self, unit: Unit) -> Path:
        """The file of a rate network: the same for all studies that train it so."""
        options = unit.training(self.effort)
        told = json.dumps([unit.cell.task, options], sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()[:10]
        name = f"{_plain(unit.cell.task)}-n{options['units']}-seed{unit.seed}-{digest}.h5"
        return self.networks / name

    def network(self, unit: Unit) -> bytes | None:
        """A rate network's file, if it is there."""
        path = self.network_path(unit)
        return path.read_bytes() if path.exists() else None

    def keep_network(self, unit: Unit, content: bytes) -> None:
        """Put a rate network there, whole or not at all."""
        write_bytes(self.network_path(unit), content)

    def _result_path(self, cell: str, seed: int) -> Path:
        return self.results / f"{_plain(cell)}-seed{seed}.json"

    def keep_result(self, unit: Unit, rows: list[Row]) -> None:
        """Put there what was measured of a network, for each variant a row."""
        whose = {"cell": unit.cell.name, "value": unit.cell.value, "seed": unit.seed}
        path = self._result_path(unit.cell.name, unit.seed)
        _write_result(path, self._making(unit.cell), [{**whose, **row} for row in rows])

    def result(self, unit: Unit) -> list[Row] | None:
        """What was measured of a network, if that is there and was made as it would be here.

        Raises:
            FormatError: it is damaged.
        """
        path = self._result_path(unit.cell.name, unit.seed)
        if not path.exists():
            return None
        rows, made = _read_result(path)
        return rows if made == self._making(unit.cell) else None

    def all_results(self) -> list[Row]:
        """All rows of the study as it is made here: cells in its order, then seeds, variants."""
        made = {cell.name: self._making(cell) for cell in self.study.cells}
        order = {name: number for number, name in enumerate(made)}
        found = [_read_result(path) for path in self.results.glob("*.json")]
        rows = [row for part, how in found for row in part if how == made.get(row["cell"])]
        return sorted(rows, key=lambda row: (order[row["cell"]], row["seed"]))


def _write_result(path: Path, made: Mapping[str, Any], rows: list[Row]) -> None:
    write_bytes(path, json.dumps({"made": made, "rows": rows}).encode() + b"\n")


def _read_result(path: Path) -> tuple[list[Row], Any]:
    """Rows, and how they were made."""
    kept = _read_json(path)
    rows = kept.get("rows")
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise FormatError(f"{path}: damaged, or no file of a study; delete it to go on")
    return rows, kept.get("made")


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("cell"), str) and "seed" in row


def _locked(file: IO[str]) -> bool:
    """Whether this process now holds the lock of a file; without file locks nobody else does."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _made_with() -> dict[str, list[str]]:
    names = ("spikebridge", "torch", "snntorch", "numpy", "scipy")
    return {"versions": [f"{name} {version(name)}" for name in names]}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        read = None
    if not isinstance(read, dict):
        raise FormatError(f"{path}: damaged, or no file of a study; delete it to go on")
    return read
