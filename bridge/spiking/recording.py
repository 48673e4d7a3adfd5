"""What a run leaves behind: spikes, readouts at the task's step, and what its trials were of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.conditions import check_drawn, checked_labels, trials_of
from bridge.spiking.essentials import as_table, in_a_line, names, of_task, several, source
from bridge.spiking.inputs import frozen_spikes
from bridge.spiking.spikes import Spikes
from bridge.spiking.tables import Recorded, Rows, frame
from bridge.spiking.values import (
    frozen_provenance,
    known_model,
    part_name,
    shown,
    text,
    time_step_ms,
)
from bridge.spiking.window import Window, checked_mapping

__all__ = ["Recording", "Spikes", "Window"]

Array = NDArray[np.float64]


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
        inputs: (T, B, C) what the network was shown, sample by sample; None: not known.
        labels: (B,) which of `conditions` each trial is of; None: not known. A recording is sorted
            by them: `recording.chosen(recording.trials_of("Go"))`, or as arrays
            `recording.readouts["output"][:, recording.labels == 0]`.
        conditions: Names of the conditions, by label.
        task: Name of the task that the trials are of, or "".
        seed: The seed that decided trials and noise, as it was given; None: not known. What the
            noise itself was drawn from is in the provenance.
        voltages_mv: (T, B, N) at the end of each sample, mV; None unless asked for.
        margins_mv: (B,) least distance of any v from its threshold in any step, mV; None unless
            asked for, or where nobody has a threshold.
        values: (T, B, n) what each population that emits values passed on in the last step of each
            sample; None unless asked for.
        window: Every step of a part of the trials; None unless asked for.
        provenance: What made it: backend, versions, precision, seed.
        input_spikes: What the network was shown as spikes, by the name of the input.
    """

    spikes: Spikes
    readouts: Mapping[str, Array]
    dt_ms: float
    sample_ms: float
    populations: Mapping[str, int]
    inputs: Array | None = None
    labels: NDArray[np.int64] | None = None
    conditions: tuple[str, ...] = ()
    task: str = ""
    seed: int | None = None
    voltages_mv: Array | None = None
    margins_mv: Array | None = None
    values: Mapping[str, Array] | None = None
    window: Window | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    input_spikes: Mapping[str, Spikes] = field(default_factory=dict)

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        return {
            "length": f"{several(self.spikes.n_trials, 'trial')} of {self.trial_s:g} s",
            "size": f"{several(self.spikes.n_neurons, 'neuron')} in {names(self.populations)}",
            "activity": several(self.spikes.count, "spike"),
            "readouts": f"readouts {names(self.readouts)}" if self.readouts else "",
            "step": f"step {self.dt_ms:g} ms",
            "task": of_task(self.task),
            "seed": "" if self.seed is None else f"seed {self.seed}",
            "made by": source(self.provenance),
        }

    def __post_init__(self) -> None:
        known_model("spikes", self.spikes, (Spikes,))
        for name in ("dt_ms", "sample_ms"):
            object.__setattr__(self, name, time_step_ms(name, getattr(self, name)))
        object.__setattr__(self, "provenance", frozen_provenance(self.provenance))
        self._check_populations()
        labels, conditions = checked_labels(self.labels, self.conditions, self.spikes.n_trials)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "conditions", conditions)
        check_drawn(self.task, self.seed)
        self._check_samples(self._samples(), self.spikes.n_trials)
        extent = (self.spikes.n_trials, self.spikes.n_steps)
        object.__setattr__(self, "input_spikes", frozen_spikes(self.input_spikes, extent))

    def _check_samples(self, samples: int, trials: int) -> None:
        readouts = {
            part_name("readout", name): frozen_array(
                f"readout {name}", values, (samples, trials, None)
            )
            for name, values in checked_mapping("readouts", self.readouts).items()
        }
        object.__setattr__(self, "readouts", MappingProxyType(readouts))
        shapes = {
            "inputs": (samples, trials, None),
            "voltages_mv": (samples, trials, self.spikes.n_neurons),
            "margins_mv": (trials,),
        }
        for name, shape in shapes.items():
            if getattr(self, name) is not None:
                values = frozen_array(name, getattr(self, name), shape)
                object.__setattr__(self, name, values)
        self._check_values(samples, trials)
        if self.margins_mv is not None and np.any(self.margins_mv < 0):
            raise SpecError(f"margins_mv: must not be negative, got {self.margins_mv.min():g}")

    def _check_values(self, samples: int, trials: int) -> None:
        """What was passed on and what is in the window belongs to populations."""
        if self.values is not None:
            values = {}
            for name, given in checked_mapping("values", self.values).items():
                if name not in self.populations:
                    raise SpecError(f"values: no population {shown(name)}")
                shape = (samples, trials, self.populations[name])
                values[name] = frozen_array(f"values {name}", given, shape)
            object.__setattr__(self, "values", MappingProxyType(values))
        if self.window is not None:
            known_model("window", self.window, (Window,))
            self.window.check(self.spikes.n_steps, trials, self.populations)

    def _check_populations(self) -> None:
        # A file that does not state the sizes knows of a silent population nothing but its name.
        least = 0 if self.provenance.get("sizes_told") is False else 1
        sizes = {
            text("population: name", name): counted(f"population {name}: size", size, least=least)
            for name, size in checked_mapping("populations", self.populations).items()
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
        sampled = [self.voltages_mv, self.inputs]
        for name, named in (
            ("readouts", self.readouts),
            ("values", {} if self.values is None else self.values),
        ):
            sampled += checked_mapping(name, named).values()
        if left and any(values is not None for values in sampled):
            raise SpecError(
                f"sample_ms: a trial of {self.spikes.n_steps:,} steps has no whole number of "
                f"samples of {whole:,} steps"
            )
        return samples

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes, which its read-only mappings cannot."""
        plain: dict[str, Any] = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        for name in ("readouts", "populations", "provenance", "input_spikes", "values"):
            plain[name] = None if plain[name] is None else dict(plain[name])
        return partial(Recording, **plain), ()

    @classmethod
    def joined(cls, parts: "Sequence[Recording]") -> "Recording":
        """Recordings of the same network, for as long, as one: trial after trial.

        Provenance is that of the first.
        """
        first = parts[0]
        shown = [name for name in first.input_spikes if all(name in p.input_spikes for p in parts)]
        alike = all(part.conditions == first.conditions for part in parts)
        labels = _beside([part.labels for part in parts], axis=0) if alike else None
        return replace(
            first,
            spikes=Spikes.joined([part.spikes for part in parts]),
            readouts={
                name: np.concatenate([part.readouts[name] for part in parts], axis=1)
                for name in first.readouts
            },
            inputs=_beside([part.inputs for part in parts], axis=1),
            labels=labels,
            conditions=() if labels is None else first.conditions,
            task=first.task if all(part.task == first.task for part in parts) else "",
            seed=first.seed if all(part.seed == first.seed for part in parts) else None,
            voltages_mv=_beside([part.voltages_mv for part in parts], axis=1),
            margins_mv=_beside([part.margins_mv for part in parts], axis=0),
            values=_values_beside(parts),
            window=_window_beside(parts),
            input_spikes={
                name: Spikes.joined([part.input_spikes[name] for part in parts]) for name in shown
            },
        )

    def chosen(self, trials: ArrayLike) -> "Recording":
        """Some of the trials, in the order of their numbers given.

        Raises:
            SpecError: no trial is chosen, or one that is not there.
        """
        numbers = frozen_array("trials", trials, (None,), np.int64)
        count = self.spikes.n_trials
        if not numbers.size or numbers.min() < 0 or numbers.max() >= count:
            raise SpecError(f"trials: expected numbers from 0 to {count - 1}, at least one")
        axes = {"labels": 0, "margins_mv": 0, "inputs": 1, "voltages_mv": 1}
        arrays = {name: getattr(self, name) for name in axes}
        kept: dict[str, Any] = {
            name: None if values is None else np.take(values, numbers, axis=axes[name])
            for name, values in arrays.items()
        }
        kept["readouts"] = {name: values[:, numbers] for name, values in self.readouts.items()}
        kept["input_spikes"] = {
            name: spikes.chosen(numbers) for name, spikes in self.input_spikes.items()
        }
        if self.values is not None:
            kept["values"] = {name: each[:, numbers] for name, each in self.values.items()}
        kept["window"] = None if self.window is None else self.window.chosen(numbers)
        return replace(self, spikes=self.spikes.chosen(numbers), **kept)

    def trials_of(self, condition: str) -> NDArray[np.int64]:
        """Numbers of the trials of one condition, ascending.

        Raises:
            SpecError: the trials have no labels, or there is no such condition.
        """
        return trials_of(self.labels, self.conditions, condition)

    def to_pandas(self, rows: Rows = "spikes") -> Any:
        """A `pandas.DataFrame` with one row a spike, or one row a neuron.

        Args:
            rows: "spikes" or "neurons".

        Returns:
            Of "spikes" the columns trial, time_ms, neuron, population, index_in_population and, if
            labels are known, condition. `time_ms` is the start of the spike's step, from the start
            of the trial; `neuron` counts through all populations.

            Of "neurons" the columns neuron, population, index_in_population, spikes, rate_hz,
            cv_isi, silent and, if labels are known, rate_hz_NAME for each condition. `spikes` are
            those of all trials, and `rate_hz` is their mean. `cv_isi` is the mean of the trials
            with three intervals or more, else NaN.

        Raises:
            SpecError: `rows` is something else.
            BackendError: pandas is not installed.
        """
        recorded = Recorded(
            self.spikes, self.dt_ms, self.trial_s, self.populations, self.labels, self.conditions
        )
        return frame(recorded, rows)

    def drawn_from(self) -> dict[str, str | int]:
        """Task, seed as it was given, and seed of the noise, as far as they are known."""
        told = {"task": self.task or None, "seed": self.seed}
        told["noise_seed"] = self.provenance.get("seed")
        return {name: value for name, value in told.items() if value is not None}

    @property
    def trial_s(self) -> float:
        """Length of a trial, s."""
        return self.spikes.n_steps * self.dt_ms / 1000.0


# A time in ms that went through seconds or Hz may have lost a rounding.
_ROUNDING = 1e-6


def _beside(parts: Sequence[NDArray[Any] | None], axis: int) -> NDArray[Any] | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given, axis=axis) if len(given) == len(parts) else None


def _values_beside(parts: Sequence[Recording]) -> dict[str, Array] | None:
    """What was passed on in the trials of all parts; None where one does not know."""
    given = [part.values for part in parts if part.values is not None]
    if len(given) < len(parts):
        return None
    return {name: np.concatenate([each[name] for each in given], axis=1) for name in given[0]}


def _window_beside(parts: Sequence[Recording]) -> Window | None:
    """The window of all trials; None where parts have none, or another."""
    given = [part.window for part in parts if part.window is not None]
    alike = len({(window.start_step, window.n_steps) for window in given}) == 1
    return Window.joined(given) if alike and len(given) == len(parts) else None
