"""Small NWB and SONATA files as others write them, for the tests, by h5py alone."""

import h5py
import numpy as np


def nwb_file(path, trains, trials=None, *, dtype="f8", columns=(), **attributes):
    """An NWB file: the spike times of each unit, (start, stop) of each trial, attributes of times.

    Columns are those of the units table: names and values.
    """
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.6.0"
        table = file.create_group("units")
        table["id"] = np.arange(len(trains))
        table["spike_times"] = np.concatenate([np.zeros(0), *trains]).astype(dtype)
        table["spike_times_index"] = np.cumsum([len(times) for times in trains])
        table["spike_times"].attrs.update(attributes)
        for name, values in dict(columns).items():
            table[name] = values
        if trials is not None:
            starts, stops = np.array(trials, dtype=dtype).reshape(-1, 2).T
            file["intervals/trials/start_time"], file["intervals/trials/stop_time"] = starts, stops
    return path


def sonata_file(path, times, ids, *, place="spikes/cortex", ids_named="node_ids", **attributes):
    """A SONATA file of one population; attributes are those of the population."""
    with h5py.File(path, "w") as file:
        part = file.require_group(place)
        part["timestamps"], part[ids_named] = np.asarray(times), np.asarray(ids, dtype=np.uint64)
        part.attrs.update(attributes)
    return path


def events(recording):
    """(trial, step, neuron) of every spike."""
    spikes = recording.spikes
    columns = (spikes.trial.tolist(), spikes.step.tolist(), spikes.neuron.tolist())
    return list(zip(*columns, strict=True))
