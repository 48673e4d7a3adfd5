"""A whole run as one compiled loop: the reference's bits in float64, a trial on each thread.

The program is written out from the models' and filters' own functions and compiled once for all
networks of a form; from a trial's first step to its last nothing leaves it but spikes.
"""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.compiled import build
from bridge.backends.compiled.form import Precision, form_of
from bridge.backends.compiled.text import program
from bridge.backends.compiled.values import arrays_of, numbers_of
from bridge.backends.recorder import check_finite, recording
from bridge.backends.workers import available_processes
from bridge.errors import BackendError, SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive
from bridge.spiking.limits import MOST_INT32
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

_PRECISIONS: dict[str, Precision] = {"float64": "float64", "float32": "float32"}
_STOPPED, _NOT_FINITE, _NO_MEMORY = 1, 2, 3
# How often the threads are looked after, s.
_LOOK_S = 0.1


# The options are named one by one, so that Python itself refuses an unknown one.
def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    dtype: str = "float64",
    workers: int | None = None,
    voltages: bool = False,
    margins: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials, each as one call of a compiled program.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is a hash under keys of this backend's own.
        dtype: "float64", or "float32": faster, and inexact.
        workers: Threads that share the trials; None: as many as this process may use. Spikes do
            not depend on it.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        on_progress: Called with the fraction done.

    Raises:
        BackendError: there is no C++ compiler, or a state stops being finite.
    """
    drive.check(network)
    if dtype not in _PRECISIONS:
        raise SpecError(f"unknown dtype {dtype!r}; known are {', '.join(_PRECISIONS)}")
    if workers is not None:
        counted("workers", workers, least=1)
    if drive.n_steps(network) >= MOST_INT32 - LATEST:
        raise SpecError(f"a trial of {drive.n_steps(network):,} steps is too long for an int32")
    form = form_of(network, drive, dtype=_PRECISIONS[dtype], voltages=voltages, margins=margins)
    sheet = program(form)
    library = build.library(sheet)
    run = _Run(network, drive, library)
    arrays = arrays_of(network, drive, form)
    samples, trials = len(drive.inputs), drive.n_trials
    if voltages:
        run.kept["voltages"] = np.empty((samples, trials, network.size), dtype=dtype)
    if margins:
        run.kept["margins"] = np.empty(trials, dtype=dtype)
    run.hand_over(arrays | run.kept, sheet.arrays)
    numbers = numbers_of(network, drive)
    run.numbers = np.array([numbers[name] for name in sheet.numbers], dtype=np.int64)
    run.all_trials(min(_threads() if workers is None else workers, trials), on_progress)
    return recording(network, drive, run, backend="compiled", dtype=dtype)


# A neuron is free again at most so many steps after the last.
LATEST = 10**6 + 1


def _threads() -> int:
    """How many threads share the trials: those this process may use, and was told to use."""
    most = available_processes()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) >= 1:
        most = min(most, int(asked))
    torch = sys.modules.get("torch")
    return most if torch is None else max(1, min(most, torch.get_num_threads()))


@dataclass
class _Run:
    """A run of a program: what it is handed, and what its trials leave.

    Attributes:
        kept: What the program writes besides spikes, by name.
        numbers: The whole numbers it is handed.
    """

    network: SpikingNetwork
    drive: Drive
    library: Any
    kept: dict[str, NDArray[Any]] = field(default_factory=dict)
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        self._stop = np.zeros(1, dtype=np.int32)
        self._done = np.zeros(self.drive.n_trials, dtype=np.int64)
        self._events: list[tuple[NDArray[np.int32], NDArray[np.int32]] | None]
        self._events = [None] * self.drive.n_trials

    def hand_over(self, arrays: dict[str, NDArray[Any]], names: list[str]) -> None:
        """Arrays in the order in which the program names them."""
        self._arrays = [arrays[name] for name in names]
        self._table = np.array([array.ctypes.data for array in self._arrays], dtype=np.uintp)

    def all_trials(self, threads: int, on_progress: Callable[[float], None] | None) -> None:
        """Run all trials, and look after the threads until they are done."""
        total, trials = self._done.size * len(self.drive.inputs), count()
        with ThreadPoolExecutor(threads) as pool:
            left = {pool.submit(self._some_trials, trials) for _ in range(threads)}
            try:
                while left:
                    ended, left = wait(left, _LOOK_S, FIRST_COMPLETED)
                    for thread in ended:
                        thread.result()
                    if on_progress is not None:
                        on_progress(int(self._done.sum()) / total)
            finally:
                # After an interrupt or an error nobody waits for the rest.
                self._stop[0] = 1

    def _some_trials(self, trials: Iterator[int]) -> None:
        """Run trials, each the next that no other thread has taken."""
        while (trial := next(trials)) < self._done.size and not self._stop[0]:
            self._trial(trial)

    def _trial(self, trial: int) -> None:
        left = self.library.begin()
        if not left:
            raise BackendError(_memory(trial))
        try:
            status = self.library.simulate(
                self._table.ctypes.data,
                self.numbers.ctypes.data,
                trial,
                left,
                self._stop.ctypes.data,
                self._done[trial:].ctypes.data,
            )
            if status == _NO_MEMORY:
                raise BackendError(_memory(trial))
            if status == _NOT_FINITE:
                self._not_finite(left, trial)
            self._events[trial] = self._spikes(left)
        finally:
            self.library.drop(left)

    def _spikes(self, left: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        events = self.library.count(left)
        step, neuron = np.empty(events, dtype=np.int32), np.empty(events, dtype=np.int32)
        self.library.spikes(left, step.ctypes.data, neuron.ctypes.data)
        return step, neuron

    def _not_finite(self, left: int, trial: int) -> None:
        where = np.zeros(4, dtype=np.int64)
        self.library.failure(left, where.ctypes.data)
        number, state, neuron, step = where.tolist()
        population = self.network.populations[number]
        values = np.zeros((trial + 1, population.size))
        values[trial, neuron] = np.nan
        check_finite(population, list(population.neurons.states)[state], values, step)

    @property
    def voltages_mv(self) -> NDArray[np.float64] | None:
        """(T, B, N) voltages at the end of each sample, mV."""
        return self._double("voltages")

    @property
    def margins_mv(self) -> NDArray[np.float64] | None:
        """(B,) least distances from threshold, mV."""
        return self._double("margins")

    def _double(self, name: str) -> NDArray[np.float64] | None:
        return np.asarray(self.kept[name], dtype=np.float64) if name in self.kept else None

    def spikes(self) -> Spikes:
        """All events: trial after trial, as they were fired."""
        events = [part for part in self._events if part is not None]
        step, neuron = (np.concatenate(column) for column in zip(*events, strict=True))
        counts = [part[0].size for part in events]
        return Spikes(
            trial=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            step=step,
            neuron=neuron,
            n_trials=self.drive.n_trials,
            n_steps=self.drive.n_steps(self.network),
            n_neurons=self.network.size,
        )


def _memory(trial: int) -> str:
    return f"trial {trial} needs more memory than there is; use fewer workers or shorter trials"
