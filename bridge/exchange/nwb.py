"""Neurodata Without Borders: a recording as a units table, a trials table and time series.

Written by pynwb, so that it is what other readers expect. Read by h5py alone, since pynwb loads
the schemas that a file brings along: from a file of unknown origin only numbers are taken.

Trials lie end to end on the axis of time, and a spike stands at the start of its step. In files of
others that have a trials table all trials must be of one length; spikes between trials are left
out, and the recording's provenance says how many.
"""

import tempfile
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import BackendError, FormatError
from bridge.exchange.spike_trains import (
    SpikeTrains,
    end_to_end,
    foreign_file,
    numbers,
    text_of,
    whole_numbers,
)
from bridge.spiking.recording import Recording

SUFFIX = ".nwb"
_READOUT = "readout_"


def is_nwb(file: h5py.File) -> bool:
    """Whether an HDF5 file says that it is NWB."""
    return bool(text_of(file.attrs.get("nwb_version")))


def read(path: Path) -> SpikeTrains:
    """The spikes, trials and readouts of a file.

    Raises:
        FormatError: missing, damaged, or without a units table.
    """
    with foreign_file(path) as file:
        if not is_nwb(file):
            raise FormatError(f"{path}: no NWB file")
        if "units" not in file:
            raise FormatError(f"{path}: holds no units table, so no spikes")
        units = file["units"]
        ends = whole_numbers(units, "spike_times_index", path)
        times = numbers(units, "spike_times", path)
        if np.any(np.diff(ends) < 0) or (ends[-1] if ends.size else 0) != times.size:
            raise FormatError(f"{path}: its units and spike times do not fit together")
        neuron = np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
        trials = _trials(file, path)
        readouts, sample_ms = _readouts(file, path, trials)
        return SpikeTrains(
            times_s=times,
            neuron=neuron,
            populations=_populations(units, ends.size),
            trials_s=trials,
            dt_ms=_dt_ms(units),
            readouts=readouts,
            sample_ms=sample_ms,
        )


def _trials(file: h5py.File, path: Path) -> NDArray[np.float64] | None:
    if "intervals/trials" not in file:
        return None
    table = file["intervals/trials"]
    bounds = [numbers(table, name, path) for name in ("start_time", "stop_time")]
    return np.stack(bounds, axis=1)


def _dt_ms(units: h5py.Group) -> float | None:
    resolution = units["spike_times"].attrs.get("resolution")
    if resolution is None or not 0 < float(resolution) < np.inf:
        return None
    return float(resolution) * 1000.0


def _populations(units: h5py.Group, size: int) -> dict[str, int]:
    """Names and sizes of the populations, where a column tells them in one piece each."""
    if size == 0:
        return {"units": 0}
    column = units.get("population")
    names = [] if column is None else [text_of(name) for name in column.asstr()[()]]
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in found and names[place - 1] != name:
            return {"units": size}
        found[name] = found.get(name, 0) + 1
    return found if len(names) == size and "" not in found else {"units": size}


def _readouts(
    file: h5py.File, path: Path, trials: NDArray[np.float64] | None
) -> tuple[dict[str, NDArray[np.float64]], float | None]:
    """(T, B, O) readouts by name, and the time between two samples, ms."""
    found: dict[str, NDArray[np.float64]] = {}
    sample_ms = None
    for name, series in file.get("acquisition", {}).items():
        if trials is None or not name.startswith(_READOUT):
            continue
        values = numbers(series, "data", path)
        if values.ndim != 2 or len(values) % len(trials) or not np.isfinite(values).all():
            raise FormatError(f"{path}: {series.name} does not fit its trials")
        rows = values.reshape(len(trials), -1, values.shape[1])
        found[name.removeprefix(_READOUT)] = np.ascontiguousarray(rows.swapaxes(0, 1))
        sample_ms = 1000.0 / float(series["starting_time"].attrs["rate"])
    return found, sample_ms


def encode(recording: Recording) -> bytes:
    """A recording as the bytes of an NWB file.

    Raises:
        BackendError: pynwb is not installed.
    """
    try:
        pynwb: Any = import_module("pynwb")
    except ImportError:
        raise BackendError(
            "NWB files are written by pynwb: pip install -c constraints.txt '.[spikes]'"
        ) from None
    file = pynwb.NWBFile(
        session_description="Spiking network simulated by spikebridge: "
        + "; ".join(f"{name}: {value}" for name, value in recording.provenance.items()),
        identifier=f"spikebridge-{np.random.default_rng().integers(2**63):x}",
        session_start_time=datetime.now(UTC),
        source_script=f"spikebridge {version('spikebridge')}",
        source_script_file_name="bridge/exchange/nwb.py",
    )
    _add_units(file, recording)
    for start, stop in end_to_end(recording)[1]:
        file.add_trial(start_time=float(start), stop_time=float(stop))
    for name, outputs in recording.readouts.items():
        rows = np.ascontiguousarray(np.asarray(outputs).swapaxes(0, 1))
        series = pynwb.TimeSeries(
            name=f"{_READOUT}{name}",
            data=rows.reshape(-1, rows.shape[2]),
            unit="a.u.",
            starting_time=recording.sample_ms / 1000.0,
            rate=1000.0 / recording.sample_ms,
            description="Output of the network at the end of each sample, trial after trial.",
        )
        file.add_acquisition(series)
    with tempfile.TemporaryDirectory(prefix="spikebridge-nwb-") as folder:
        path = Path(folder) / "recording.nwb"
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(file)
        return path.read_bytes()


def _add_units(file: Any, recording: Recording) -> None:
    """A row for each neuron, with its population and its number in it."""
    file.add_unit_column("population", "Name of the population.")
    file.add_unit_column("index_in_population", "Number of the neuron within its population.")
    times, bounds = end_to_end(recording)
    neuron = recording.spikes.neuron
    order = np.lexsort((times, neuron))
    parts = np.split(
        times[order], np.searchsorted(neuron[order], range(1, recording.spikes.n_neurons))
    )
    number = 0
    for name, size in recording.populations.items():
        for index in range(size):
            file.add_unit(
                spike_times=parts[number],
                obs_intervals=[[0.0, float(bounds[-1, 1])]],
                population=name,
                index_in_population=index,
            )
            number += 1
    file.units.resolution = recording.dt_ms / 1000.0
