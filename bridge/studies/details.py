"""What a study keeps of a network apart from numbers: its units, or its principal components."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.methods.readout import filtered_spikes
from bridge.methods.scale_search import Conversion
from bridge.spiking.firing import rates_hz
from bridge.spiking.recording import Recording
from bridge.tasks import Task, Trials

Array = NDArray[np.float64]
Columns = dict[str, list[Any]]

COMPONENTS = 3


def details_of(
    kind: str, found: Conversion, task: Task, trials: Trials, recording: Recording
) -> Columns:
    """Columns of equal length.

    Args:
        kind: "units": a row for each unit and condition: mean activity and firing rate, SI Fig. S1;
            "components": a row for each sample and condition: the first principal components of
            the rates and of the filtered spikes, SI Fig. S2, each with its share of the variance.
        found: The rate network and its spiking network.
        task: What both are to do.
        trials: What both are shown.
        recording: What the spiking network did.
    """
    rng = np.random.default_rng(found.search.seed)
    _, activity = found.rate.run(trials.inputs, rng)
    by_condition = _labels(task, trials)
    if kind == "units":
        return _units(found, by_condition, activity, recording)
    network = found.network
    filtered = filtered_spikes(network, network.decoded[0], recording.spikes)
    return _components(by_condition, activity, filtered)


def _labels(task: Task, trials: Trials) -> dict[str, NDArray[np.int64]]:
    """Numbers of the trials of each condition that came up."""
    names = task.conditions
    return {names[label]: np.flatnonzero(trials.labels == label) for label in set(trials.labels)}


def _units(
    found: Conversion, labels: dict[str, NDArray[np.int64]], activity: Array, recording: Recording
) -> Columns:
    size = found.rate.size
    rates = rates_hz(recording.spikes, recording.trial_s)
    columns: Columns = {
        name: [] for name in ("condition", "unit", "type", "activity", "rate_hz", "excitatory")
    }
    excitatory = found.rate.excitatory
    for name, chosen in labels.items():
        columns["condition"] += [name] * size
        columns["unit"] += range(size)
        columns["type"] += found.rate.cell_types or [""] * size
        columns["activity"] += _rounded(activity[:, chosen].mean(axis=(0, 1)))
        columns["rate_hz"] += _rounded(rates[chosen].mean(axis=0))
        columns["excitatory"] += [None] * size if excitatory is None else excitatory.tolist()
    return columns


def _components(labels: dict[str, NDArray[np.int64]], activity: Array, filtered: Array) -> Columns:
    columns: Columns = {"condition": [], "sample": []}
    samples = len(activity)
    for name in labels:
        columns["condition"] += [name] * samples
        columns["sample"] += range(samples)
    for kind, values in (("rate", activity), ("lif", filtered)):
        # Trials of a condition are averaged: the components are those of what they share.
        means = np.concatenate([values[:, chosen].mean(axis=1) for chosen in labels.values()])
        scores, shares = principal_components(means, COMPONENTS)
        for number in range(COMPONENTS):
            columns[f"{kind}_pc{number + 1}"] = _rounded(scores[:, number])
            columns[f"{kind}_share{number + 1}"] = [round(float(shares[number]), 5)] * len(means)
    return columns


def principal_components(values: Array, count: int) -> tuple[Array, Array]:
    """Scores (S, count) of samples (S, N), and each component's share of the variance."""
    centred = values - values.mean(axis=0)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    whole = float((spread**2).sum()) or 1.0
    return left[:, :count] * spread[:count], spread[:count] ** 2 / whole


def _rounded(values: Array) -> list[float]:
    return [round(float(value), 5) for value in values]
