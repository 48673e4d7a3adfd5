"""Recordings in any format: our own, NWB, or SONATA spikes; which one the content says."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from bridge.arguments import before_path, file_path, flag, number, text
from bridge.errors import FormatError, SpecError
from bridge.exchange import nwb, sonata
from bridge.exchange.hdf5 import FORMAT, check_writable, write_bytes
from bridge.exchange.spike_trains import (
    DEFAULT_DT_MS,
    SpikeTrains,
    foreign_file,
    recording_of,
    text_of,
)
from bridge.exchange.store import load
from bridge.spiking.recording import Recording

NAMES = ("nwb", "sonata")
# Thirty years: what lies beyond is a damaged number, not a recording.
_LONGEST_S = 1e9
_DT_RANGE_MS = (1e-6, 1e6)
_MOST_TRIALS = 10_000_000


def load_recording(
    path: str | Path, *, trial_s: float | None = None, dt_ms: float | None = None
) -> Recording:
    """Read a recording: our own, NWB, or SONATA spikes. Nothing in a file is executed.

    Args:
        path: The file; its content says which format it is.
        trial_s: Length of the trials of a file that knows none, s; None: all is one trial.
        dt_ms: Time step of a file that tells none, ms; None: 0.1 ms.

    Returns:
        The recording; of a foreign file its provenance says where trials and time step come from,
        and how many spikes lay in no trial and were left out.

    Raises:
        FormatError: missing, damaged, of another kind or of no such format, or none of its spikes
            lies in a trial.
        SpecError: an option makes no sense.
    """
    file = file_path(path)
    for name, value in (("trial_s", trial_s), ("dt_ms", dt_ms)):
        if value is not None and not 0 < number(name, value) < np.inf:
            raise SpecError(f"{name}: must be positive, got {value}")
    with foreign_file(file) as opened:
        ours = text_of(opened.attrs.get("format")) == FORMAT
        reader = nwb if nwb.is_nwb(opened) else sonata if sonata.is_sonata(opened) else None
    if ours:
        stored = load(file)
        if not isinstance(stored, Recording):
            raise FormatError(f"{file}: a recording is needed, this file holds none")
        return stored
    if reader is None:
        raise FormatError(f"{file}: no recording; ours, NWB and SONATA spikes are read")
    # A damaged number that overflows is refused below, in a sentence; NumPy need not warn of it.
    with np.errstate(invalid="ignore", over="ignore"):
        trains = reader.read(file)
    _check_extent(trains, file, trial_s, dt_ms)
    recording = recording_of(trains, file, trial_s=trial_s, dt_ms=dt_ms)
    if trains.times_s.size and not recording.spikes.count:
        raise FormatError(f"{file}: none of its {trains.times_s.size:,} spikes lies in a trial")
    told = _where_from(trains, trial_s, dt_ms)
    return replace(recording, provenance={**recording.provenance, **told})


def _check_extent(
    trains: SpikeTrains, file: Path, trial_s: float | None, dt_ms: float | None
) -> None:
    """Raise FormatError where the times are too far, or the steps too many, to be counted."""
    parts = [part for part in (trains.times_s, trains.trials_s) if part is not None and part.size]
    end_s = max((float(np.abs(part).max()) for part in parts), default=0.0)
    if end_s > _LONGEST_S:
        raise FormatError(f"{file}: times beyond {_LONGEST_S:g} s make no sense")
    step_ms = trains.dt_ms or dt_ms or DEFAULT_DT_MS
    if not _DT_RANGE_MS[0] <= step_ms <= _DT_RANGE_MS[1]:
        raise FormatError(f"{file}: a time step of {step_ms:g} ms makes no sense")
    if trains.trials_s is None and trial_s is not None and end_s / trial_s > _MOST_TRIALS:
        raise FormatError(f"{file}: {end_s:g} s cut into trials of {trial_s:g} s are too many")
    # Spikes are sorted by one whole number of 64 bits each, made of trial, step and neuron.
    if end_s * 1000.0 / step_ms * sum(trains.populations.values()) > 2.0**62:
        raise FormatError(f"{file}: too long for a time step of {step_ms:g} ms")


def _where_from(trains: SpikeTrains, trial_s: float | None, dt_ms: float | None) -> dict[str, str]:
    """What the trials and the time step of a foreign file rest on, for its provenance."""
    trials = "one, to the last spike" if trial_s is None else f"cut every {trial_s:g} s"
    step = f"{DEFAULT_DT_MS:g} ms, since the file tells none" if dt_ms is None else "as given"
    return {
        "trials": trials if trains.trials_s is None else "as in the file",
        "time_step": step if trains.dt_ms is None else "as in the file",
    }


def export_recording(
    recording: Recording, path: str | Path, *, to: str | None = None, force: bool = False
) -> tuple[str, ...]:
    """Write a recording in the format of other tools, whole or not at all.

    Args:
        recording: What to write.
        path: Where to.
        to: "nwb" or "sonata"; None: "nwb" where the file's name ends so.
        force: Replace a file that is there.

    Returns:
        What the format could not hold, a sentence each.

    Raises:
        SpecError: the format is unknown, or cannot hold a name.
        OutputError: the file exists, or cannot be written.
        BackendError: a package is missing.
    """
    recording, file = before_path(recording, path, (Recording,))
    flag("force", force)
    by_ending = "nwb" if file.suffix.lower() == nwb.SUFFIX else ""
    name = by_ending if to is None else text("to", to)
    if name not in NAMES:
        told = f"unknown format {name!r} of a recording" if name else f"{file}: of which format?"
        raise SpecError(f"{told}; known are {', '.join(NAMES)}")
    for each in (*recording.populations, *recording.readouts):
        if not each.strip(".") or set(each) & set("/:"):
            raise SpecError(f"{each!r}: no name that the format {name} can hold")
    check_writable(file, overwrite=force)
    write_bytes(file, (nwb if name == "nwb" else sonata).encode(recording))
    lost = [] if recording.voltages_mv is None else ["voltages are not kept in this format"]
    if name == "sonata" and recording.readouts:
        lost.append("readouts are not kept in this format")
    return tuple(lost)
