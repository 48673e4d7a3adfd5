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
from bridge.spiking.limits import MOST_CELLS, MOST_INT32
from bridge.spiking.values import (
    frozen_provenance,
    known_model,
    part_name,
    shown,
    text,
    time_step_ms,
)

Array = NDArray[np.float64]
Numbers = NDArray[np.int32]


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

    def __post_init__(self) -> None:
        for name, stop in (("trial", "n_trials"), ("step", "n_steps"), ("neuron", "n_neurons")):
            limit = counted(f"spikes: {stop}", getattr(self, stop), least=1, most=MOST_INT32)
            events = frozen_array(f"spikes: {name}", getattr(self, name), (None,), np.int32)
            if events.size and not (events.min() >= 0 and events.max() < limit):
                raise SpecError(f"spikes: {name} must lie between 0 and {limit - 1}")
            object.__setattr__(self, name, events)
        if self.n_trials * self.n_neurons > MOST_CELLS:
            raise SpecError(
                f"spikes: {self.n_trials:,} trials of {self.n_neurons:,} neurons are too many"
            )
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
        readouts: Output of each readout, (T, B, O), at the end of each of the T samples that a
            trial consists of.
        dt_ms: Step of the network, ms; 1e-6 to 1e6.
        sample_ms: Time between two samples of readouts and voltages, ms: whole steps.
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
        known_model("spikes", self.spikes, (Spikes,))
        for name in ("dt_ms", "sample_ms"):
            object.__setattr__(self, name, time_step_ms(name, getattr(self, name)))
        object.__setattr__(self, "provenance", frozen_provenance(self.provenance))
        self._check_populations()
        samples, trials = self._samples(), self.spikes.n_trials
        readouts = {
            part_name("readout", name): frozen_array(
                f"readout {name}", values, (samples, trials, None)
            )
            for name, values in _mapping("readouts", self.readouts).items()
        }
        object.__setattr__(self, "readouts", MappingProxyType(readouts))
        if self.voltages_mv is not None:
            shape = (samples, trials, self.spikes.n_neurons)
            voltages = frozen_array("voltages_mv", self.voltages_mv, shape)
            object.__setattr__(self, "voltages_mv", voltages)
        if self.margins_mv is not None:
            margins = frozen_array("margins_mv", self.margins_mv, (trials,))
            if np.any(margins < 0):
                raise SpecError(f"margins_mv: must not be negative, got {margins.min():g}")
            object.__setattr__(self, "margins_mv", margins)

    def _check_populations(self) -> None:
        # A file that does not tell the sizes knows of a silent population nothing but its name.
        least = 0 if self.provenance.get("sizes_told") is False else 1
        sizes = {
            text("population: name", name): counted(f"population {name}: size", size, least=least)
            for name, size in _mapping("populations", self.populations).items()
        }
        if sum(sizes.values()) != self.spikes.n_neurons:
            raise SpecError("recording: the populations do not add up to the recorded neurons")
        object.__setattr__(self, "populations", MappingProxyType(sizes))

    def _samples(self) -> int:
        """T, checked: samples are whole steps, and fill the trial where there are any."""
        steps = self.sample_ms / self.dt_ms
        whole = round(steps)
        if whole < 1 or abs(steps - whole) > _ROUNDING * steps:
            raise SpecError(
                f"sample_ms: expected a multiple of dt_ms, {self.dt_ms:g} ms, "
                f"got {self.sample_ms:g} ms"
            )
        samples, left = divmod(self.spikes.n_steps, whole)
        if left and (self.readouts or self.voltages_mv is not None):
            raise SpecError(
                f"sample_ms: a trial of {self.spikes.n_steps:,} steps has no whole number of "
                f"samples of {whole:,} steps"
            )
        return samples

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


# A time in ms that went through seconds or Hz may have lost a rounding.
_ROUNDING = 1e-6


def _mapping(name: str, value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(f"{name}: expected names with values, got {shown(value)}")
    return value


def _beside(parts: Sequence[Array | None], axis: int) -> Array | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given, axis=axis) if len(given) == len(parts) else None
