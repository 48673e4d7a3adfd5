"""Drives from files: our own, NWB, and arrays or tables of inputs; which one the content says."""

import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import file_path, of_kind, text
from bridge.errors import FormatError, SpecError
from bridge.exchange import input_arrays, input_tables, nwb, nwb_inputs, nwb_named_inputs
from bridge.exchange.attributes import text_of
from bridge.exchange.files import check_file
from bridge.exchange.foreign import foreign_file, is_hdf5
from bridge.exchange.hdf5 import FORMAT
from bridge.exchange.named_inputs import ToldInputs, inputs_and_spikes
from bridge.exchange.store import load
from bridge.exchange.told_inputs import AnalogInput, SpikeInput, analog_samples, spike_counts
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive
from bridge.spiking.inputs import is_plain
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.spikes import Spikes
from bridge.spiking.trains import check_extent, samples_in, seeded_noise
from bridge.tasks import check_shown_by_name

_READ = "a drive of ours (HDF5), NWB, .npz and .csv are read"


def load_drive(
    path: str | Path,
    network: SpikingNetwork,
    *,
    seed: int | None = None,
    trials: int | None = None,
    seconds: float | None = None,
    series: str | None = None,
) -> Drive:
    """Read what a network is to be driven with. Nothing in a file is executed or unpickled.

    A network takes one value of each of its C channels for each sample of `dt_ms * sample_steps`.
    Analog values are taken as they are if the file states no time between samples. Otherwise they
    are held, or are means of several: one time must be a whole multiple of the other. Spikes become
    counts: the value of a sample is the number of spikes that fall in it.

    A network of several inputs takes what a file has under their names. Spikes of an input that
    emits spikes remain events, in the steps that they fall into. Those of one unit in one step
    count once.

    Args:
        path: The file: our own HDF5, NWB (a time series, or the spike times of units), .npz or
            .csv; `bridge.exchange.input_arrays` and `input_tables` say what these hold.
        network: What it drives; of a conversion its spiking network.
        seed: Decides noise and initial voltages, as in `run` and `compare`; None: 0, or what a
            drive of ours has kept.
        trials: Number of trials, B; None: as many as the file has. A file of one trial is shown so
            often. In a file of spikes, silent trials count.
        seconds: Length of a trial of spikes, s, if the file states none; None: to the last spike.
        series: Which time series of an NWB file, by its name, or "units"; None: the only one.

    Returns:
        The drive, inputs (T, B, C), which fits the network. What was left out is said in warnings.

    Raises:
        FormatError: missing, damaged, of another kind, or its input does not fit the network.
        SpecError: an option makes no sense, or does not fit the file.
    """
    file, network = file_path(path), of_kind("network", network, SpikingNetwork)
    for name, number in (("seed", seed), ("trials", trials)):
        if number is not None:
            counted(name, number, least=int(name == "trials"))
    if seconds is not None:
        samples_in(network, seconds)
    kind = _kind(file)
    if series is not None and (text("series", series), kind)[1] != "nwb":
        raise SpecError(f"{file}: no NWB file, so it has no --series (series)")
    if kind == "ours":
        return _own(file, network, seed, trials, seconds)
    told = _read(file, kind, series, network)
    for note in told.notes:
        warnings.warn(note, stacklevel=2)
    if isinstance(told, ToldInputs):
        values, spikes, left_out = inputs_and_spikes(
            told, network, file, trials=trials, seconds=seconds
        )
        for note in left_out:
            warnings.warn(note, stacklevel=2)
    else:
        values, spikes = _values(told, file, network, trials, seconds), {}
    return _made(told, (values, spikes), file, network, seed, trials)


def _kind(file: Path) -> str:
    """What a file is, by its content."""
    check_file(file)
    if is_hdf5(file):
        with foreign_file(file) as opened:
            if text_of(opened.attrs.get("format")) == FORMAT:
                return "ours"
            if nwb.is_nwb(opened):
                return "nwb"
        raise FormatError(f"{file}: holds no drive; {_READ}")
    try:
        if zipfile.is_zipfile(file):
            return "arrays"
        # What is empty is said to be so, whatever it is called.
        if file.suffix.lower() in input_tables.SUFFIXES or not file.stat().st_size:
            return "table"
    except OSError as error:
        raise FormatError(f"{file}: {error.strerror or error}") from None
    raise FormatError(f"{file}: of no kind that is known; {_READ}")


def _read(
    file: Path, kind: str, series: str | None, network: SpikingNetwork
) -> AnalogInput | SpikeInput | ToldInputs:
    named = None if is_plain(network.inputs) else network
    try:
        # A damaged number that overflows is refused in a sentence; NumPy need not warn of it.
        with np.errstate(invalid="ignore", over="ignore"):
            if kind == "nwb" and named is not None:
                return nwb_named_inputs.read(file, series, named)
            if kind == "nwb":
                return nwb_inputs.read(file, series)
            if named is not None:
                own = input_arrays.read_named if kind == "arrays" else input_tables.read_named
                return own(file, named)
            return input_arrays.read(file) if kind == "arrays" else input_tables.read(file)
    except PermissionError:
        raise FormatError(f"{file}: no permission to read it") from None
    except MemoryError:
        raise FormatError(f"{file}: claims more than fits into memory") from None


def _own(
    file: Path,
    network: SpikingNetwork,
    seed: int | None,
    trials: int | None,
    seconds: float | None,
) -> Drive:
    """A drive as `bridge.save` wrote it; a seed that is given decides its noise."""
    drive = load(file)
    if not isinstance(drive, Drive):
        raise FormatError(f"{file}: a drive is needed, this file holds a {type(drive).__name__}")
    if seconds is not None:
        raise SpecError(f"{file}: has samples that fix its length; leave out --seconds (seconds)")
    if trials not in (None, drive.n_trials):
        raise SpecError(f"{file}: has {drive.n_trials} trials, not {trials}; leave out --trials")
    if seed is not None:
        drive = replace(drive, noise=seeded_noise(seed), seed=seed)
    try:
        drive.check(network)
        check_shown_by_name(network.provenance.get("encoding"), drive.task)
    except SpecError as error:
        raise FormatError(f"{file}: {error}") from None
    return drive


def _values(
    told: AnalogInput | SpikeInput,
    file: Path,
    network: SpikingNetwork,
    trials: int | None,
    seconds: float | None,
) -> NDArray[np.float64]:
    """(T, B, C) what a file states of the one analog input."""
    if isinstance(told, SpikeInput):
        return spike_counts(told, network, file, trials=trials, seconds=seconds)
    if seconds is not None:
        raise SpecError(
            f"{file}: has samples that fix its length; leave out --seconds (seconds), which is "
            "for spikes"
        )
    return analog_samples(told, network, file)


def _made(
    told: AnalogInput | SpikeInput | ToldInputs,
    shown: tuple[NDArray[np.float64], dict[str, Spikes]],
    file: Path,
    network: SpikingNetwork,
    seed: int | None,
    trials: int | None,
) -> Drive:
    """The drive of what a file states, and of the values and spikes that this becomes."""
    inputs, spikes = shown
    if told.labels is not None and told.labels.size != inputs.shape[1]:
        raise FormatError(
            f"{file}: has conditions of {told.labels.size} trials, and {inputs.shape[1]} trials"
        )
    if trials is not None and inputs.shape[1] == 1 < trials:
        spikes = {name: each.chosen(np.zeros(trials, np.int64)) for name, each in spikes.items()}
    inputs, labels = _repeated(inputs, told.labels, file, network, trials)
    drive = Drive(
        inputs=inputs,
        noise=seeded_noise(seed or 0),
        labels=labels,
        conditions=() if labels is None else told.conditions,
        seed=seed or 0,
        spikes=spikes,
    )
    drive.check(network)
    return drive


def _repeated(
    inputs: NDArray[np.float64],
    labels: NDArray[np.int64] | None,
    file: Path,
    network: SpikingNetwork,
    trials: int | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    """A single trial as often as is asked for; SpecError where several are not so many."""
    count = inputs.shape[1]
    if trials in (None, count):
        return inputs, labels
    if count != 1 or trials is None:
        raise SpecError(
            f"{file}: has {count} trials, not {trials}; leave out --trials (trials), or give a "
            "file of one trial, which is repeated"
        )
    check_extent(network, len(inputs), trials)
    return np.repeat(inputs, trials, axis=1), None if labels is None else np.repeat(labels, trials)
