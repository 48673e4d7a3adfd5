"""SONATA spike files: `/spikes/POPULATION/{timestamps,node_ids}`, times in ms.

The first layout, of 2018, is read as well: `/spikes/{timestamps,gids}`, without a population.

SONATA knows no trials: they lie end to end on the axis of time, and attributes of our own on
`/spikes` state the time step, the number of steps and of trials, and the sizes of populations. What
other tools wrote is cut into trials of a given length, or is one trial.
"""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.attributes import number, whole_number
from bridge.exchange.foreign import Moments, foreign_file, moments, whole_numbers
from bridge.exchange.links import own_group, own_part
from bridge.exchange.sonata_order import check_order
from bridge.exchange.sonata_writing import OURS, encode
from bridge.exchange.spike_trains import SpikeTrains

__all__ = ["SUFFIX", "encode", "is_sonata", "read"]

SUFFIX = ".sonata.h5"
_MOST_NEURONS = 10_000_000
_MOST_TRIALS = 10_000_000
_IDS = ("node_ids", "gids")
# How the neurons of a file without populations are called.
_NAMELESS = "nodes"

Array = NDArray[np.float64]
Parts = list[tuple[str, h5py.Group]]


def is_sonata(file: h5py.File) -> bool:
    """Whether an HDF5 file has the groups of a SONATA spike file."""
    path = Path(file.filename)
    spikes = own_part(file, "spikes", path)
    return isinstance(spikes, h5py.Group) and bool(_parts(spikes, path))


def read(path: Path) -> SpikeTrains:
    """The spikes of a file, populations in the order they had, else in that of their names.

    Raises:
        FormatError: missing, damaged, or no SONATA spike file.
    """
    with foreign_file(path) as file:
        if not is_sonata(file):
            raise FormatError(f"{path}: no SONATA spike file")
        spikes: h5py.Group = own_group(file, "spikes", path)
        parts = _parts(spikes, path)
        found = [_population(name, part, spikes, path) for name, part in parts]
        stamps = [each[0] for each in found]
        coarse = max(stamps, key=lambda each: each.apart_s)
        sizes, notes = _sizes([each[2] for each in found])
        starts = np.cumsum([0, *sizes])
        ids = [each[1] + start for each, start in zip(found, starts, strict=False)]
        dt_ms = _dt_ms(spikes, path)
        return SpikeTrains(
            times_s=np.concatenate([each.seconds for each in stamps]),
            neuron=np.concatenate(ids),
            populations={name: size for (name, _), size in zip(parts, sizes, strict=True)},
            trials_s=_trials(spikes, dt_ms, path),
            dt_ms=dt_ms,
            sizes_told=all(f"{OURS}size" in part.attrs for _, part in parts),
            apart_s=coarse.apart_s,
            number_type=coarse.number_type,
            notes=(
                *(note for each in found for note in each[3]),
                *notes,
                *_left_aside(spikes, parts, path),
            ),
        )


def _parts(spikes: h5py.Group, path: Path) -> Parts:
    """Names and groups of the populations; the group of all where there are none."""
    found = [(name, own_part(spikes, name, path)) for name in spikes]
    groups = [(name, part) for name, part in found if isinstance(part, h5py.Group)]
    # One of the two alone is a damaged population, and not a group of something else.
    parts = [(name, part) for name, part in groups if {"timestamps", *_IDS} & set(part)]
    alone = {name for name, part in found if isinstance(part, h5py.Dataset)}
    if alone & {"timestamps", *_IDS}:
        if parts:
            raise FormatError(
                f"{path}: {spikes.name} holds spikes in populations and outside of them; which are "
                "meant is not stated"
            )
        return [(_NAMELESS, spikes)]
    return sorted(parts, key=lambda part: (_place(part[1], len(parts), path), part[0]))


def _place(part: h5py.Group, last: int, path: Path) -> int:
    place = whole_number(part, f"{OURS}place", path)
    return last if place is None else place


def _population(
    name: str, part: h5py.Group, spikes: h5py.Group, path: Path
) -> tuple[Moments, NDArray[np.int64], int | None, tuple[str, ...]]:
    """S times, (S,) neurons of one population, its size where stated, what a user should know."""
    above = (part,) if part == spikes else (part, spikes)
    stamps = moments(part, "timestamps", path, unit="ms", above=above, ours=_is_ours(part))
    ids = _ids(part, path)
    if stamps.seconds.shape != ids.shape:
        raise FormatError(f"{path}: {part.name} has times and nodes of different numbers")
    size = whole_number(part, f"{OURS}size", path)
    largest = int(ids.max(initial=-1))
    if largest >= _MOST_NEURONS or (size or 0) > _MOST_NEURONS:
        raise FormatError(
            f"{path}: {part.name} claims nodes that make no sense: the largest number is {largest},"
            f" at most {_MOST_NEURONS - 1} can be read; number them from 0"
        )
    if size is not None and largest >= size:
        raise FormatError(
            f"{path}: {part.name} claims nodes that make no sense: the largest number is {largest},"
            f" its size is {size}"
        )
    notes = check_order(stamps.seconds, ids, part, path)
    if size is None and ids.size:
        size = largest + 1
    return stamps, ids, size, tuple(f"{name}: {note}" for note in notes)


def _is_ours(part: h5py.Group) -> bool:
    return f"{OURS}size" in part.attrs


def _ids(part: h5py.Group, path: Path) -> NDArray[np.int64]:
    there = [name for name in _IDS if name in part]
    if len(there) > 1:
        raise FormatError(
            f"{path}: {part.name} has node_ids and gids, and which are meant is unclear"
        )
    return whole_numbers(part, there[0] if there else _IDS[0], path)


def _sizes(told: list[int | None]) -> tuple[list[int], tuple[str, ...]]:
    """The sizes of all populations: one that neither fires nor states its size is empty."""
    sizes = [size or 0 for size in told]
    if sum(sizes):
        return sizes, ()
    note = "no spikes and no number of neurons: one silent neuron stands for each population"
    return [1] * len(sizes), (note,)


def _left_aside(spikes: h5py.Group, parts: Parts, path: Path) -> tuple[str, ...]:
    """A sentence on groups that hold something else."""
    groups = {name for name in spikes if isinstance(own_part(spikes, name, path), h5py.Group)}
    others = sorted(groups - {name for name, _ in parts})
    return (f"{spikes.name}: {', '.join(others)} not looked at, no spikes in it",) * bool(others)


def _dt_ms(spikes: h5py.Group, path: Path) -> float | None:
    dt_ms = number(spikes, f"{OURS}dt_ms", path)
    if dt_ms is not None and not 0 < dt_ms < np.inf:
        raise FormatError(f"{path}: a time step of {dt_ms:g} ms makes no sense")
    return dt_ms


def _trials(spikes: h5py.Group, dt_ms: float | None, path: Path) -> Array | None:
    count, steps = (whole_number(spikes, f"{OURS}{name}", path) for name in ("n_trials", "n_steps"))
    if count is None and steps is None:
        return None
    if dt_ms is None or not 0 < (count or 0) <= _MOST_TRIALS or not steps:
        raise FormatError(
            f"{path}: {spikes.name}: {OURS}n_trials, {OURS}n_steps and {OURS}dt_ms make no sense "
            "together"
        )
    length = steps * dt_ms / 1000.0
    starts = np.arange(count or 0) * length
    return np.stack([starts, starts + length], axis=1)
