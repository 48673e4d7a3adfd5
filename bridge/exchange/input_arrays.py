"""Inputs of a network in archives of NumPy arrays (.npz): analog values, or units and times.

Analog: `inputs`, of shape (T, B, C), (T, C) for one trial or (T,) for one channel of it, and
`sample_ms` or `dt_ms`, the time between two samples. Spikes: `unit` and `time` (or `time_s`), s
from the start of the trial, one of each spike, and `trial`. Both: `condition`, a text of each
trial. Nothing is unpickled.

Of several inputs, for each an array of its name, analog as `inputs`, or `NAME_unit`, `NAME_time`
and `NAME_trial`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.input_columns import spikes_of
from bridge.exchange.named_inputs import ToldInputs, assigned, inputs_told
from bridge.exchange.numpy_files import npz_arrays
from bridge.exchange.told_inputs import AnalogInput, SpikeInput
from bridge.spiking.limits import LONGEST_STEP_MS, SHORTEST_STEP_MS
from bridge.spiking.network import SpikingNetwork

Arrays = dict[str, NDArray[Any]]

_SPIKES = ("unit", "time", "time_s", "trial")
_COMMON = ("sample_ms", "dt_ms", "condition")
_KNOWN = ("inputs", "sample_ms", "dt_ms", "condition", *_SPIKES)


def read(path: Path) -> AnalogInput | SpikeInput:
    """The input that an archive holds.

    Raises:
        FormatError: it is not such an archive, or holds objects, what makes no sense, or too much.
    """
    arrays = npz_arrays(path)
    notes = _left_aside(arrays, path)
    if "unit" in arrays:
        return _spikes(arrays, notes, path)
    values = _values(arrays["inputs"], "inputs", path)
    labels, conditions = _conditions(arrays, path)
    return AnalogInput(
        values=values,
        sample_ms=sample_ms_of(arrays, path),
        labels=labels,
        conditions=conditions,
        notes=notes,
    )


def read_named(path: Path, network: SpikingNetwork) -> ToldInputs:
    """What an archive holds of the inputs of a network, by their names where it has these.

    Raises:
        FormatError: as `read` does, or for an array that is of none of the inputs.
    """
    arrays, own = npz_arrays(path), _own_names(network)
    if not set(arrays) & set(own):
        return assigned(read(path), network, path)
    common = {name: each for name, each in arrays.items() if name in _COMMON and name not in own}
    strange = [name for name in arrays if name not in own and name not in common]
    if strange:
        raise FormatError(
            f"{path}: the array {strange[0][:60]!r} is of no input; {inputs_told(network)}"
        )
    analog, spikes = {}, {}
    for part in network.inputs:
        mine = {of: arrays[name] for name, (owner, of) in own.items()
                if owner == part.name and name in arrays}  # fmt: skip
        if mine and part.spiking:
            spikes[part.name] = _spikes(mine, (), path, f"{part.name}_")
        elif mine:
            analog[part.name] = AnalogInput(
                values=_values(mine["inputs"], part.name, path),
                sample_ms=sample_ms_of(common, path),
            )
    labels, conditions = _conditions(common, path)
    return ToldInputs(analog=analog, spikes=spikes, labels=labels, conditions=conditions)


def _own_names(network: SpikingNetwork) -> dict[str, tuple[str, str]]:
    """Names of arrays, with the input they are of and what they would be called without it."""
    return {
        f"{part.name}_{of}" if part.spiking else part.name: (part.name, of)
        for part in network.inputs
        for of in (_SPIKES if part.spiking else ("inputs",))
    }


def _values(given: NDArray[Any], name: str, path: Path) -> NDArray[np.float64]:
    """(T, B, C) values of an array that may lack the last axes."""
    if given.dtype.kind == "U" or not 1 <= given.ndim <= 3:
        raise FormatError(
            f"{path}: {name} must be numbers of shape (T, B, C) or (T, C), they are of shape "
            f"{given.shape}"
        )
    values = given.astype(np.float64)
    if values.ndim == 1:
        values = values[:, None]
    return values if values.ndim == 3 else values[:, None]


def _left_aside(arrays: Arrays, path: Path) -> tuple[str, ...]:
    """A sentence on arrays that are not looked at; a single one is called `inputs`."""
    others = [name for name in arrays if name not in _KNOWN]
    if "unit" in arrays and "inputs" in arrays:
        raise FormatError(f"{path}: holds inputs and units of spikes; which of them are meant?")
    if "inputs" not in arrays and "unit" not in arrays:
        if len(others) != 1:
            raise FormatError(
                f"{path}: holds the arrays {', '.join(arrays)[:200]}; call the one that is meant "
                "inputs, or write spikes as unit and time"
            )
        arrays["inputs"] = arrays.pop(others.pop())
    if "inputs" in arrays:
        others += [name for name in arrays if name in _SPIKES]
    return (f"{path}: {', '.join(others)[:200]}: not looked at",) if others else ()


def _spikes(arrays: Arrays, notes: tuple[str, ...], path: Path, before: str = "") -> SpikeInput:
    """The spikes of arrays; `before` stands before their names in the file."""
    columns = {name: arrays[name] for name in _SPIKES if name in arrays}
    if "unit" not in columns or ("time" in columns) + ("time_s" in columns) != 1:
        raise FormatError(f"{path}: spikes need the arrays {before}unit and {before}time")
    size = columns["unit"].size
    for name, values in columns.items():
        if values.dtype.kind == "U" or values.shape != (size,):
            raise FormatError(
                f"{path}: {before}{name} must be one number of each spike, as many as unit has, "
                "its shape "
                f"is {values.shape}"
            )
    told = spikes_of({name: each.astype(np.float64) for name, each in columns.items()}, (), path)
    labels, conditions = _conditions(arrays, path)
    # A dataclass that has just been checked is copied by its fields.
    return SpikeInput(**{**vars(told), "labels": labels, "conditions": conditions, "notes": notes})


def sample_ms_of(arrays: Arrays, path: Path) -> float | None:
    """The time between two samples, ms, under either name; None where there is none."""
    told = [arrays[name] for name in ("sample_ms", "dt_ms") if name in arrays]
    for each in told:
        if each.dtype.kind not in "fiu" or each.size != 1:
            raise FormatError(f"{path}: sample_ms (or dt_ms) must be one number")
        value = float(each.reshape(-1)[0])
        if not SHORTEST_STEP_MS <= value <= LONGEST_STEP_MS:
            raise FormatError(f"{path}: samples {value:g} ms apart make no sense")
    values = {float(each.reshape(-1)[0]) for each in told}
    if len(values) > 1:
        raise FormatError(f"{path}: its sample_ms and dt_ms are not the same")
    return next(iter(values), None)


def _conditions(arrays: Arrays, path: Path) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """(B,) labels, and the names they point at in the order they come."""
    if "condition" not in arrays:
        return None, ()
    given = arrays["condition"]
    if given.dtype.kind != "U" or given.ndim != 1:
        raise FormatError(f"{path}: condition must be a text of each trial")
    names = list(dict.fromkeys(given.tolist()))
    return np.array([names.index(each) for each in given.tolist()], dtype=np.int64), tuple(names)
