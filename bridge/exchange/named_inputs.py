"""What a file states of several inputs, by their names, and the channels and events it becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange.told_inputs import (
    AnalogInput,
    Labels,
    SpikeInput,
    analog_samples,
    check_times,
    length,
    trial_count,
)
from bridge.spiking.essentials import essentials, several
from bridge.spiking.inputs import Input
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.spikes import Spikes
from bridge.spiking.trains import ROUNDING, check_extent, sample_ms

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ToldInputs:
    """What a file states of the inputs of a network.

    Attributes:
        analog: Values, by the names of inputs.
        spikes: Spikes, whose channels are units, by the names of inputs.
        labels: (B,) which of `conditions` each trial is of; None: not stated.
        conditions: Their names.
        notes: What a user should know, a sentence each.
    """

    analog: Mapping[str, AnalogInput] = field(default_factory=dict)
    spikes: Mapping[str, SpikeInput] = field(default_factory=dict)
    labels: Labels | None = None
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    __repr__ = essentials


def assigned(told: AnalogInput | SpikeInput, network: SpikingNetwork, path: Path) -> ToldInputs:
    """What a file without names says: the channels of all analog inputs, or of one the spikes.

    Raises:
        FormatError: of which input the units are is not stated, or the channels are others.
    """
    about = ToldInputs(labels=told.labels, conditions=told.conditions, notes=told.notes)
    if isinstance(told, SpikeInput):
        spiking = network.spiking_inputs()
        if len(spiking) != 1:
            raise FormatError(
                f"{path}: holds spikes, and of which input is not stated; {inputs_told(network)}"
            )
        return replace(about, spikes={spiking[0].name: told})
    if told.values.shape[2] != network.input_size:
        raise FormatError(
            f"{path}: holds {several(told.values.shape[2], 'channel')} without names; "
            f"{inputs_told(network)}"
        )
    analog = {
        part.name: replace(told, values=told.values[:, :, network.channels(part.name)])
        for part in network.inputs
        if not part.spiking
    }
    return replace(about, analog=analog)


def inputs_told(network: SpikingNetwork) -> str:
    """The inputs of a network in a sentence."""
    named = ", ".join(f"{part.name} ({part.described()})" for part in network.inputs)
    return f"the network takes {named}"


def owner(name: str, inputs: Sequence[Input]) -> Input | None:
    """The input whose name a column's name is, or begins with; of several the longest one."""
    found = [
        part
        for part in inputs
        if name.startswith(part.name.lower()) and name[len(part.name) :][:1] in _AFTER_A_NAME
    ]
    return max(found, key=lambda part: len(part.name), default=None)


# The empty text stands for a name that ends there.
_AFTER_A_NAME = ("", "_", ":", ".", "[", " ", "-")


def inputs_and_spikes(
    told: ToldInputs,
    network: SpikingNetwork,
    path: Path,
    *,
    trials: int | None,
    seconds: float | None,
) -> tuple[Array, dict[str, Spikes], tuple[str, ...]]:
    """(T, B, C) values of the analog inputs, spikes of the others by name, and notes.

    Args:
        told: What the file states.
        network: What it drives.
        path: The file.
        trials: How many trials of spikes there are, silent ones among them; None: to the last.
        seconds: Length of a trial of spikes alone, s; None: as stated, or to the last spike.

    Raises:
        FormatError: an input is missing, or makes no sense.
        SpecError: an option does not fit.
    """
    for part in network.inputs:
        if part.name not in (told.spikes if part.spiking else told.analog):
            raise FormatError(f"{path}: input {part.name} is missing; {inputs_told(network)}")
    for name, spikes in told.spikes.items():
        check_times(spikes, path, network.dt_ms, "a step of the network")
        if spikes.channels is not None and spikes.channels != _size(network, name):
            raise FormatError(
                f"{path}: input {name} has {several(_size(network, name), 'unit')}, this file "
                f"holds {spikes.channels}"
            )
    values = _values(told.analog, network, path)
    if values is None:
        samples, count = _extent(list(told.spikes.values()), network, path, trials, seconds)
        values = np.zeros((samples, count, 0))
    elif seconds is not None:
        raise SpecError(
            f"{path}: has samples that fix its length; leave out --seconds (seconds), which is "
            "for spikes"
        )
    check_extent(network, *values.shape[:2])
    made = {
        name: _events(name, spikes, network, path, values.shape[:2])
        for name, spikes in told.spikes.items()
    }
    left_out = [
        f"{path}: {several(told.spikes[name].times_s.size - spikes.count, 'spike')} of input "
        f"{name} fell into a step in which the unit fires already, and count once"
        for name, spikes in made.items()
        if told.spikes[name].times_s.size > spikes.count
    ]
    return values, made, tuple(left_out)


def _size(network: SpikingNetwork, name: str) -> int:
    part = network.input_named(name)
    return 0 if part is None else part.size


def _values(analog: Mapping[str, AnalogInput], network: SpikingNetwork, path: Path) -> Array | None:
    """(T, B, C) values of all analog inputs; None where there is none."""
    parts = {
        part.name: analog_samples(analog[part.name], network, path, part)
        for part in network.inputs
        if not part.spiking
    }
    if not parts:
        return None
    extents = {values.shape[:2] for values in parts.values()}
    if len(extents) > 1:
        told = ", ".join(f"{name} {each.shape[:2]}" for name, each in parts.items())
        raise FormatError(f"{path}: its inputs differ in samples or trials: {told}")
    return np.concatenate(list(parts.values()), axis=2)


def _extent(
    spikes: list[SpikeInput],
    network: SpikingNetwork,
    path: Path,
    trials: int | None,
    seconds: float | None,
) -> tuple[int, int]:
    """Samples and trials of a network that is driven by spikes alone."""
    if not spikes:
        raise FormatError(f"{path}: holds no input")
    numbered = [each.trial for each in spikes if each.trial is not None]
    together = replace(
        spikes[0],
        times_s=np.concatenate([each.times_s for each in spikes]),
        channel=np.concatenate([each.channel for each in spikes]),
        trial=np.concatenate(numbered) if numbered else None,
        trials=max((each.trials for each in spikes if each.trials is not None), default=None),
        trial_s=max((each.trial_s for each in spikes if each.trial_s is not None), default=None),
    )
    sample = np.floor(together.times_s * 1000.0 / sample_ms(network) + ROUNDING)
    samples = length(together, sample, network, path, seconds)
    return samples, trial_count(together, path, trials)


def _events(
    name: str,
    told: SpikeInput,
    network: SpikingNetwork,
    path: Path,
    extent: tuple[int, ...],
) -> Spikes:
    """Spikes in the steps that they fall into; `extent` is (T, B)."""
    size, steps, trials = _size(network, name), extent[0] * network.sample_steps, extent[1]
    wrong = told.channel[(told.channel < 0) | (told.channel >= size)]
    if wrong.size:
        raise FormatError(
            f"{path}: a spike of unit {wrong[0]}, which does not exist: input {name} has "
            f"{several(size, 'unit')}, counted from 0"
        )
    trial = np.zeros(told.channel.size, dtype=np.int64) if told.trial is None else told.trial
    if trial.max(initial=-1) >= trials:
        raise FormatError(
            f"{path}: a spike of input {name} in trial {trial.max()}, of {trials} trials counted "
            "from 0"
        )
    # A time that rounding puts just before the edge of its step is meant to be on it.
    step = np.floor(told.times_s * 1000.0 / network.dt_ms + ROUNDING)
    if step.max(initial=-1) >= steps:
        raise FormatError(
            f"{path}: a spike of input {name} at {told.times_s.max():g} s lies beyond the "
            f"{steps * network.dt_ms / 1000:g} s of a trial"
        )
    events = np.stack([trial, step.astype(np.int64), told.channel])
    trial, when, unit = np.unique(events, axis=1)
    return Spikes.gather(trial, when, unit, (trials, steps, size))
