"""SONATA spike files as other tools' writers make them, drawn at random."""

from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from exchange.foreign_recordings import Drawn, Writer

# What is wrong with a file, and what must be said of it.
FAULTS = {
    "times start over": "start over",
    "said to be by time": "sorted by_time, and is not",
    "said to be by id": "sorted by_id, and is not",
    "unknown sorting": "sorting must be one of",
    "the same time twice": "at the same time",
    "too coarse a step": "ms or less",
    "float32 far out": "float32",
    "a time is NaN": "must be finite",
    "a time is negative": "must be finite and not negative",
    "an id is negative": "not negative",
    "an id is not a whole number": "whole numbers",
    "an id is too large": "claims nodes that make no sense",
    "fewer ids than times": "times and nodes of different numbers",
    "times missing": "timestamps is missing",
    "node_ids and gids": "node_ids and gids",
    "a unit is not text": "",
    "unknown unit": "units of time that are known",
    "two units": "has times in",
    "our own step is not a number": "",
    "our own trials are half": "make no sense together",
}
_SORTINGS = {"none": 0, "by_id": 1, "by_time": 2}
_IDS = ("u8", "u4", "u1", "i8", "i4", ">i8", ">u4", "f8")
_ORDERED = ("said to be", "times start over")


def draw_sonata(rng: np.random.Generator, path: Path) -> Drawn:
    """Write a SONATA spike file as the writer of another tool might."""
    drawn = Drawn(dt_ms=float(rng.choice([0.1, 0.05, 0.5, 1.0, 0.25])))
    writer = Writer(rng, drawn)
    fault = writer.one_of([*FAULTS, *[""] * (2 * len(FAULTS))])
    if fault:
        drawn.fault = FAULTS[fault]
        drawn.traits.append(f"fault: {fault}")
    trials, steps = int(rng.integers(1, 4)), int(rng.integers(30, 60))
    layout = writer.trait("layout", ["populations", "populations", "gids", "no population", "2018"])
    names = (
        ["nodes"]
        if layout in ("no population", "2018")
        else list(rng.permutation(["v1", "lgn", "units"]))
    )
    names = sorted(names[: 1 + int(rng.integers(3))])
    with h5py.File(path, "w") as file:
        spikes = file.create_group("spikes")
        if fault == "our own step is not a number":
            writer.bad_attribute(spikes, "spikebridge_dt_ms", text=False)
        elif fault == "our own trials are half":
            writer.attribute(spikes, "spikebridge_n_trials", 3)
        _trials(writer, spikes, trials, steps, fault)
        ids_named = "gids" if layout in ("gids", "2018") else "node_ids"
        for name in names:
            part = spikes if names == ["nodes"] else spikes.create_group(name)
            here = fault if name == names[0] else ""
            _population(writer, part, name, ids_named, (trials, steps), here)
    _told(drawn, trials, steps)
    return drawn


def _trials(writer: Writer, spikes: h5py.Group, trials: int, steps: int, fault: str) -> None:
    """Step and trials: given as options, or in our own attributes as others may copy them."""
    drawn = writer.drawn
    if not fault and writer.rng.random() < 0.3:
        for name, value in (("dt_ms", drawn.dt_ms), ("n_trials", trials), ("n_steps", steps)):
            writer.attribute(spikes, f"spikebridge_{name}", value)
        drawn.traits.append("our own attributes")
        return
    drawn.options["trial_s"] = steps * drawn.dt_ms / 1000.0
    if "our own" not in fault:
        drawn.options["dt_ms"] = drawn.dt_ms * (3 if fault == "too coarse a step" else 1)


def _told(drawn: Drawn, trials: int, steps: int) -> None:
    """What must be found: trials that are cut end with the last spike; a silent file has one neuron
    for each population.
    """
    if "our own attributes" not in drawn.traits:
        trials = 1 + max((trial for trial, _, _ in drawn.spikes), default=0)
    if not sum(drawn.populations.values()):
        drawn.populations = dict.fromkeys(drawn.populations, 1)
    drawn.shape = (trials, steps, sum(drawn.populations.values()))


def _population(
    writer: Writer,
    part: h5py.Group,
    name: str,
    ids_named: str,
    lengths: tuple[int, int],
    fault: str,
) -> None:
    drawn, rng = writer.drawn, writer.rng
    trials, steps = lengths
    neurons = int(rng.integers(1, 9))
    events = [(trial, *event) for trial in range(trials) for event in writer.spikes(neurons, steps)]
    if fault:
        # What may be doubled, turned round or put into one step.
        events = [(0, 0, step) for step in (3, 4, 7, 20, 21, 25, 27, 29)]
        events += [(0, 1, step) for step in range(8)]
    sparse = np.sort(rng.choice(200, 9, replace=False))
    start = sum(drawn.populations.values())
    drawn.spikes += [(trial, step, start + int(sparse[owner])) for trial, owner, step in events]
    drawn.populations[name] = 1 + max((int(sparse[owner]) for _, owner, _ in events), default=-1)
    number = np.array([trial * steps + step for trial, _, step in events], dtype=np.int64)
    ids = sparse[np.array([owner for _, owner, _ in events], dtype=np.int64)]
    order, sorting = _order(writer, number, ids, fault)
    times, ids = number[order] * drawn.dt_ms, ids[order]
    if fault == "times start over":
        times = np.concatenate([np.arange(8.0)] * 2) * drawn.dt_ms
        ids = np.full(16, 5)
    values: dict[str, Any] = {"timestamps": times.astype(float), ids_named: ids}
    types = {"timestamps": ("f8", ">f8", "f4"), ids_named: _IDS}
    _spoil(values, types, ids_named, fault)
    _write(writer, part, values, types, fault)
    _sorted(writer, part, sorting, fault)


def _order(writer: Writer, number: Any, ids: Any, fault: str) -> tuple[Any, str]:
    """An order of spikes and how a file calls it."""
    by_id, by_time = np.lexsort((number, ids)), np.lexsort((ids, number))
    if fault == "said to be by time":
        return by_time[::-1], "by_time"
    if fault == "said to be by id":
        return by_id[::-1], "by_id"
    sorting = writer.trait("order", ["none", "by_id", "by_time", "missing"])
    if sorting in ("by_id", "by_time"):
        return (by_id if sorting == "by_id" else by_time), sorting
    # Ranks write one after the other, and each node's spikes in order.
    return (by_id[::-1] if number.size < 8 else by_time), sorting


def _spoil(values: dict[str, Any], types: dict[str, Any], ids_named: str, fault: str) -> None:
    """Put a fault into the numbers."""
    times, ids = values["timestamps"], values[ids_named]
    spoiled: dict[str, dict[str, Any]] = {
        "the same time twice": {
            "timestamps": np.concatenate([times, times[-1:]]),
            ids_named: np.concatenate([ids, ids[-1:]]),
        },
        "float32 far out": {"timestamps": times + 4e7},
        "a time is NaN": {"timestamps": np.where(np.arange(times.size) == 2, np.nan, times)},
        "a time is negative": {"timestamps": np.concatenate([[-5.0], times[1:]])},
        "an id is negative": {ids_named: np.concatenate([[-1], ids[1:]])},
        "an id is not a whole number": {ids_named: ids + 0.5},
        "an id is too large": {ids_named: np.concatenate([[10**9], ids[1:]])},
        "fewer ids than times": {ids_named: ids[:-1]},
        "node_ids and gids": {"node_ids": ids, "gids": ids},
    }
    values |= spoiled.get(fault, {})
    types |= {"node_ids": _IDS, "gids": _IDS}
    types |= {
        "float32 far out": {"timestamps": ("f4",)},
        "an id is negative": {ids_named: ("i8", "f8")},
        "an id is not a whole number": {ids_named: ("f8", "f4")},
        "an id is too large": {ids_named: ("u8", "i8")},
    }.get(fault, {})
    if fault == "times missing":
        del values["timestamps"]


def _write(
    writer: Writer, part: h5py.Group, values: dict[str, Any], types: dict[str, Any], fault: str
) -> None:
    in_a_second = 1e3
    if not fault and writer.rng.random() < 0.5:
        in_a_second = writer.one_of([1.0, 1e3, 1e6])
        values["timestamps"] = values["timestamps"] * (in_a_second / 1e3)
    if in_a_second == 1e6 or (in_a_second == 1e3 and writer.drawn.dt_ms == 1.0 and not fault):
        values["timestamps"] = np.round(values["timestamps"])
        types["timestamps"] = (*types["timestamps"], "i4", "u4", "i8", ">u8")
    makers = [partial(writer.keep, part, name, row, types[name]) for name, row in values.items()]
    writer.in_any_order(makers)
    if "timestamps" not in part:
        return
    if fault in ("a unit is not text", "unknown unit", "two units"):
        writer.bad_unit(part["timestamps"], fault)
    elif in_a_second != 1e3 or writer.rng.random() < 0.3:
        holder = writer.trait("unit stands at", ["data set", "group"])
        writer.unit(part["timestamps"] if holder == "data set" else part, in_a_second)


def _sorted(writer: Writer, part: h5py.Group, sorting: str, fault: str) -> None:
    """The attribute `sorting`, in one of its forms."""
    if fault == "unknown sorting":
        part.attrs["sorting"] = writer.one_of(["by_colour", 7, np.nan])
    elif sorting != "missing" and fault != "times start over":
        if writer.rng.random() < 0.4:
            kind = h5py.enum_dtype(_SORTINGS, basetype=np.uint8)
            part.attrs.create("sorting", _SORTINGS[sorting], dtype=kind)
            writer.drawn.traits.append("sorting: enumeration")
        else:
            value = writer.one_of([sorting, float(_SORTINGS[sorting])])
            writer.attribute(part, "sorting", value)
