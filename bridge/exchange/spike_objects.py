"""A recording as the objects of other Python packages: Neo, and the arrays that PySpike takes."""

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import BackendError
from bridge.spiking.recording import Recording

Trains = list[list[NDArray[np.float64]]]


def spike_times_ms(recording: Recording) -> tuple[Trains, tuple[float, float]]:
    """Spike times of each trial and neuron, ms, and the edges of a trial.

    With PySpike: `[pyspike.SpikeTrain(times, edges) for times in trains[trial]]`. A spike stands at
    the start of its step.

    Returns:
        For each trial, for each neuron a sorted array; and (0, length of a trial).
    """
    spikes = recording.spikes
    cell = spikes.trial.astype(np.int64) * spikes.n_neurons + spikes.neuron
    order = np.lexsort((spikes.step, cell))
    cells = spikes.n_trials * spikes.n_neurons
    ends = np.searchsorted(cell[order], np.arange(1, cells))
    parts = np.split(spikes.step[order] * recording.dt_ms, ends)
    trains = [
        parts[trial * spikes.n_neurons : (trial + 1) * spikes.n_neurons]
        for trial in range(spikes.n_trials)
    ]
    return trains, (0.0, recording.trial_s * 1000.0)


def to_neo(recording: Recording) -> Any:
    """A `neo.Block`: a segment for each trial, in it a spike train for each neuron.

    Spike trains carry `population` and `index_in_population` as annotations, for Elephant and all
    that takes Neo objects, and both in their names, which Neo's NWB writer keeps; segments, where
    the recording knows them, `condition` and `label`, and the block `task`, `seed` (as it was
    given) and `noise_seed` (what the noise was drawn from).

    Raises:
        BackendError: Neo is not installed.
    """
    try:
        neo: Any = import_module("neo")
    except ImportError:
        raise BackendError("Neo objects need Neo: pip install 'spikebridge[spikes]'") from None
    trains, (_, stop_ms) = spike_times_ms(recording)
    names = [
        {"population": name, "index_in_population": index}
        for name, size in recording.populations.items()
        for index in range(size)
    ]
    block = neo.Block(name="spikebridge", **recording.drawn_from())
    for trial, units in enumerate(trains):
        segment = neo.Segment(name=f"trial {trial}", index=trial, **_condition(recording, trial))
        for times, who in zip(units, names, strict=True):
            # Neo's writers keep the name alone: by it a neuron is found again in every segment.
            name = f"{who['population']} {who['index_in_population']}"
            segment.spiketrains.append(
                neo.SpikeTrain(times, t_stop=stop_ms, units="ms", name=name, **who)
            )
        block.segments.append(segment)
    return block


def _condition(recording: Recording, trial: int) -> dict[str, Any]:
    """Name and number of a trial's condition, where they are known."""
    if recording.labels is None:
        return {}
    label = int(recording.labels[trial])
    return {"condition": recording.conditions[label], "label": label}
