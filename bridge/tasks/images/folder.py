"""Where files of pictures lie: in a folder that the user names."""

import os
from collections.abc import Sequence
from pathlib import Path

from bridge.errors import FormatError

VARIABLE = "SPIKEBRIDGE_DATA"
_SHOWN = 4


def folder_of(family: str) -> Path:
    """The folder of a set of pictures, below the one that the user names.

    Raises:
        FormatError: none is named, or it has no such folder.
    """
    named = os.environ.get(VARIABLE, "")
    if not named:
        raise FormatError(
            f"task {family}: its pictures are read from files; give the folder that holds "
            f"{family}/ by --data or by the variable {VARIABLE}"
        )
    folder = Path(named) / family
    if not folder.is_dir():
        raise FormatError(f"task {family}: there is no folder {folder} with its files")
    return folder


def missing(folder: Path, names: Sequence[str]) -> FormatError:
    """What is to be in a folder, and is not."""
    more = "" if len(names) <= _SHOWN else f" and {len(names) - _SHOWN} more"
    return FormatError(f"{folder}: expected the files {'; '.join(names[:_SHOWN])}{more}")
