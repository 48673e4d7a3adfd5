"""Spikes as events: what a run leaves behind however many neurons were silent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import several, told
from bridge.spiking.limits import MOST_CELLS, MOST_INT32

Numbers = NDArray[np.int32]
# Events whose codes a processor's cache holds.
_AT_ONCE = 1 << 15


@dataclass(frozen=True, kw_only=True, eq=False)
class Spikes:
    """S spikes as events, sorted by trial, then step, then neuron.

    Attributes:
        trial: (S,) trial of each spike.
        step: (S,) step of each spike.
        neuron: (S,) neuron of each spike, numbered through all populations.
        n_trials: B; B N is at most 2^28.
        n_steps: K, the steps of one trial; below 2^31.
        n_neurons: N.
    """

    trial: Numbers
    step: Numbers
    neuron: Numbers
    n_trials: int
    n_steps: int
    n_neurons: int

    def __repr__(self) -> str:
        trials = f"{several(self.n_trials, 'trial')} of {several(self.n_steps, 'step')}"
        return told(self, f"{self.count:,} of {several(self.n_neurons, 'neuron')}", trials)

    def __post_init__(self) -> None:
        self._check_extent()
        for name, stop in (("trial", "n_trials"), ("step", "n_steps"), ("neuron", "n_neurons")):
            limit = getattr(self, stop)
            events = frozen_array(f"spikes: {name}", getattr(self, name), (None,), np.int32)
            if events.size and not (events.min() >= 0 and events.max() < limit):
                raise SpecError(f"spikes: {name} must lie between 0 and {limit - 1}")
            object.__setattr__(self, name, events)
        sizes = {getattr(self, name).shape for name in ("trial", "step", "neuron")}
        if len(sizes) != 1:
            raise SpecError(f"spikes: trial, step and neuron differ in length: {sizes}")
        if not self._in_order():
            raise SpecError("spikes: must be sorted by trial, step and neuron, each once")

    def _check_extent(self) -> None:
        for name in ("n_trials", "n_steps", "n_neurons"):
            counted(f"spikes: {name}", getattr(self, name), least=1, most=MOST_INT32)
        if self.n_trials * self.n_neurons > MOST_CELLS:
            raise SpecError(
                f"spikes: {self.n_trials:,} trials of {self.n_neurons:,} neurons are too many"
            )

    def _in_order(self) -> bool:
        """Whether each event comes after the one before it."""
        # Piece by piece, each with the first event of the next: all at once would leave the cache.
        for start in range(0, self.count, _AT_ONCE):
            codes = self._codes(slice(start, start + _AT_ONCE + 1))
            if np.any(codes[1:] <= codes[:-1]):
                return False
        return True

    @property
    def count(self) -> int:
        """Number of spikes S."""
        return self.trial.size

    def codes(self) -> NDArray[np.int64]:
        """(S,) one ascending number for each spike, unique to its trial, step and neuron."""
        return self._codes(slice(None))

    def _codes(self, events: slice) -> NDArray[np.int64]:
        codes = self.trial[events].astype(np.int64)
        codes *= self.n_steps
        codes += self.step[events]
        codes *= self.n_neurons
        codes += self.neuron[events]
        return codes

    def trial_counts(self) -> NDArray[np.int64]:
        """(B,) number of spikes of each trial."""
        return np.diff(self._first_of(np.arange(self.n_trials + 1)))

    def _first_of(self, trials: ArrayLike) -> NDArray[np.int64]:
        """Number of the first event of each trial, or where it would be."""
        # Of another type than the events they would make a copy of these all.
        wanted = np.asarray(np.minimum(trials, MOST_INT32), dtype=np.int32)
        return np.searchsorted(self.trial, wanted)

    def chosen(self, trials: NDArray[np.int64]) -> "Spikes":
        """The spikes of some of the trials, in the order of their numbers given."""
        first = self._first_of(trials)
        counts = self._first_of(np.asarray(trials) + 1) - first
        events = np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
        return self._taken(
            np.repeat(np.arange(len(trials), dtype=np.int32), counts),
            self.step[events],
            self.neuron[events],
            n_trials=len(trials),
        )

    def between(self, first: int, stop: int) -> "Spikes":
        """The spikes of the trials from number `first` to before `stop`."""
        begin, end = self._first_of((first, stop))
        return self._taken(
            self.trial[begin:end] - np.int32(first),
            self.step[begin:end],
            self.neuron[begin:end],
            n_trials=stop - first,
        )

    def onsets(self, neurons: NDArray[np.bool_]) -> "Spikes":
        """The same without those of chosen neurons, (N,), that spiked in the step before, too."""
        codes = self.codes()
        # A step before is N less; there is none before the first, where that is another trial.
        place = np.searchsorted(codes, codes - self.n_neurons)
        goes_on = (self.step > 0) & (codes[place] == codes - self.n_neurons)
        kept = ~(goes_on & neurons[self.neuron])
        return self._taken(self.trial[kept], self.step[kept], self.neuron[kept])

    def cut(self, first: int, stop: int) -> "Spikes":
        """The spikes from step `first` to before `stop`, of trials that begin with it."""
        kept = (self.step >= first) & (self.step < stop)
        return self._taken(
            self.trial[kept],
            self.step[kept] - np.int32(first),
            self.neuron[kept],
            n_steps=stop - first,
        )

    def _taken(self, trial: Numbers, step: Numbers, neuron: Numbers, **extent: int) -> "Spikes":
        """Some of these events, in their order: what was checked here is not checked again."""
        taken = object.__new__(Spikes)
        sizes = {name: getattr(self, name) for name in ("n_trials", "n_steps", "n_neurons")}
        events = {"trial": trial, "step": step, "neuron": neuron}
        for array in events.values():
            array.flags.writeable = False
        for name, value in (events | sizes | extent).items():
            object.__setattr__(taken, name, value)
        taken._check_extent()
        return taken

    @classmethod
    def joined(cls, parts: Sequence["Spikes"]) -> "Spikes":
        """Spikes of the same neurons, for as long, as one: trial after trial."""
        before = np.cumsum([0, *(part.n_trials for part in parts)])
        trials = [part.trial + start for part, start in zip(parts, before, strict=False)]
        return replace(
            parts[0],
            trial=np.concatenate(trials),
            step=np.concatenate([part.step for part in parts]),
            neuron=np.concatenate([part.neuron for part in parts]),
            n_trials=int(before[-1]),
        )

    @classmethod
    def gather(
        cls, trial: ArrayLike, step: ArrayLike, neuron: ArrayLike, shape: tuple[int, int, int]
    ) -> "Spikes":
        """Events in any order, sorted; `shape` is (n_trials, n_steps, n_neurons)."""
        trials, steps, neurons = (np.asarray(part) for part in (trial, step, neuron))
        order = np.lexsort((neurons, steps, trials))
        return cls(
            trial=trials[order],
            step=steps[order],
            neuron=neurons[order],
            n_trials=shape[0],
            n_steps=shape[1],
            n_neurons=shape[2],
        )
