"""The folder of studies: each network one file, each network's results one file.

DIR/networks/ holds the rate networks, shared by all studies in DIR; DIR/7/study.json the settings
of a study, DIR/7/results/ what was measured of each of its networks, DIR/7/table.csv all of it as
a table and DIR/7/figure.png as a picture. The table is the record: where the results are gone, a
study goes on from it.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from bridge.errors import FormatError, OutputError
from bridge.exchange.hdf5 import write_bytes
from bridge.rate.start import SOM_MOTIF
from bridge.studies.record import rows_on_record
from bridge.studies.study import PAPER, Cell, Effort, Study
from bridge.studies.work import Row
from bridge.versions import version

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
        return effort.training(self.cell, self.seed)


class Folder:
    """What a study keeps on disk."""

    def __init__(self, out: Path, study: Study, effort: Effort) -> None:
        self.study, self.effort = study, effort
        self.networks, self.home = out / NETWORKS, out / effort.folder_of(study)
        self.results = self.home / RESULTS

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Be the only run in the folder, if it is of a study with these settings.

        Raises:
            OutputError: it was begun with other settings, another run is at work in it, it cannot
                be written, or it holds networks made otherwise.
            FormatError: a file in it is damaged.
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
            self._settings()
            self._take_up()
            yield

    def _settings(self) -> dict[str, Any]:
        """What study.json says, of another run or of this."""
        path, here = self.home / SETTINGS, self.effort.plain()
        there = _read_json(path) if path.exists() else {**here, "versions": []}
        # Settings of the CPU do not name it.
        known, wanted = {"device": "cpu", **there}, {"device": "cpu", **here}
        other = [name for name in wanted if known.get(name) != wanted[name]]
        if other:
            name = other[0]
            raise OutputError(
                f"{self.home}: made with other settings ({name}: {known.get(name)} there, "
                f"{wanted[name]} here); use these, or another --out"
            )
        if not _is_list_of_text(there.get("versions")):
            raise FormatError(f"{path}: {_DAMAGED}")
        return dict(there)

    def keep_settings(self) -> None:
        """Make the folder that of a study with these settings."""
        said, path = self._settings(), self.home / SETTINGS
        # Networks of other programs may join those that are there: all versions are said.
        versions = sorted({*said["versions"], *_versions()})
        cells = {cell.name: self._making(cell) for cell in self.study.cells}
        new = {**said, "versions": versions, "cells": cells}
        if new != said or not path.exists():
            write_bytes(path, json.dumps(new, indent=1).encode() + b"\n")

    def _take_up(self) -> None:
        """Make results again of what only the table still holds.

        Nothing is written unless all that is there was made as it would be made here.
        """
        kept = {path: _read_result(path) for path in self.results.glob("*.json")}
        table = rows_on_record(self.home / TABLE, self.home / DETAILS)
        named = {self._result_path(*network): rows for network, rows in table.items()}
        lost = {path: rows for path, rows in named.items() if path not in kept}
        for rows in kept.values():
            self._check_making(rows)
        for rows in lost.values():
            self._check_making(rows)
            self._check_whole(rows)
        for path, rows in lost.items():
            _write_result(path, rows)

    def _check_making(self, rows: list[Row]) -> None:
        cell = self._cell(rows)
        if cell is None or any(row.get("made") != self._made(cell) for row in rows):
            raise OutputError(
                f"{self.home}: holds a network ({_whose(rows)}) that was made otherwise than here, "
                "or does not say how; move this folder away, or use another --out"
            )

    def _check_whole(self, rows: list[Row]) -> None:
        cell = self._cell(rows)
        if cell is None or rows[0].get("failed"):
            return
        names = [variant.name for variant in cell.variants] or [""]
        if [row.get("variant") or "" for row in rows] != names:
            raise FormatError(f"{self.home / TABLE}: lacks or repeats a row of {_whose(rows)}")
        if self.study.details and "details" not in rows[0]:
            raise FormatError(f"{self.home / DETAILS}: lacks {_whose(rows)}")

    def _cell(self, rows: list[Row]) -> Cell | None:
        return next((cell for cell in self.study.cells if cell.name == rows[0]["cell"]), None)

    def _making(self, cell: Cell) -> dict[str, Any]:
        """How the networks of a cell are trained and made to spike."""
        training = _told(Unit(cell, 0).training(self.effort))
        del training["seed"]
        variants = [asdict(one) for one in cell.variants]
        said = {"task": cell.task, "training": training, "variants": variants}
        # Records of before there was a choice are of what the paper does.
        if cell.variants and self.study.converting != PAPER:
            said["converting"] = dict(self.study.converting)
        # As it comes back from a file.
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain

    def _made(self, cell: Cell) -> str:
        """A digest of all that decides what is measured of a network, except for its seed."""
        return _digest([self._making(cell), self.effort.plain(), self.study.details])

    def network_path(self, unit: Unit) -> Path:
        """The file of a rate network: the same for all studies that train it so."""
        options = unit.training(self.effort)
        told = _told(options) | self.effort.kind_of_device()
        digest = _digest([unit.cell.task, told])
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
        cell = unit.cell
        whose = {"cell": cell.name, "value": cell.value, "seed": unit.seed}
        said = [{**whose, **row, "made": self._made(cell)} for row in rows]
        _write_result(self._result_path(cell.name, unit.seed), said)

    def has_result(self, unit: Unit) -> bool:
        """Whether what is measured of a network is there."""
        return self._result_path(unit.cell.name, unit.seed).exists()

    def all_results(self) -> list[Row]:
        """All rows of the study, cells in its order, then seeds, then variants.

        Raises:
            FormatError: one is damaged.
        """
        order = {cell.name: number for number, cell in enumerate(self.study.cells)}
        rows = [row for path in self.results.glob("*.json") for row in _read_result(path)]
        return sorted(rows, key=lambda row: (order[row["cell"]], row["seed"]))


def _told(training: dict[str, Any]) -> dict[str, Any]:
    """Training options as a digest takes them: with what they mean, where that has changed."""
    return {**training, "motif": SOM_MOTIF} if training["som"] else dict(training)


_DAMAGED = "damaged, or no file of a study; delete it to go on"


def _write_result(path: Path, rows: list[Row]) -> None:
    write_bytes(path, json.dumps({"rows": rows}).encode() + b"\n")


def _read_result(path: Path) -> list[Row]:
    rows = _read_json(path).get("rows")
    if not isinstance(rows, list) or not rows or not all(_is_row(row) for row in rows):
        raise FormatError(f"{path}: {_DAMAGED}")
    return rows


def _is_row(row: object) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("cell"), str)
        and isinstance(row.get("seed"), int)
    )


def _whose(rows: list[Row]) -> str:
    return f"cell {rows[0]['cell']!r}, seed {rows[0]['seed']}"


def _locked(file: IO[str]) -> bool:
    """Whether this process now holds the lock of a file; without file locks nobody else does."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _versions() -> list[str]:
    names = ("spikebridge", "torch", "snntorch", "numpy", "scipy")
    return [f"{name} {version(name)}" for name in names]


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _digest(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:10]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        read = None
    if not isinstance(read, dict):
        raise FormatError(f"{path}: {_DAMAGED}")
    return read
