"""A whole study: network after network, what is finished already kept."""

import os
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bridge.errors import BackendError, BridgeError, FormatError, SpecError, TrainingError
from bridge.spiking.arrays import counted
from bridge.studies.executors import cluster_errors, workers
from bridge.studies.folder import Folder, Unit
from bridge.studies.study import Cell, Effort, Study
from bridge.studies.table import write_all
from bridge.studies.work import Row, measure_network, train_network
from bridge.tasks import task as find_task

Report = Callable[[float, str], None]


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
        processes: How many of these; None: one for each CPU.
        on_progress: Called with the fraction done of what was to do, and a note.

    Returns:
        A row for each variant of each network that `out` now holds of this study.

    Raises:
        SpecError: a cell is unknown or an option makes no sense.
        OutputError: `out` was made with other settings, holds networks made otherwise, or cannot
            be written.
        FormatError: a file in `out` is damaged.
        BackendError: the scheduler is out of reach, or a process died.
    """
    if scheduler is not None and processes is not None:
        raise SpecError("processes: on a cluster its scheduler decides; give one of the two")
    count = counted("networks", study.networks if networks is None else networks, least=1)
    counted("first_seed", first_seed)
    chosen, seeds = _chosen(study, cells), range(first_seed, first_seed + count)
    folder = Folder(out, study, effort or Effort())
    units = [Unit(cell, seed) for seed in seeds for cell in chosen]
    with folder.claimed():
        todo = [unit for unit in units if not folder.has_result(unit)]
        try:
            if todo:
                with workers(scheduler, _processes(processes, len(todo))) as (executor, slots):
                    _Work(folder, executor, todo, on_progress).finish(slots)
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
        self, folder: Folder, executor: Executor, todo: list[Unit], on_progress: Report | None
    ) -> None:
        self.folder, self.executor, self.todo = folder, executor, list(todo)
        self.whole = len(todo)
        self.report = on_progress or (lambda _fraction, _note: None)
        self.running: dict[Future[Any], tuple[Unit, bool]] = {}
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
                unit, training = self.running.pop(future)
                (self._trained if training else self._measured)(unit, future)
            self._say()

    def _begin(self, unit: Unit) -> None:
        content, path = self.folder.network(unit), self.folder.network_path(unit)
        if content is not None:
            self.trained += 1
            self._measure(unit, content)
        elif path in self.waiting:
            self.waiting[path].append(unit)
        else:
            self.waiting[path] = [unit]
            options = unit.training(self.folder.effort)
            self._submit(unit, train_network, unit.cell.task, options)

    def _trained(self, unit: Unit, future: Future[Any]) -> None:
        units = self.waiting.pop(self.folder.network_path(unit))
        self.trained += len(units)
        try:
            content = _result(future)
        except TrainingError as error:
            # That a network diverges is a result, too; what else is wrong is not the network's.
            for each in units:
                self._keep(each, [{"failed": str(error)}])
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
        self._submit(unit, measure_network, content, unit.seed, variants, effort, details)

    def _measured(self, unit: Unit, future: Future[Any]) -> None:
        try:
            self._keep(unit, _result(future))
        except FormatError:
            path = self.folder.network_path(unit)
            raise FormatError(f"{path}: damaged; delete it, and it is trained again") from None

    def _keep(self, unit: Unit, rows: list[Row]) -> None:
        self.folder.keep_result(unit, rows)
        self.measured += 1

    def _submit(self, unit: Unit, work: Callable[..., Any], *given: Any) -> None:
        self.running[self.executor.submit(work, *given)] = (unit, work is train_network)

    def _say(self) -> None:
        # Training takes most of the time.
        done = _TRAINING_SHARE * self.trained + (1 - _TRAINING_SHARE) * self.measured
        self.report(done / self.whole, f"{self.measured} of {self.whole} networks")


_TRAINING_SHARE = 0.75


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
