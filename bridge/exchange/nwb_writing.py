"""Writing a recording as an NWB file: by pynwb, so that it is what other readers expect."""

import json
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import BackendError
from bridge.exchange.links import CHECKED_LAYOUT
from bridge.exchange.spike_trains import end_to_end
from bridge.spiking.recording import Recording
from bridge.temporary import temporary_folder
from bridge.versions import version

READOUT = "readout_"
"""How the names of the time series of readouts begin."""

INPUTS = "inputs"
"""Name of the time series, among the stimuli, of what the network was shown."""

TRIALS = "spikebridge_trials"
"""Attribute of the trials that holds names of the conditions by label, task, and seed as given."""

POPULATIONS = "spikebridge_populations"
"""Attribute of the units that holds names and sizes of the populations."""


def encode(recording: Recording) -> bytes:
    """A recording as the bytes of an NWB file.

    Raises:
        BackendError: pynwb is not installed.
    """
    try:
        pynwb: Any = import_module("pynwb")
    except ImportError:
        raise BackendError(
            "NWB files are written by pynwb: pip install 'spikebridge[spikes]'"
        ) from None
    file = pynwb.NWBFile(
        session_description="Spiking network simulated by spikebridge: "
        + "; ".join(f"{name}: {value}" for name, value in recording.provenance.items()),
        experiment_description="; ".join(
            f"{name}: {value}" for name, value in recording.drawn_from().items()
        ),
        identifier=f"spikebridge-{np.random.default_rng().integers(2**63):x}",
        session_start_time=datetime.now(UTC),
        source_script=f"spikebridge {version('spikebridge')}",
        source_script_file_name="bridge/exchange/nwb_writing.py",
    )
    file.units = _units(pynwb, recording)
    _add_trials(file, recording)
    _add_series(pynwb, file, recording)
    with temporary_folder("nwb") as folder:
        path = folder / "recording.nwb"
        with (
            h5py.File(path, "w", libver=CHECKED_LAYOUT) as opened,
            pynwb.NWBHDF5IO(file=opened, mode="w") as io,
        ):
            io.write(file)
            # Text of a fixed length stands in the header, which has a checksum.
            opened["units"].attrs[POPULATIONS] = np.bytes_(json.dumps(dict(recording.populations)))
            opened["intervals/trials"].attrs[TRIALS] = np.bytes_(
                json.dumps(_trials_told(recording))
            )
        return path.read_bytes()


def _trials_told(recording: Recording) -> dict[str, Any]:
    return {"conditions": recording.conditions, "task": recording.task, "seed": recording.seed}


def _add_trials(file: Any, recording: Recording) -> None:
    """A row for each trial, with its condition where that is known."""
    told: list[dict[str, Any]] = [{} for _ in range(recording.spikes.n_trials)]
    if recording.labels is not None:
        file.add_trial_column("condition", "Name of the condition of the task.")
        file.add_trial_column("label", "Number of the condition.")
        told = [
            {"condition": recording.conditions[label], "label": label}
            for label in recording.labels.tolist()
        ]
    for (start, stop), columns in zip(end_to_end(recording)[1], told, strict=True):
        file.add_trial(start_time=float(start), stop_time=float(stop), **columns)


def _add_series(pynwb: Any, file: Any, recording: Recording) -> None:
    """What the network was shown and what it answered, trial after trial."""
    sample_s = recording.sample_ms / 1000.0

    def series(name: str, values: NDArray[np.float64], start_s: float, description: str) -> Any:
        rows = np.ascontiguousarray(np.asarray(values).swapaxes(0, 1))
        return pynwb.TimeSeries(
            name=name,
            data=rows.reshape(-1, rows.shape[2]),
            unit="a.u.",
            starting_time=start_s,
            rate=1000.0 / recording.sample_ms,
            description=f"{description}, trial after trial.",
        )

    if recording.inputs is not None:
        file.add_stimulus(
            series(INPUTS, recording.inputs, 0.0, "Input of the network, its channels in columns")
        )
    for name, outputs in recording.readouts.items():
        said = "Output of the network at the end of each sample"
        file.add_acquisition(series(f"{READOUT}{name}", outputs, sample_s, said))


def _units(pynwb: Any, recording: Recording) -> Any:
    """A row for each neuron, with its population and its number in it.

    Columns are given whole: of what is added row by row each number is looked at by itself.
    """
    common: Any = import_module("hdmf.common")
    times, bounds = end_to_end(recording)
    neuron = recording.spikes.neuron
    many = recording.spikes.n_neurons
    ends = np.searchsorted(np.sort(neuron), np.arange(1, many + 1))

    def ragged(name: str, description: str, data: NDArray[np.float64], ends: Any) -> list[Any]:
        column = common.VectorData(name=name, description=description, data=data)
        index = np.asarray(ends, np.min_scalar_type(len(data)))
        return [column, common.VectorIndex(name=f"{name}_index", data=index, target=column)]

    sizes = recording.populations
    numbers = np.concatenate([np.arange(size) for size in sizes.values()])
    observed = np.tile([0.0, float(bounds[-1, 1])], (many, 1))
    return pynwb.misc.Units(
        name="units",
        description="Neurons of the network.",
        id=np.arange(many),
        resolution=recording.dt_ms / 1000.0,
        columns=[
            common.VectorData(
                name="population",
                description="Name of the population.",
                data=[name for name, size in sizes.items() for _ in range(size)],
            ),
            common.VectorData(
                name="index_in_population",
                description="Number of the neuron within its population.",
                data=numbers,
            ),
            *ragged(
                "spike_times", "Times of the spikes, s.", times[np.lexsort((times, neuron))], ends
            ),
            *ragged("obs_intervals", "When it was recorded, s.", observed, np.arange(1, many + 1)),
        ],
    )
