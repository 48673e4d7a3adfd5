"""Gathers what the step-by-step backends leave behind, and makes the recording of it."""

from collections.abc import Sequence
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.backends.declaration import declared
from bridge.backends.kept import Kept
from bridge.errors import BackendError
from bridge.spiking.decoding import decode
from bridge.spiking.drive import Drive, FrozenNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.recording import Recording, Spikes
from bridge.versions import version

Array = NDArray[np.float64]


class _State(Protocol):
    """What is read of a population's state: (B, n) arrays."""

    span: slice
    spikes: NDArray[np.bool_]
    threshold: Array | None

    @property
    def v(self) -> Array:
        """Voltages, mV."""


class EventList:
    """Spikes and margins of a running NumPy simulation."""

    def __init__(self, network: SpikingNetwork, drive: Drive, *, margins: bool) -> None:
        self.shape = (drive.n_trials, drive.n_steps(network), network.size)
        self._parts: list[tuple[NDArray[np.int64], ...]] = []
        self.margins_mv: Array | None = None
        if margins:
            self.margins_mv = np.full(drive.n_trials, np.inf)

    def note_margins(self, state: _State) -> None:
        """Take the distances from threshold of a population's step, before any reset."""
        if self.margins_mv is not None and state.threshold is not None:
            nearest = np.abs(state.v - state.threshold).min(axis=1)
            self.margins_mv = np.minimum(self.margins_mv, nearest)

    def note_spikes(self, step: int, populations: Sequence[_State]) -> None:
        """Take the spikes of a step."""
        for state in populations:
            trial, neuron = np.nonzero(state.spikes)
            if trial.size:
                self._parts.append((trial, np.full_like(trial, step), neuron + state.span.start))

    def spikes(self) -> Spikes:
        """All events, sorted."""
        if not self._parts:
            return Spikes.gather([], [], [], self.shape)
        trial, step, neuron = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        return Spikes.gather(trial, step, neuron, self.shape)


def check_finite(
    population: Population, state: str, values: Array, step: int, first: int = 0
) -> None:
    """Raise BackendError where a state of a population is no longer a number.

    Args:
        population: Whose state it is.
        state: Name of the state.
        values: (B, n) its values.
        step: Number of the last step that was taken.
        first: Number of the first of the B trials.
    """
    if np.isfinite(values).all():
        return
    trial, neuron = (int(place[0]) for place in np.nonzero(~np.isfinite(values)))
    raise _no_number(population, state, neuron, (step, first + trial))


def no_number(
    network: SpikingNetwork, place: tuple[int, int, int], step: int, trial: int
) -> NoReturn:
    """Raise BackendError: a state is no longer a number.

    Args:
        network: Of the run.
        place: Numbers of the population, of the state among its own, and of the neuron.
        step: Number of the last step that was taken.
        trial: Number of the trial.
    """
    number, state, neuron = place
    population = network.populations[number]
    raise _no_number(population, list(population.neurons.states)[state], neuron, (step, trial))


def _no_number(
    population: Population, state: str, neuron: int, when: tuple[int, int]
) -> BackendError:
    step, trial = when
    place = f"neuron {neuron} of population {population.name} ({population.neurons.title})"
    return BackendError(
        f"state {state} of {place} is no longer finite after step {step} of trial {trial}"
    )


class _Gathered(Protocol):
    """What a finished run hands over."""

    @property
    def margins_mv(self) -> Array | None:
        """(B,) least distances from threshold, mV."""

    def spikes(self) -> Spikes:
        """All events, sorted."""


def recording(
    network: SpikingNetwork,
    drive: Drive,
    gathered: _Gathered,
    kept: Kept,
    *,
    backend: str,
    **details: Any,
) -> Recording:
    """The recording of a finished run: its events, what they decode to, what was kept, where from.

    Args:
        network: What was run.
        drive: What it was driven with.
        gathered: Its spikes and margins.
        kept: What else was kept.
        backend: Name of the backend.
        **details: More of the provenance.
    """
    spikes = gathered.spikes()
    readouts = decode(network, spikes, drive.recurrent_gain) | kept.readouts
    package = declared()[backend].package
    fires = any(population.neurons.fires for population in network.populations)
    noise = drive.noise
    return Recording(
        spikes=spikes,
        readouts={readout.name: readouts[readout.name] for readout in network.readouts},
        dt_ms=network.dt_ms,
        sample_ms=network.dt_ms * network.sample_steps,
        populations={population.name: population.size for population in network.populations},
        inputs=drive.inputs if network.input_size else None,
        labels=drive.labels,
        conditions=drive.conditions,
        task=drive.task,
        seed=drive.seed,
        input_spikes=drive.spikes,
        voltages_mv=kept.voltages_mv,
        # Where nobody has a threshold there is no distance from one.
        margins_mv=gathered.margins_mv if fires else None,
        values=kept.values,
        window=kept.window(),
        provenance={
            "backend": backend,
            "package": f"{package} {version(package)}",
            "task": network.task,
            "noise": type(noise).__name__,
            "seed": -1 if isinstance(noise, FrozenNoise) else noise.seed,
            "first_trial": drive.first_trial,
            "starts_above_threshold": _starts_above_threshold(network, drive),
            **details,
        },
    )


def _starts_above_threshold(network: SpikingNetwork, drive: Drive) -> bool:
    """Whether neurons fire in the first step because of where their voltages begin."""
    for population in network.populations:
        if not population.neurons.fires:
            continue
        threshold = population.neurons.constants(network.dt_ms)["threshold"]
        begin = drive.v_initial_mv
        if begin is None:
            above = population.initial_voltage.high_mv >= threshold.min()
        else:
            above = bool(np.any(begin[:, network.span(population.name)] >= threshold))
        if above:
            return True
    return False
