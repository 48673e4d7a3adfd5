"""A whole study: network after network, what is finished already kept."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bridge.backends.devices import torch_device
from bridge.errors import BackendError, BridgeError, FormatError, SpecError, TrainingError
from bridge.spiking.arrays import counted
from bridge.studies.executors import cluster_errors, workers
from bridge.studies.folder import Folder, Unit
from bridge.studies.study import Cell, Effort, Study
from bridge.studies.table import write_all
from bridge.studies.work import Row, measure_network, train_network, train_networks
from bridge.tasks import task as find_task

Report = Callable[[float, str], None]

TOGETHER = 100
"""So many networks at most are trained at once on a GPU, unless stated otherwise."""


# Each argument is an option of the command.
def run_study(  # noqa: PLR0913
    study: Study,
    out: Path,
    *,
    networks: int | None = None,
    first_seed: int = 0,
    cells: list[str] | None = None,
    effort: Effort | None = None,
    scheduler: str | None = None,
    processes: int | None = None,
    together: int | None = None,
    on_progress: Report | None = None,
) -> list[Row]:
    """Train, convert and score the networks that `out` lacks, and write table and figure.

    Args:
        study: What to do.
        out: Folder of any number of studies; they share the networks they have in common.
        networks: How many in each cell, seeds counting up from `first_seed`; None: the study's.
        first_seed: Seed of the first.
        cells: Names of the cells to do; None: all.
        effort: How much is measured of each; None: the default.
        scheduler: Address of a Dask scheduler; None: processes of this machine.
        processes: How many of these; None: one for each CPU, and one alone where networks run on a
            GPU (`effort.device`).
        together: How many networks of a cell are trained at once by each of them; None: one, and
            on a GPU up to 100.
        on_progress: Called with the fraction done of what was to do, and a note.

    Returns:
        A row for each variant of each network that `out` now holds of this study.

    Raises:
        SpecError: a cell is unknown or an option makes no sense.
        OutputError: `out` was made with other settings, holds networks made otherwise, or cannot
            be written.
        FormatError: a file in `out` is damaged.
        BackendError: the scheduler is out of reach, or a process died, or there is no such device.
    """
    effort = effort or Effort()
    if scheduler is not None and processes is not None:
        raise SpecError("processes: on a cluster its scheduler decides; give one of the two")
    if scheduler is None:
        torch_device(effort.device)
    elsewhere = effort.device != "cpu"
    group = counted(
        "together", (TOGETHER if elsewhere else 1) if together is None else together, least=1
    )
    count = counted("networks", study.networks if networks is None else networks, least=1)
    counted("first_seed", first_seed)
    chosen, seeds = _chosen(study, cells), range(first_seed, first_seed + count)
    folder = Folder(out, study, effort)
    units = [Unit(cell, seed) for seed in seeds for cell in chosen]
    with folder.claimed():
        todo = [unit for unit in units if not folder.has_result(unit)]
        try:
            if todo:
                # Trained together or not, networks are measured one by one.
                most = 1 if elsewhere else len(todo)
                with workers(scheduler, _processes(processes, most)) as (executor, slots):
                    _Work(folder, executor, todo, group, on_progress).finish(slots)
            elif on_progress is not None:
                on_progress(1.0, f"{len(units)} of {len(units)} networks")
        finally:
            rows = write_all(folder)
        return rows


def _chosen(study: Study, names: list[str] | None) -> list[Cell]:
    known = {cell.name: cell for cell in study.cells}
    for name in names or ():
        if name not in known:
            raise SpecError(
                f"study {study.name} has no cell {name!r}; known are {', '.join(known)}"
            )
    kept = [cell for cell in study.cells if names is None or cell.name in names]
    for cell in kept:
        find_task(cell.task)
    return kept


def _processes(asked: int | None, most: int) -> int:
    if asked is not None:
        return counted("processes", asked, least=1)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, most)


class _Work:
    """The work in progress: networks in training, and trained ones being measured."""

    def __init__(
        self,
        folder: Folder,
        executor: Executor,
        todo: list[Unit],
        together: int,
        on_progress: Report | None,
    ) -> None:
        self.folder, self.executor, self.todo = folder, executor, list(todo)
        self.together = together
        self.whole = len(todo)
        self.report = on_progress or (lambda _fraction, _note: None)
        self.running: dict[Future[Any], Callable[[Future[Any]], None]] = {}
        # Networks that several cells share are trained once.
        self.waiting: dict[Path, list[Unit]] = {}
        self.trained = self.measured = 0

    def finish(self, slots: int) -> None:
        """Do all of it, and keep each piece as soon as it is done.

        Args:
            slots: Pieces that are done at once. As many again wait in line, no more: what a
                trained network is measured by does not wait for all others to be trained.
        """
        self._say()
        while self.running or self.todo:
            while self.todo and len(self.running) < 2 * slots:
                self._begin(self.todo.pop(0))
            done, _ = wait(self.running, return_when=FIRST_COMPLETED)
            for future in done:
                self.running.pop(future)(future)
            self._say()

    def _begin(self, unit: Unit) -> None:
        content, path = self.folder.network(unit), self.folder.network_path(unit)
        if content is not None:
            self.trained += 1
            self._measure(unit, content)
        elif path in self.waiting:
            self.waiting[path].append(unit)
        else:
            group = self._group(unit)
            for one in group:
                self.waiting[self.folder.network_path(one)] = [one]
            self._train(group)

    def _group(self, unit: Unit) -> list[Unit]:
        """A network that is to be trained, and those that are trained with it."""
        group = {self.folder.network_path(unit): unit}
        for other in tuple(self.todo) if self.together > 1 else ():
            path = self.folder.network_path(other)
            alike = _training_of(other, self.folder) == _training_of(unit, self.folder)
            if alike and path not in group and path not in self.waiting and not path.exists():
                group[path] = other
                self.todo.remove(other)
            if len(group) == self.together:
                break
        return list(group.values())

    def _train(self, group: list[Unit]) -> None:
        task, effort = group[0].cell.task, self.folder.effort
        options, device = group[0].training(effort), effort.device
        then = partial(self._trained, group)
        if len(group) == 1:
            self._submit(then, train_network, task, options, device)
        else:
            seeds = [unit.seed for unit in group]
            self._submit(then, train_networks, task, options, seeds, device)

    def _trained(self, group: list[Unit], future: Future[Any]) -> None:
        try:
            found = _result(future)
        except TrainingError as error:
            # That a network diverges is a result, too; what else is wrong is not the network's.
            found = str(error)
        for unit, content in zip(group, [found] if len(group) == 1 else found, strict=True):
            self._take(unit, content)

    def _take(self, unit: Unit, content: bytes | str) -> None:
        """Keep a network, or why its training failed."""
        units = self.waiting.pop(self.folder.network_path(unit))
        self.trained += len(units)
        if isinstance(content, str):
            for each in units:
                self._keep(each, [{"failed": content}])
            return
        self.folder.keep_network(unit, content)
        for each in units:
            self._measure(each, content)

    def _measure(self, unit: Unit, content: bytes) -> None:
        study = self.folder.study
        variants = [
            {**asdict(variant), "spiking": study.spiking(variant)} for variant in unit.cell.variants
        ]
        details = study.details
        effort = self.folder.effort
        then = partial(self._measured, unit)
        self._submit(then, measure_network, content, unit.seed, variants, effort, details)

    def _measured(self, unit: Unit, future: Future[Any]) -> None:
        try:
            self._keep(unit, _result(future))
        except FormatError:
            path = self.folder.network_path(unit)
            raise FormatError(f"{path}: damaged; delete it, and it is trained again") from None

    def _keep(self, unit: Unit, rows: list[Row]) -> None:
        self.folder.keep_result(unit, rows)
        self.measured += 1

    def _submit(
        self, then: Callable[[Future[Any]], None], work: Callable[..., Any], *given: Any
    ) -> None:
        self.running[self.executor.submit(work, *given)] = then

    def _say(self) -> None:
        # Training takes most of the time.
        done = _TRAINING_SHARE * self.trained + (1 - _TRAINING_SHARE) * self.measured
        self.report(done / self.whole, f"{self.measured} of {self.whole} networks")


_TRAINING_SHARE = 0.75


def _training_of(unit: Unit, folder: Folder) -> tuple[str, dict[str, Any]]:
    """How a network is trained, except for its seed."""
    return unit.cell.task, {**unit.training(folder.effort), "seed": 0}


def _result(future: Future[Any]) -> Any:
    try:
        return future.result()
    except BridgeError:
        raise
    except BrokenProcessPool:
        raise BackendError(f"a process of the study was killed; {_GO_ON}") from None
    except CancelledError:
        raise BackendError(f"the Dask scheduler went away; {_GO_ON}") from None
    except cluster_errors() as error:
        raise BackendError(f"the Dask cluster failed ({error}); {_GO_ON}") from None


_GO_ON = "what is finished is kept, run it again to go on"
