"""What a run leaves behind: spikes as events, readouts at the task's step, voltages on request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array

Array = NDArray[np.float64]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spikes:
    """S spikes as events, sorted by trial, then step, then neuron.

    Attributes:
        trial: (S,) trial of each spike.
        step: (S,) step of each spike.
        neuron: (S,) neuron of each spike, numbered through all populations.
        n_trials: B.
        n_steps: K, the steps of one trial.
        n_neurons: N.
    """

    trial: Numbers
    step: Numbers
    neuron: Numbers
    n_trials: int
    n_steps: int
    n_neurons: int

    def __post_init__(self) -> None:
        for name, stop in (("trial", "n_trials"), ("step", "n_steps"), ("neuron", "n_neurons")):
            limit = counted(stop, getattr(self, stop), least=1)
            events = frozen_array(f"spikes: {name}", getattr(self, name), (None,), np.int32)
            if events.size and not (events.min() >= 0 and events.max() < limit):
                raise SpecError(f"spikes: {name} must lie between 0 and {limit - 1}")
            object.__setattr__(self, name, events)
        sizes = {getattr(self, name).shape for name in ("trial", "step", "neuron")}
        if len(sizes) != 1:
            raise SpecError(f"spikes: trial, step and neuron differ in length: {sizes}")
        if np.any(np.diff(self.codes()) <= 0):
            raise SpecError("spikes: must be sorted by trial, step and neuron, each once")

    @property
    def count(self) -> int:
        """Number of spikes S."""
        return self.trial.size

    def codes(self) -> NDArray[np.int64]:
        """(S,) one ascending number for each spike, unique to its trial, step and neuron."""
        trial = self.trial.astype(np.int64)
        return (trial * self.n_steps + self.step) * self.n_neurons + self.neuron

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One run of a spiking network.

    Attributes:
        spikes: All spikes of all trials.
        readouts: Output of each readout, (T, B, O), at the end of each sample.
        dt_ms: Step of the network, ms.
        sample_ms: Time between two samples of readouts and voltages, ms.
        populations: Names and sizes, in order.
        voltages_mv: (T, B, N) at the end of each sample, mV; None unless asked for.
        margins_mv: (B,) least distance of any v from its threshold in any step, mV; None unless
            asked for.
        provenance: What made it: backend, versions, precision, seed.
    """

    spikes: Spikes
    readouts: Mapping[str, Array]
    dt_ms: float
    sample_ms: float
    populations: Mapping[str, int]
    voltages_mv: Array | None = None
    margins_mv: Array | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trials = self.spikes.n_trials
        readouts = {
            name: frozen_array(f"readout {name}", values, (None, trials, None))
            for name, values in self.readouts.items()
        }
        object.__setattr__(self, "readouts", MappingProxyType(readouts))
        object.__setattr__(self, "populations", MappingProxyType(dict(self.populations)))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))
        if sum(self.populations.values()) != self.spikes.n_neurons:
            raise SpecError("recording: the populations do not add up to the recorded neurons")
        if self.voltages_mv is not None:
            shape = (None, trials, self.spikes.n_neurons)
            object.__setattr__(
                self, "voltages_mv", frozen_array("voltages_mv", self.voltages_mv, shape)
            )
        if self.margins_mv is not None:
            margins = frozen_array("margins_mv", self.margins_mv, (trials,))
            object.__setattr__(self, "margins_mv", margins)

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes, which its read-only mappings cannot."""
        plain: dict[str, Any] = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        for name in ("readouts", "populations", "provenance"):
            plain[name] = dict(plain[name])
        return partial(Recording, **plain), ()

    @classmethod
    def joined(cls, parts: "Sequence[Recording]") -> "Recording":
        """Recordings of the same network, for as long, as one: trial after trial.

        Provenance is that of the first.
        """
        first = parts[0]
        before = np.cumsum([0, *(part.spikes.n_trials for part in parts)])
        trials = [part.spikes.trial + start for part, start in zip(parts, before, strict=False)]
        spikes = replace(
            first.spikes,
            trial=np.concatenate(trials),
            step=np.concatenate([part.spikes.step for part in parts]),
            neuron=np.concatenate([part.spikes.neuron for part in parts]),
            n_trials=int(before[-1]),
        )
        return replace(
            first,
            spikes=spikes,
            readouts={
                name: np.concatenate([part.readouts[name] for part in parts], axis=1)
                for name in first.readouts
            },
            voltages_mv=_beside([part.voltages_mv for part in parts], axis=1),
            margins_mv=_beside([part.margins_mv for part in parts], axis=0),
        )

    @property
    def trial_s(self) -> float:
        """Length of a trial, s."""
        return self.spikes.n_steps * self.dt_ms / 1000.0


def _beside(parts: Sequence[Array | None], axis: int) -> Array | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given, axis=axis) if len(given) == len(parts) else None
