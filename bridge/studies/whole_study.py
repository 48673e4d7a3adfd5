"""A whole study: network after network, what is finished already kept."""

import os
from pathlib import Path

from bridge.backends.devices import named_device, torch_device
from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.studies.executors import workers
from bridge.studies.folder import Folder, Unit
from bridge.studies.schedule import Report, Schedule
from bridge.studies.study import Cell, Effort, Study
from bridge.studies.table import write_all
from bridge.studies.work import Row
from bridge.tasks import task as find_task

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
    # What another machine has, its workers say.
    (torch_device if scheduler is None else named_device)(effort.device)
    elsewhere = effort.device != "cpu"
    group = counted(
        "together", (TOGETHER if elsewhere else 1) if together is None else together, least=1
    )
    count = counted("networks", study.networks if networks is None else networks, least=1)
    counted("first_seed", first_seed)
    if processes is not None:
        counted("processes", processes, least=1)
    chosen, seeds = _chosen(study, cells), range(first_seed, first_seed + count)
    folder = Folder(out, study, effort)
    units = [Unit(cell, seed) for seed in seeds for cell in chosen]
    with folder.claimed():
        todo = [unit for unit in units if not folder.has_result(unit)]
        try:
            if todo:
                # Trained together or not, networks are measured one by one.
                most = 1 if elsewhere else len(todo)
                pool = processes or min(_usable(), most)
                with workers(scheduler, pool, effort.device) as (executor, slots):
                    folder.keep_settings()
                    Schedule(folder, executor, todo, group, on_progress).finish(slots)
            else:
                folder.keep_settings()
                if on_progress is not None:
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


def _usable() -> int:
    """How many processors there are for this process."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return usable or 1
