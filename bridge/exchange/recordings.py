"""Recordings in any format: our own, NWB, or SONATA spikes; which one the content says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import before_path, file_path, flag, text
from bridge.errors import FormatError, SpecError
from bridge.exchange import nwb, sonata
from bridge.exchange.attributes import text_of
from bridge.exchange.foreign import foreign_file
from bridge.exchange.hdf5 import FORMAT, check_writable, write_bytes
from bridge.exchange.on_steps import recording_of
from bridge.exchange.reading_options import ReadingOptions
from bridge.exchange.spike_trains import SpikeTrains
from bridge.exchange.store import load
from bridge.exchange.windows import cut_out
from bridge.spiking.recording import Recording

NAMES = ("nwb", "sonata")
# What a file may tell itself, and the option that is for files that do not.
_TOLD = {"dt_ms": "time step", "trial_s": "trials"}


def load_recording(
    path: str | Path,
    *,
    trial_s: float | None = None,
    dt_ms: float | None = None,
    window_s: tuple[float, float] | None = None,
    format: str | None = None,
) -> Recording:
    """Read a recording: our own, NWB, or SONATA spikes. Nothing in a file is executed.

    Args:
        path: The file; its content says which format it is.
        trial_s: Length of the trials of a file that knows none, s; None: all is one trial.
        dt_ms: Time step of a file that states none, ms; None: 0.1 ms.
        window_s: Start and stop of what is wanted of each trial, s from its start: what makes
            trials of several lengths alike; None: all.
        format: "nwb" or "sonata", if it must be one; None: any.

    Returns:
        The recording. Of a foreign file the provenance says where trials and time step come from,
        and how many spikes lay in no trial and were left out.

    Raises:
        FormatError: missing, damaged, of another kind or of no such format, or none of its spikes
            lies in a trial.
        SpecError: an option makes no sense, or says otherwise than the file.
    """
    file = file_path(path)
    options = ReadingOptions(trial_s=trial_s, dt_ms=dt_ms, window_s=window_s)
    source = _read(file, format)
    for name in _contradicted(source, options):
        raise SpecError(
            f"{file}: states its own {_TOLD[name]}, {_own(source, name)}; leave out "
            f"--{name.replace('_', '-')} ({name}), which says {getattr(options, name):g}"
        )
    return _made(source, file, options)


def load_recordings(
    paths: Sequence[Path], options: ReadingOptions
) -> tuple[list[Recording], tuple[str, ...]]:
    """Several recordings, each with the options that its file leaves open.

    Returns:
        The recordings, and what a user should know, a sentence each.

    Raises:
        FormatError: as `load_recording` does.
        SpecError: an option makes no sense, or every file says otherwise.
    """
    sources = {path: _read(path, None) for path in paths}
    notes = []
    recordings = []
    unused = {path: _contradicted(source, options) for path, source in sources.items()}
    for name in set.intersection(*map(set, unused.values())):
        raise SpecError(
            f"every recording states its own {_TOLD[name]}; leave out --{name.replace('_', '-')}"
        )
    for path in paths:
        source = sources[path]
        for name in unused[path]:
            notes.append(
                f"{path}: states its own {_TOLD[name]}, {_own(source, name)}, so "
                f"--{name.replace('_', '-')} is not used for it"
            )
        kept = replace(options, **dict.fromkeys(unused[path]))
        recording = _made(source, path, kept)
        if recording.provenance.get("notes"):
            notes.append(f"{path}: {recording.provenance['notes']}")
        recordings.append(recording)
    return recordings, tuple(dict.fromkeys(notes))


def _read(file: Path, format: str | None) -> Recording | SpikeTrains:
    """What a file holds, before trials are cut and steps are counted."""
    if format is not None and text("format", format) not in NAMES:
        raise SpecError(f"unknown format {format!r} of a recording; known are {', '.join(NAMES)}")
    with foreign_file(file) as opened:
        ours = text_of(opened.attrs.get("format")) == FORMAT
        found = "nwb" if nwb.is_nwb(opened) else "sonata" if sonata.is_sonata(opened) else ""
    if ours:
        found = "spikebridge"
    if not found:
        raise FormatError(f"{file}: no recording; ours, NWB and SONATA spikes are read")
    if format not in (None, found):
        raise FormatError(f"{file}: of the format {found}, not {format}")
    if ours:
        stored = load(file)
        if not isinstance(stored, Recording):
            raise FormatError(f"{file}: a recording is needed, this file holds none")
        return stored
    # A damaged number that overflows is refused below, in a sentence; NumPy need not warn of it.
    with np.errstate(invalid="ignore", over="ignore"):
        return nwb.read(file) if found == "nwb" else sonata.read(file)


def _made(source: Recording | SpikeTrains, file: Path, options: ReadingOptions) -> Recording:
    if isinstance(source, SpikeTrains):
        return recording_of(source, file, options)
    return source if options.window_s is None else cut_out(source, options.window_s, file)


def _contradicted(source: Recording | SpikeTrains, options: ReadingOptions) -> list[str]:
    """Options that are for files which leave something open, where this one says otherwise."""
    return [
        name
        for name in _TOLD
        if getattr(options, name) is not None
        and (own := _lengths(source, name)) is not None
        # A length stated in float32, or a step as a rate in Hz, is the given one within rounding.
        and not np.allclose(own, getattr(options, name), rtol=1e-6, atol=0.0)
    ]


def _lengths(source: Recording | SpikeTrains, name: str) -> NDArray[np.float64] | None:
    """What a file states itself: its time step, ms, or the lengths of its trials, s."""
    if name == "dt_ms":
        return None if source.dt_ms is None else np.array([source.dt_ms])
    if isinstance(source, Recording):
        return np.array([source.trial_s])
    return None if source.trials_s is None else np.diff(source.trials_s, axis=1)


def _own(source: Recording | SpikeTrains, name: str) -> str:
    """The same in words."""
    lengths = _lengths(source, name)
    if lengths is None:
        return "none"
    if name == "dt_ms":
        return f"{lengths[0]:g} ms"
    least, most = float(np.min(lengths)), float(np.max(lengths))
    return f"of {least:g} s" if f"{least:g}" == f"{most:g}" else f"of {least:g} to {most:g} s"


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
    if recording.values is not None:
        lost.append("values that populations pass on are not kept in this format")
    if recording.window is not None:
        lost.append("what was recorded step by step is not kept in this format")
    if recording.input_spikes:
        lost.append("spikes of the inputs are not kept in this format")
    if name == "sonata" and recording.readouts:
        lost.append("readouts are not kept in this format")
    return tuple(lost)
