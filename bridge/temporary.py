"""Folders for the files of one piece of work, gone with it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import BridgeError, OutputError

_LEAST_ROOM = 2**20


@contextmanager
def temporary_folder(what: str) -> Iterator[Path]:
    """A new folder in the system's temporary one; `what` it is for is part of its name.

    Raises:
        OutputError: it cannot be made, or has no room for what the work puts there: says where it
            is and what moves it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"spikebridge-{what}-"))
    except OSError as error:
        place = os.environ.get("TMPDIR", "the system's temporary folder")
        raise _no_room(place, error.strerror or str(error)) from None
    try:
        yield folder
    except OSError as error:
        # Ours are sentences already; another file's trouble is not this folder's.
        if isinstance(error, BridgeError) or not _is_at(error, folder):
            raise
        raise _no_room(folder, _reason(error, folder)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_at(error: OSError, folder: Path) -> bool:
    return error.filename is None or str(error.filename).startswith(str(folder))


def _reason(error: OSError, folder: Path) -> str:
    # What NumPy says of a disk that is full counts numbers, and names no reason.
    if error.strerror is None and shutil.disk_usage(folder).free < _LEAST_ROOM:
        return "No space left on device"
    return error.strerror or str(error)


def _no_room(folder: Path | str, reason: str) -> OutputError:
    return OutputError(
        f"{folder}: temporary files cannot be written there ({reason}); make room, or set TMPDIR "
        "to another folder"
    )
