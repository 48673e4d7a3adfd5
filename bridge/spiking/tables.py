"""A recording as tables of pandas: one row a spike, or one row a neuron."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from bridge.errors import BackendError, SpecError
from bridge.spiking.firing import cv_isi, rates_hz
from bridge.spiking.spikes import Spikes
from bridge.spiking.values import shown, text

Rows = Literal["spikes", "neurons"]
Columns = dict[str, Any]


class Recorded(NamedTuple):
    """What of a recording stands in the tables."""

    spikes: Spikes
    dt_ms: float
    trial_s: float
    populations: Mapping[str, int]
    labels: NDArray[np.int64] | None
    conditions: tuple[str, ...]


def frame(recorded: Recorded, rows: Rows) -> Any:
    """A `pandas.DataFrame`, see `Recording.to_pandas`.

    Raises:
        SpecError: there is no table of such rows.
        BackendError: pandas is not installed.
    """
    if text("rows", rows) not in get_args(Rows):
        raise SpecError(f"rows: expected 'spikes' or 'neurons', got {shown(rows)}")
    try:
        pandas: Any = import_module("pandas")
    except ImportError:
        raise BackendError("tables need pandas: pip install 'spikebridge[analysis]'") from None
    columns = (_spikes if rows == "spikes" else _neurons)(pandas, recorded)
    return pandas.DataFrame(columns)


def _spikes(pandas: Any, recorded: Recorded) -> Columns:
    spikes, labels = recorded.spikes, recorded.labels
    columns = {
        "trial": spikes.trial,
        "time_ms": spikes.step * recorded.dt_ms,
        "neuron": spikes.neuron,
        **_places(pandas, recorded.populations, spikes.neuron),
    }
    if labels is not None:
        columns["condition"] = _category(pandas, labels[spikes.trial], recorded.conditions)
    return columns


def _neurons(pandas: Any, recorded: Recorded) -> Columns:
    spikes, labels = recorded.spikes, recorded.labels
    neuron = np.arange(spikes.n_neurons)
    rates = rates_hz(spikes, recorded.trial_s)
    counts = np.bincount(spikes.neuron, minlength=spikes.n_neurons)
    columns = {
        "neuron": neuron,
        **_places(pandas, recorded.populations, neuron),
        "spikes": counts,
        "rate_hz": rates.mean(axis=0),
        "cv_isi": _known_means(cv_isi(spikes, recorded.dt_ms)),
        "silent": counts == 0,
    }
    for label, name in enumerate(recorded.conditions if labels is not None else ()):
        columns[f"rate_hz_{name}"] = _known_means(rates[labels == label])
    return columns


def _known_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) mean over the trials in which there is a value, of (B, N); NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _places(pandas: Any, populations: Mapping[str, int], neuron: NDArray[Any]) -> Columns:
    """The population of each neuron, and its number within it."""
    sizes = np.array(list(populations.values()), dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    place = np.repeat(np.arange(sizes.size), sizes)[neuron]
    return {
        "population": _category(pandas, place, tuple(populations)),
        "index_in_population": neuron - starts[place],
    }


def _category(pandas: Any, numbers: NDArray[Any], names: tuple[str, ...]) -> Any:
    return pandas.Categorical.from_codes(numbers, categories=list(names))
