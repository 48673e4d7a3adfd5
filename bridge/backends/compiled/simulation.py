"""A whole run as one compiled loop: the reference's bits in float64, trials shared by threads.

The program is written out from the models' and filters' own functions and compiled once for all
networks of a form; from a trial's first step to its last nothing leaves it but spikes. On a GPU it
is one kernel (`bridge.backends.compiled.gpu`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from bridge.backends.compiled import build
from bridge.backends.compiled.form import DTYPES, Form, form_of
from bridge.backends.compiled.groups import groups_of
from bridge.backends.compiled.sheet import Sheet
from bridge.backends.compiled.text import program
from bridge.backends.compiled.values import arrays_of, numbers_of
from bridge.backends.kept import Kept, Wanted
from bridge.backends.processors import available_threads
from bridge.backends.recorder import no_number, recording
from bridge.errors import BackendError, SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

_NOT_FINITE, _NO_MEMORY = 2, 3
# How often the threads are looked after, s.
_LOOK_S = 0.1


# The options are named one by one, so that Python itself refuses an unknown one.
def simulate(  # noqa: PLR0913
    network: SpikingNetwork,
    drive: Drive,
    *,
    dtype: str = "float64",
    device: str = "cpu",
    workers: int | None = None,
    voltages: bool = False,
    margins: bool = False,
    values: bool = False,
    window: tuple[int, int] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials in a compiled program, those that see the same noise together.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is a hash under keys of this backend's own.
        dtype: "float64", or "float32": faster, and inexact.
        device: "cpu", "cuda" or "cuda:N": a GPU takes what passes on spikes, by filters of the
            postsynaptic side and weights that are not factored.
        workers: Threads that share the trials, on the CPU; None: as many as this process may use.
            Spikes do not depend on it.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        values: Keep what populations that emit values pass on, at the end of each sample.
        window: Keep every state, and what is passed on, in each step from the first number on and
            before the second; None: nothing.
        on_progress: Called with the fraction done.

    Raises:
        BackendError: there is no C++ compiler; or there is no such GPU, no Triton for it, or it
            does not take the network; or a state stops being finite.
    """
    drive.check(network)
    if dtype not in DTYPES:
        raise SpecError(f"unknown dtype {dtype!r}; known are {', '.join(DTYPES)}")
    if workers is not None:
        counted("workers", workers, least=1)
    wanted = Wanted(voltages=voltages, margins=margins, values=values, window=window)
    if device != "cpu":
        # Not before it is asked for: PyTorch takes seconds to load.
        from bridge.backends.compiled.gpu.simulation import simulate_there

        if workers is not None:
            raise SpecError("workers: threads share trials on the CPU only")
        return simulate_there(network, drive, wanted, (device, dtype), on_progress)
    kept = Kept(network, drive, wanted)
    form = form_of(network, drive, wanted, dtype)
    sheet = program(form)
    run = _Run(network, drive, build.library(sheet))
    run.make_room(form, kept)
    arrays = arrays_of(network, drive, form)
    run.hand_over(sheet, arrays, numbers_of(network, drive, kept.steps))
    threads = min(available_threads() if workers is None else workers, drive.n_trials)
    run.all_trials(groups_of(network, drive, arrays["noise_keys"], threads), threads, on_progress)
    run.give(kept)
    return recording(network, drive, run, kept, backend="compiled", dtype=dtype)


def why_not(
    network: SpikingNetwork, *, device: str = "cpu", dtype: str = "float64", **_: Any
) -> str | None:
    """Why a device does not take a network, as a sentence; None where it does.

    Raises:
        BackendError: there is no such GPU, or no Triton for it.
    """
    if device == "cpu":
        return None
    from bridge.backends.compiled.gpu.suited import why_not_there

    return why_not_there(network, device, dtype)


@dataclass
class _Run:
    """A run of a program: what it is handed, and what its trials leave.

    Attributes:
        kept: What the program writes in addition to spikes, by name.
    """

    network: SpikingNetwork
    drive: Drive
    library: Any
    kept: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stop = np.zeros(1, dtype=np.int32)
        self._done = np.zeros(self.drive.n_trials, dtype=np.int64)
        self._named: dict[tuple[str, int, str], NDArray[Any]] = {}
        self._events: list[tuple[NDArray[np.int32], NDArray[np.int32]] | None]
        self._events = [None] * self.drive.n_trials

    def make_room(self, form: Form, kept: Kept) -> None:
        """Arrays for what the program keeps in addition to spikes."""
        samples, trials = len(self.drive.inputs), self.drive.n_trials
        for number, mine in enumerate(form.populations):
            size = self.network.populations[number].size
            for part, names, rows in (
                ("sampled", mine.sampled, samples),
                ("stepped", mine.stepped, len(kept.steps)),
            ):
                for place, name in enumerate(names):
                    array = np.empty((rows, trials, size), dtype=form.dtype)
                    self.kept[f"{part}_{number}_{place}"] = array
                    self._named[part, number, name] = array
        if form.margins:
            self.kept["margins"] = np.empty(trials, dtype=form.dtype)

    def give(self, kept: Kept) -> None:
        """Hand over what the program kept."""
        for number in range(len(self.network.populations)):
            for part, places in (("sampled", kept.sampled), ("stepped", kept.stepped)):
                for name, place in places(number):
                    place[...] = self._named[part, number, name]

    def hand_over(
        self, sheet: Sheet, arrays: dict[str, NDArray[Any]], numbers: dict[str, int]
    ) -> None:
        """Arrays and numbers in the order in which the program names them."""
        given = arrays | self.kept
        self._arrays = [given[name] for name in sheet.arrays]
        self._table = np.array([array.ctypes.data for array in self._arrays], dtype=np.uintp)
        self._numbers = np.array([numbers[name] for name in sheet.numbers], dtype=np.int64)

    def all_trials(
        self,
        groups: list[NDArray[np.int64]],
        threads: int,
        on_progress: Callable[[float], None] | None,
    ) -> None:
        """Run all groups of trials, and look after the threads until they are done."""
        total, places = self._done.size * len(self.drive.inputs), count()
        with ThreadPoolExecutor(threads) as pool:
            left = {pool.submit(self._some_groups, groups, places) for _ in range(threads)}
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

    def _some_groups(self, groups: list[NDArray[np.int64]], places: Iterator[int]) -> None:
        """Run groups, each the next that no other thread has taken."""
        while (place := next(places)) < len(groups) and not self._stop[0]:
            self._group(groups[place])

    def _group(self, trials: NDArray[np.int64]) -> None:
        left = np.array([self.library.begin() or 0 for _ in trials], dtype=np.uintp)
        try:
            if not left.all():
                raise BackendError(_memory(trials[0]))
            at = np.zeros(1, dtype=np.int64)
            status = self.library.simulate(
                self._table.ctypes.data,
                self._numbers.ctypes.data,
                trials.ctypes.data,
                trials.size,
                len(self.drive.inputs),
                left.ctypes.data,
                self._stop.ctypes.data,
                self._done.ctypes.data,
                at.ctypes.data,
            )
            if status == _NO_MEMORY:
                raise BackendError(_memory(trials[0]))
            if status == _NOT_FINITE:
                self._not_finite(int(left[at[0]]), int(trials[at[0]]))
            for trial, events in zip(trials, left.tolist(), strict=True):
                self._events[trial] = self._spikes(events)
        finally:
            for each in left.tolist():
                if each:
                    self.library.drop(each)

    def _spikes(self, left: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        events = self.library.count(left)
        step, neuron = np.empty(events, dtype=np.int32), np.empty(events, dtype=np.int32)
        self.library.spikes(left, step.ctypes.data, neuron.ctypes.data)
        return step, neuron

    def _not_finite(self, left: int, trial: int) -> NoReturn:
        where = np.zeros(4, dtype=np.int64)
        self.library.failure(left, where.ctypes.data)
        number, state, neuron, step = where.tolist()
        no_number(self.network, (number, state, neuron), step, trial)

    @property
    def margins_mv(self) -> NDArray[np.float64] | None:
        """(B,) least distances from threshold, mV."""
        margins = self.kept.get("margins")
        return None if margins is None else np.asarray(margins, dtype=np.float64)

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
