"""What our own NWB files know of their trials: conditions, task, seed, and what was shown."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange.attributes import text
from bridge.exchange.foreign import numbers, whole_numbers
from bridge.exchange.links import own_group
from bridge.exchange.nwb_readouts import sample_ms_of
from bridge.exchange.nwb_writing import INPUTS, TRIALS
from bridge.spiking.conditions import check_drawn, checked_labels


def conditions_of(file: h5py.File, path: Path, trials: int) -> tuple[dict[str, Any], float | None]:
    """Fields of the recording as it was exported, and the time between samples of its inputs, ms.

    The fields are `labels`, `conditions`, `task`, `seed` and `inputs`, by name.

    Raises:
        FormatError: a note of our own is damaged, or does not fit its trials.
    """
    table = own_group(file, "intervals/trials", path)
    note = None if table is None else text(table, TRIALS, path)
    if table is None or note is None:
        return {}, None
    try:
        told = json.loads(note)
        conditions, task, seed = told["conditions"], told["task"], told["seed"]
        labels = whole_numbers(table, "label", path) if conditions else None
        labels, conditions = checked_labels(labels, conditions, trials)
        check_drawn(task, seed)
    except (json.JSONDecodeError, KeyError, TypeError, SpecError) as error:
        raise FormatError(f"{path}: {table.name}: {TRIALS} makes no sense ({error})") from None
    known = {"labels": labels, "conditions": conditions, "task": task, "seed": seed}
    stimuli = own_group(file, "stimulus/presentation", path)
    series = None if stimuli is None else own_group(stimuli, INPUTS, path)
    if series is None:
        return known, None
    return known | {"inputs": _inputs(series, path, trials)}, sample_ms_of(series, path)


def _inputs(series: h5py.Group, path: Path, trials: int) -> NDArray[np.float64]:
    """(T, B, C) what the network was shown, which lies one trial after the other."""
    values = numbers(series, "data", path)
    if values.ndim != 2 or len(values) % trials or not np.isfinite(values).all():
        raise FormatError(f"{path}: {series.name} does not fit its trials")
    rows = values.reshape(trials, len(values) // trials, values.shape[1])
    return np.ascontiguousarray(rows.swapaxes(0, 1))
