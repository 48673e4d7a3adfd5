"""Gathers what the step-by-step backends leave behind, and makes the recording of it."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.backends.constants import Membrane
from bridge.spiking.decoding import decode
from bridge.spiking.drive import Drive, FrozenNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]


class _State(Protocol):
    """What is read of a population's state: (B, n) arrays."""

    span: slice
    v: Array
    spikes: NDArray[np.bool_]
    membrane: Membrane


class EventList:
    """Spikes, margins and sampled voltages of a running NumPy simulation."""

    def __init__(
        self, network: SpikingNetwork, drive: Drive, *, voltages: bool, margins: bool
    ) -> None:
        self.shape = (drive.n_trials, drive.n_steps(network), network.size)
        self._parts: list[tuple[NDArray[np.int64], ...]] = []
        self.voltages_mv: Array | None = None
        self.margins_mv: Array | None = None
        if voltages:
            n_samples = drive.inputs.shape[0]
            self.voltages_mv = np.empty((n_samples, drive.n_trials, network.size))
        if margins:
            self.margins_mv = np.full(drive.n_trials, np.inf)

    def note_margins(self, populations: Sequence[_State]) -> None:
        """Take the distances from threshold of the step, before any reset."""
        if self.margins_mv is not None:
            for state in populations:
                nearest = np.abs(state.v - state.membrane.threshold).min(axis=1)
                self.margins_mv = np.minimum(self.margins_mv, nearest)

    def note_spikes(self, step: int, populations: Sequence[_State]) -> None:
        """Take the spikes of a step."""
        for state in populations:
            trial, neuron = np.nonzero(state.spikes)
            if trial.size:
                self._parts.append((trial, np.full_like(trial, step), neuron + state.span.start))

    def note_voltages(self, sample: int, populations: Sequence[_State]) -> None:
        """Take the voltages at the end of a sample."""
        if self.voltages_mv is not None:
            for state in populations:
                self.voltages_mv[sample, :, state.span] = state.v

    def spikes(self) -> Spikes:
        """All events, sorted."""
        if not self._parts:
            return Spikes.gather([], [], [], self.shape)
        trial, step, neuron = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        return Spikes.gather(trial, step, neuron, self.shape)


class _Gathered(Protocol):
    """What a finished run hands over."""

    @property
    def voltages_mv(self) -> Array | None:
        """(T, B, N) voltages at the end of each sample, mV."""

    @property
    def margins_mv(self) -> Array | None:
        """(B,) least distances from threshold, mV."""

    def spikes(self) -> Spikes:
        """All events, sorted."""


def recording(
    network: SpikingNetwork, drive: Drive, gathered: _Gathered, *, backend: str, **details: Any
) -> Recording:
    """The recording of a finished run: its events, the readouts they decode to, where from."""
    spikes = gathered.spikes()
    packages = {
        "reference": "numpy",
        "brian2": "brian2",
        "snntorch": "snntorch",
        "nest": "nest-simulator",
    }
    noise = drive.noise
    return Recording(
        spikes=spikes,
        readouts=decode(network, spikes, drive.recurrent_gain),
        dt_ms=network.dt_ms,
        sample_ms=network.dt_ms * network.sample_steps,
        populations={population.name: population.size for population in network.populations},
        inputs=drive.inputs if network.input_size else None,
        labels=drive.labels,
        conditions=drive.conditions,
        task=drive.task,
        seed=drive.seed,
        voltages_mv=gathered.voltages_mv,
        margins_mv=gathered.margins_mv,
        provenance={
            "backend": backend,
            "package": f"{packages[backend]} {version(packages[backend])}",
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
        threshold = np.asarray(population.neurons.v_threshold_mv)
        begin = drive.v_initial_mv
        if begin is None:
            above = population.initial_voltage.high_mv >= threshold.min()
        else:
            above = bool(np.any(begin[:, network.span(population.name)] >= threshold))
        if above:
            return True
    return False
