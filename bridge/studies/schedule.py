"""The work of a study in progress: which network is trained or measured next, and what is kept."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bridge.errors import BackendError, BridgeError, FormatError
from bridge.studies.executors import cluster_errors
from bridge.studies.folder import Folder, Unit
from bridge.studies.work import Row, measure_network, train_networks

Report = Callable[[float, str], None]


class Schedule:
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

    def _train(self, group: list[Unit], begun: Sequence[bytes] = ()) -> None:
        task, effort = group[0].cell.task, self.folder.effort
        options, seeds = group[0].training(effort), [unit.seed for unit in group]
        then = partial(self._trained, group)
        self._submit(then, train_networks, task, options, seeds, effort.device, begun)

    def _trained(self, group: list[Unit], future: Future[Any]) -> None:
        """Keep what is done of a group, and let the others go on."""
        done, going = _result(future)
        for unit in group:
            if unit.seed in done:
                self._take(unit, done[unit.seed])
        if rest := [unit for unit in group if unit.seed in going]:
            self._train(rest, [going[unit.seed] for unit in rest])

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
