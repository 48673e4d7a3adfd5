"""NWB files in which a row of the units table is a unit in one trial, as Neo's writer makes them.

Neo writes a row for each spike train, with columns that name its segment and its block; segments
are trials, and each may have an axis of time of its own. To take the rows for units would make
neurons of trials.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.foreign import Moments
from bridge.exchange.nwb_units import intervals_s, labels
from bridge.exchange.spike_trains import SpikeTrains

# Columns that tell the trial of a row, whoever writes them; of the others of these names a row may
# be a unit of a segment of the body, or of a block of sessions.
_TRIAL_COLUMNS = tuple(
    f"{what}{suffix}"
    for what in ("trial", "sweep")
    for suffix in ("", "_id", "_index", "_number", "_name")
)
_UNCERTAIN = (
    *("segment", "segment_id", "segment_index", "segment_number", "segment_name"),
    *("block", "block_id", "block_index", "block_number", "block_name"),
)
_NAME_COLUMNS = ("_name", "unit_name", "name", "unit_id", "unit", "neuron", "neuron_id", "cell")


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Rows of a units table that are units in one trial each.

    Attributes:
        trial: (R,) trial of each row.
        neuron: (R,) neuron of each row.
        populations: Names and sizes, in order.
        bounds_s: (B, 2) start and end of each trial on its own axis, s.
    """

    trial: NDArray[np.int64]
    neuron: NDArray[np.int64]
    populations: dict[str, int]
    bounds_s: NDArray[np.float64]

    def trains(self, stamps: Moments, row: NDArray[np.int64]) -> SpikeTrains:
        """The spikes, given the times of all and (S,) their rows."""
        return SpikeTrains(
            times_s=stamps.seconds,
            neuron=self.neuron[row],
            populations=self.populations,
            trials_s=self.bounds_s,
            trial=self.trial[row],
            apart_s=stamps.apart_s,
            number_type=stamps.number_type,
        )


def segments_of(units: h5py.Group, size: int, path: Path, *, trials_told: bool) -> Segments | None:
    """The segments of a units table of `size` rows; None where a row is a unit.

    Raises:
        FormatError: rows belong to segments, and which are the same unit or from when to when a
            segment lasts is not stated; or whether they do.
    """
    column, segment = _segment_of_rows(units, size, path, trials_told=trials_told)
    if not column:
        return None
    if trials_told:
        raise FormatError(
            f"{path}: has a trials table, and a column {column!r} that makes a row of its units "
            "table a unit in one trial; only one of them can be read"
        )
    names = list(dict.fromkeys(segment))
    trial = np.array([names.index(name) for name in segment], dtype=np.int64)
    neuron, first_names = _neurons(_names(units, size, path), trial, column, path)
    return Segments(
        trial=trial,
        neuron=neuron,
        populations=_populations(first_names),
        bounds_s=_bounds(units, trial, column, path),
    )


def _segment_of_rows(
    units: h5py.Group, size: int, path: Path, *, trials_told: bool
) -> tuple[str, list[str]]:
    """The column that gives the segment of a row, and the segments; "" where a row is a unit."""
    segment, block = (labels(units, name, size, path) for name in ("segment", "block"))
    if segment and block:
        if len(set(block)) > 1:
            raise FormatError(
                f"{path}: holds {len(set(block))} blocks of Neo's; write each into a file"
            )
        return "segment", segment
    for name in _TRIAL_COLUMNS:
        found = labels(units, name, size, path)
        if len(set(found)) > 1:
            return name, found
    for name in _UNCERTAIN:
        count = len(set(labels(units, name, size, path)))
        if count > 1 and not trials_told:
            raise FormatError(
                f"{path}: its units table has a column {name!r} of {count} values, and whether "
                f"these are {count} trials of the same units, or other units each, is not stated; "
                "write one row for each unit and a trials table"
            )
    return "", []


def _names(units: h5py.Group, size: int, path: Path) -> list[str]:
    """What gives the unit of a row; [] where nothing does."""
    found = (labels(units, name, size, path) for name in _NAME_COLUMNS)
    return next((each for each in found if each), [])


def _neurons(
    names: list[str], trial: NDArray[np.int64], column: str, path: Path
) -> tuple[NDArray[np.int64], list[str]]:
    """(R,) the neuron of each row, and the names that the neurons have in the first segment."""
    rows = [np.flatnonzero(trial == number) for number in range(trial.max() + 1)]
    sizes = [len(each) for each in rows]
    if len(set(sizes)) > 1:
        raise FormatError(
            f"{path}: of its {len(rows)} segments (column {column!r}) one has {min(sizes)} units "
            f"and one {max(sizes)}; which of them are the same is not stated"
        )
    named = [[names[row] if names else "" for row in each] for each in rows]
    neuron = np.empty(trial.size, dtype=np.int64)
    for each, own in zip(rows, named, strict=True):
        neuron[each] = _places(own, named[0], sizes[0], path)
    return neuron, named[0]


def _places(own: list[str], first: list[str], size: int, path: Path) -> NDArray[np.int64]:
    """Which unit of the first segment each of this one is: by name, or one after the other."""
    if len(set(own)) < size or len(set(first)) < size or not set(own) & set(first):
        return np.arange(size)
    if set(own) != set(first):
        odd = min(set(own) ^ set(first))
        raise FormatError(
            f"{path}: its segments hold units of different names ({odd!r} is not in all of them); "
            "which of them are the same is not stated"
        )
    return np.array([first.index(name) for name in own], dtype=np.int64)


def _populations(names: list[str]) -> dict[str, int]:
    """Populations by names such as "exc 3", as our own Neo blocks have them; else one for all."""
    found: dict[str, int] = {}
    for name in names:
        parts = re.fullmatch(r"(.*\S) (\d+)", name)
        if parts is None or int(parts[2]) != found.get(parts[1], 0):
            return {"units": len(names)}
        found[parts[1]] = found.get(parts[1], 0) + 1
    return found


def _bounds(
    units: h5py.Group, trial: NDArray[np.int64], column: str, path: Path
) -> NDArray[np.float64]:
    """(B, 2) start and end of each segment, s: all its units were observed as long."""
    edges = intervals_s(units, trial.size, path)
    count = int(trial.max()) + 1
    if edges is not None:
        bounds = np.stack([edges[np.argmax(trial == number)] for number in range(count)])
        if np.array_equal(edges, bounds[trial]):
            return bounds
    raise FormatError(
        f"{path}: its units table has a row for each unit in each of {count} segments (column "
        f"{column!r}), and no obs_intervals that state from when to when a segment lasts"
    )
