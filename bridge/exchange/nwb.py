"""Neurodata Without Borders: a recording as a units table, a trials table and time series.

Read by h5py alone, since pynwb, which writes them (`bridge.exchange.nwb_writing`), loads the
schemas that a file brings along: from a file of unknown origin only numbers and the names of
populations are taken. In our own files these names stand in an attribute of the units too: a
column's text lies in a heap without checksums, where one damaged byte can hang the HDF5 library.

Trials lie end to end on the axis of time, and a spike stands at the start of its step. In files of
others that have a trials table all trials must be of one length, or a window is cut from each;
spikes between trials are left out, and the recording's provenance says how many.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.attributes import number
from bridge.exchange.foreign import Moments, foreign_file, moments, whole_numbers
from bridge.exchange.links import own_group
from bridge.exchange.nwb_conditions import conditions_of
from bridge.exchange.nwb_readouts import decimal, readouts_of
from bridge.exchange.nwb_segments import segments_of
from bridge.exchange.nwb_units import observed, populations_of
from bridge.exchange.nwb_writing import POPULATIONS, encode
from bridge.exchange.spike_trains import SpikeTrains, backwards

__all__ = ["SUFFIX", "encode", "is_nwb", "read"]

SUFFIX = ".nwb"
_MOST_UNITS = 10_000_000


def is_nwb(file: h5py.File) -> bool:
    """Whether an HDF5 file says that it is NWB."""
    # Not what it says: text lies in a heap without checksums, where one damaged byte can hang HDF5.
    return "nwb_version" in file.attrs or "nwb_version" in file


def read(path: Path) -> SpikeTrains:
    """The spikes, trials and readouts of a file.

    Raises:
        FormatError: missing, damaged, or without a units table.
    """
    with foreign_file(path) as file:
        if not is_nwb(file):
            raise FormatError(f"{path}: no NWB file")
        if "nwb_version" not in file.attrs:
            raise FormatError(f"{path}: NWB of version 1, which is not read; convert it to NWB 2")
        units = own_group(file, "units", path)
        if units is None:
            raise FormatError(f"{path}: holds no units table, so no spikes")
        stamps, unit, size = _spikes(units, path)
        trials = trials_of(file, path)
        if segments := segments_of(units, size, path, trials_told=trials is not None):
            return segments.trains(stamps, unit)
        return _of_one_session(file, path, units, (stamps, unit, size), trials)


def _of_one_session(
    file: h5py.File,
    path: Path,
    units: h5py.Group,
    spikes: tuple[Moments, NDArray[np.int64], int],
    trials: Moments | None,
) -> SpikeTrains:
    """Spikes of units whose times lie on one axis, as the standard has it."""
    stamps, unit, size = spikes
    bounds = None if trials is None else trials.seconds.reshape(-1, 2)
    ours = POPULATIONS in units.attrs
    readouts, sample_ms, left_out = readouts_of(file, path, bounds, ours=ours)
    known: dict[str, Any] = {}
    shown_ms = None
    if ours and bounds is not None:
        known, shown_ms = conditions_of(file, path, len(bounds))
        if None not in (sample_ms, shown_ms) and sample_ms != shown_ms:
            raise FormatError(f"{path}: its inputs and readouts are sampled at different rates")
    observed_s, notes = (
        (None, ()) if bounds is not None else observed(units, size, stamps.seconds, path)
    )
    kinds = [stamps] if trials is None else [stamps, trials]
    return SpikeTrains(
        times_s=stamps.seconds,
        neuron=unit,
        populations=populations_of(units, size, path),
        trials_s=bounds,
        observed_s=observed_s,
        dt_ms=_dt_ms(units, path),
        readouts=readouts,
        sample_ms=sample_ms or shown_ms,
        apart_s=sum(kind.apart_s for kind in kinds),
        number_type=max(kinds, key=lambda kind: kind.apart_s).number_type,
        notes=(*notes, *left_out, *_intervals_left_aside(file, path)),
        known=known,
    )


def _spikes(units: h5py.Group, path: Path) -> tuple[Moments, NDArray[np.int64], int]:
    """S times, (S,) rows of the units table, and the number of its rows."""
    if "spike_times" not in units:
        raise FormatError(f"{path}: its units table has no spike times")
    stamps = moments(units, "spike_times", path, unit="s")
    ends = _ends(units, stamps.seconds.size, path)
    if np.any(np.diff(ends) < 0) or (ends[-1] if ends.size else 0) != stamps.seconds.size:
        raise FormatError(f"{path}: its units and spike times do not fit together")
    if ends.size > _MOST_UNITS:
        raise FormatError(f"{path}: claims {ends.size:,} units")
    if not ends.size:
        raise FormatError(f"{path}: its units table is empty, it has no neurons")
    unit = np.repeat(np.arange(ends.size), np.diff(ends, prepend=0))
    _check_forwards(stamps, unit, ends.size, path)
    return stamps, unit, ends.size


def _ends(units: h5py.Group, spikes: int, path: Path) -> NDArray[np.int64]:
    """(N,) where in the spike times those of each unit end."""
    if "spike_times_index_index" in units:
        raise FormatError(f"{path}: its spike times are indexed twice; that is not read")
    if "spike_times_index" in units:
        return whole_numbers(units, "spike_times_index", path)
    rows = whole_numbers(units, "id", path).size if "id" in units else None
    if rows != 1:
        told = "does not state its rows" if rows is None else f"has {rows} rows"
        raise FormatError(
            f"{path}: its units table {told} and no spike_times_index, so whose spikes these are "
            "is not stated"
        )
    return np.array([spikes])


def _check_forwards(stamps: Moments, unit: NDArray[np.int64], size: int, path: Path) -> None:
    found = backwards(stamps.seconds, unit)
    if found is None:
        return
    first, later, earlier, count = found
    raise FormatError(
        f"{path}: the spike times of unit {first} (counted from 0) run backwards, {earlier:.9g} s "
        f"comes after {later:.9g} s, and so it is with {count} of {size} units: either they start "
        "over at each trial, so that the trials lie over each other, or they are in no order; "
        "write them in ascending order, in seconds from the start of the session"
    )


def trials_of(file: h5py.File, path: Path) -> Moments | None:
    """Starts and stops in turn, s; None where there is no trials table."""
    table = own_group(file, "intervals/trials", path)
    if table is None:
        return None
    if "start_time" not in table or "stop_time" not in table:
        raise FormatError(f"{path}: its trials table must hold a start and a stop for each trial")
    start, stop = (moments(table, name, path, unit="s") for name in ("start_time", "stop_time"))
    if start.seconds.shape != stop.seconds.shape or not start.seconds.size:
        raise FormatError(f"{path}: its trials table must hold a start and a stop for each trial")
    coarse = max((start, stop), key=lambda part: part.apart_s)
    return Moments(
        seconds=np.stack([start.seconds, stop.seconds], axis=1).reshape(-1),
        apart_s=coarse.apart_s,
        number_type=coarse.number_type,
    )


def _intervals_left_aside(file: h5py.File, path: Path) -> tuple[str, ...]:
    """A sentence on tables of times that are not a trials table."""
    tables = own_group(file, "intervals", path)
    others = [] if tables is None else [name for name in tables if name != "trials"]
    if not others:
        return ()
    return (f"intervals/{', intervals/'.join(others)}: not looked at, only a trials table is",)


def _dt_ms(units: h5py.Group, path: Path) -> float | None:
    """The time step that the units state; others leave it out, or write NaN, 0 or -1 for that."""
    resolution = number(units["spike_times"], "resolution", path)
    if resolution is None or np.isnan(resolution) or resolution in (0.0, -1.0):
        return None
    if not 0 < resolution < np.inf:
        raise FormatError(
            f"{path}: {units.name}/spike_times: a resolution of {resolution:g} s makes no sense"
        )
    exact = resolution * 1000.0
    short = decimal(exact)
    return short if short / 1000.0 == resolution else exact
