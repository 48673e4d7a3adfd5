"""Recordings in any format: our own, NWB, or SONATA spikes; which one the content says."""

from pathlib import Path

from bridge.errors import FormatError, SpecError
from bridge.exchange import nwb, sonata
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.exchange.spike_trains import foreign_file, recording_of, text_of
from bridge.exchange.store import load
from bridge.spiking.recording import Recording

NAMES = ("nwb", "sonata")


def load_recording(
    path: str | Path, *, trial_s: float | None = None, dt_ms: float | None = None
) -> Recording:
    """Read a recording: our own, NWB, or SONATA spikes. Nothing in a file is executed.

    Args:
        path: The file; its content says which format it is.
        trial_s: Length of the trials of a file that knows none, s; None: all is one trial.
        dt_ms: Time step of a file that tells none, ms; None: 0.1 ms.

    Raises:
        FormatError: missing, damaged, of another kind or of no such format.
        SpecError: an option makes no sense.
    """
    file = Path(path)
    with foreign_file(file) as opened:
        ours = bool(text_of(opened.attrs.get("format")))
        reader = nwb if nwb.is_nwb(opened) else sonata if sonata.is_sonata(opened) else None
    if ours:
        stored = load(file)
        if not isinstance(stored, Recording):
            raise FormatError(f"{file}: a recording is needed, this file holds none")
        return stored
    if reader is None:
        raise FormatError(f"{file}: no recording; ours, NWB and SONATA spikes are read")
    return recording_of(reader.read(file), file, trial_s=trial_s, dt_ms=dt_ms)


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
        SpecError: the format is unknown.
        OutputError: the file exists, or cannot be written.
        BackendError: a package is missing.
    """
    file = Path(path)
    name = to or ("nwb" if file.suffix.lower() == nwb.SUFFIX else "")
    if name not in NAMES:
        told = f"unknown format {name!r} of a recording" if name else f"{file}: of which format?"
        raise SpecError(f"{told}; known are {', '.join(NAMES)}")
    check_writable(file, overwrite=force)
    write_bytes(file, (nwb if name == "nwb" else sonata).encode(recording))
    lost = [] if recording.voltages_mv is None else ["voltages are not kept in this format"]
    if name == "sonata" and recording.readouts:
        lost.append("readouts are not kept in this format")
    return tuple(lost)
