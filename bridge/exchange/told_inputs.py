"""What a file states of a network's input, analog or as spikes, and the samples that it becomes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.spiking.essentials import essentials, several
from bridge.spiking.inputs import Input
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.trains import ROUNDING, check_extent, sample_ms, samples_in

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

# Thirty years, as of recordings.
_LONGEST_S = 1e9


@dataclass(frozen=True, kw_only=True, eq=False)
class AnalogInput:
    """Values of C channels.

    Attributes:
        values: (T, B, C) sample by sample.
        sample_ms: Time between two of them, ms; None: a sample of the file is one of the network.
        apart: By what share of itself that time may be off.
        labels: (B,) which of `conditions` each trial is of; None: not stated.
        conditions: Their names.
        notes: What a user should know, a sentence each.
    """

    values: Array
    sample_ms: float | None = None
    apart: float = ROUNDING
    labels: Labels | None = None
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    __repr__ = essentials


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikeInput:
    """Spikes that arrive on channels.

    Attributes:
        times_s: (S,) times since the start of the trial, s.
        channel: (S,) channel of each, from 0.
        trial: (S,) trial of each, from 0; None: the file knows one trial only.
        channels: How many channels the file has; None: those of the network.
        trials: How many trials it has; None: it is not stated.
        trial_s: How long they last, s; None: it is not stated.
        apart_s: To how much a time is known from numbers of the type that is stored, s.
        labels: (B,) which of `conditions` each trial is of; None: not stated.
        conditions: Their names.
        notes: What a user should know, a sentence each.
    """

    times_s: Array
    channel: Labels
    trial: Labels | None = None
    channels: int | None = None
    trials: int | None = None
    trial_s: float | None = None
    apart_s: float = 0.0
    labels: Labels | None = None
    conditions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    __repr__ = essentials


def analog_samples(
    told: AnalogInput, network: SpikingNetwork, path: Path, only: Input | None = None
) -> Array:
    """(T, B, C) values at the network's samples: as they are, held, or means of several.

    Of all analog inputs, or of one `only`.

    Raises:
        FormatError: they are none, of other channels, not finite, or of a time between samples that
            is neither a whole multiple of the network's nor goes into it a whole number of times.
        SpecError: they are too many.
    """
    values, wanted = told.values, network.input_size if only is None else only.size
    if not values.size and wanted:
        raise FormatError(f"{path}: holds no samples")
    taker = "the network" if only is None else f"input {only.name}"
    _check_channels(values.shape[2], wanted, taker, path)
    if not np.isfinite(values).all():
        raise FormatError(f"{path}: holds NaN or infinite values")
    times, parts = (1, 1) if told.sample_ms is None else _ratio(told, network, path)
    samples, left = divmod(len(values) * times, parts)
    if left:
        raise FormatError(
            f"{path}: {parts} of its samples make one of the network, and its {len(values)} "
            "samples are not a whole number of these"
        )
    check_extent(network, samples, values.shape[1])
    if parts > 1:
        return np.asarray(values.reshape(samples, parts, *values.shape[1:]).mean(axis=1))
    return np.repeat(values, times, axis=0)


def _ratio(told: AnalogInput, network: SpikingNetwork, path: Path) -> tuple[int, int]:
    """For how many samples of the network one of the file is held, and how many make one."""
    own_ms, file_ms = sample_ms(network), told.sample_ms or 0.0
    longer, shorter = max(own_ms, file_ms), min(own_ms, file_ms)
    whole = round(longer / shorter)
    if abs(longer / shorter - whole) > told.apart * whole:
        raise FormatError(
            f"{path}: its samples are {file_ms:.6g} ms apart, those of the network {own_ms:.6g} "
            "ms; one must be a whole multiple of the other"
        )
    return (whole, 1) if file_ms > own_ms else (1, whole)


def spike_counts(
    told: SpikeInput,
    network: SpikingNetwork,
    path: Path,
    *,
    trials: int | None,
    seconds: float | None,
) -> Array:
    """(T, B, C) how many spikes of each channel fall into each sample.

    Args:
        told: The spikes.
        network: What they drive.
        path: The file.
        trials: How many trials there are, silent ones among them; None: to the last that has a
            spike. Of a file that knows one trial only one is returned.
        seconds: Length of a trial, s; None: as the file states, or to the end of the sample of the
            last spike.

    Raises:
        FormatError: times or channels make no sense.
        SpecError: an option does not fit, or the samples are too many.
    """
    if told.channels is not None:
        _check_channels(told.channels, network.input_size, "the network", path)
    check_times(told, path, sample_ms(network), "a sample of the network")
    _check_units(told, network, path)
    # A time that rounding puts just before the edge of its sample is meant to be on it.
    sample = np.floor(told.times_s * 1000.0 / sample_ms(network) + ROUNDING)
    samples = length(told, sample, network, path, seconds)
    count = trial_count(told, path, trials)
    check_extent(network, samples, count)
    trial = np.zeros(sample.size, dtype=np.int64) if told.trial is None else told.trial
    shape = (samples, count, network.input_size)
    places = np.ravel_multi_index((sample.astype(np.int64), trial, told.channel), shape)
    return np.bincount(places, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def check_times(told: SpikeInput, path: Path, interval_ms: float, what: str) -> None:
    """Raise FormatError for times that make no sense, or are too coarse for an interval."""
    times = told.times_s
    if not np.isfinite(times).all():
        raise FormatError(f"{path}: a time of a spike is not a finite number")
    if times.min(initial=0.0) < 0:
        raise FormatError(
            f"{path}: the time of a spike is negative, {times.min():g} s; times count from the "
            "start of the trial"
        )
    if times.max(initial=0.0) > _LONGEST_S:
        raise FormatError(
            f"{path}: a spike at {times.max():g} s makes no sense; times are in seconds"
        )
    if told.apart_s * 1000.0 >= interval_ms:
        raise FormatError(
            f"{path}: its times are known to {told.apart_s * 1000:.2g} ms only, {what} lasts "
            f"{interval_ms:g} ms; write them as float64"
        )


def _check_units(told: SpikeInput, network: SpikingNetwork, path: Path) -> None:
    wrong = told.channel[(told.channel < 0) | (told.channel >= network.input_size)]
    if wrong.size:
        raise FormatError(
            f"{path}: a spike of unit {wrong[0]}, which does not exist: the network takes "
            f"{several(network.input_size, 'input channel')}, counted from 0"
        )


def length(
    told: SpikeInput,
    sample: Array,
    network: SpikingNetwork,
    path: Path,
    seconds: float | None,
) -> int:
    """Number of samples of a trial whose spikes lie in these samples."""
    needed = float(sample.max(initial=-1.0)) + 1.0
    if told.trial_s is not None:
        if seconds is not None:
            raise SpecError(
                f"{path}: states the length of its trials, {told.trial_s:g} s; leave out --seconds "
                "(seconds)"
            )
        # Times so long are refused by their number of samples.
        return int(np.ceil(told.trial_s * 1000.0 / sample_ms(network) - ROUNDING))
    if seconds is not None:
        given = samples_in(network, seconds)
        if needed > given:
            raise SpecError(
                f"{path}: a spike at {told.times_s.max():g} s lies beyond the {seconds:g} s of a "
                "trial, --seconds (seconds)"
            )
        return given
    if not needed:
        raise SpecError(f"{path}: holds no spikes; give the length of a trial, --seconds (seconds)")
    return int(needed)


def trial_count(told: SpikeInput, path: Path, trials: int | None) -> int:
    """Number of trials that the spikes lie in."""
    if told.trial is None:
        return 1
    needed = int(told.trial.max(initial=-1)) + 1
    if told.trials is not None:
        return told.trials
    if trials is not None:
        if needed > trials:
            raise SpecError(
                f"{path}: a spike of trial {needed - 1}, of {trials} trials counted from 0, "
                "--trials (trials)"
            )
        return trials
    if needed and told.trial.min() > 0:
        raise FormatError(
            f"{path}: its first trial with a spike is {told.trial.min()}, and trials count from 0; "
            "if those before it are silent, give the number of trials, --trials (trials)"
        )
    return max(1, needed)


def _check_channels(found: int, wanted: int, taker: str, path: Path) -> None:
    if found != wanted:
        taken = several(wanted, "input channel")
        raise FormatError(f"{path}: {taker} takes {taken}, this file holds {found}")
