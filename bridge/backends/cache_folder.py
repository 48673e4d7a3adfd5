"""Where compiled programs are kept: the user's cache folder, or one of this process alone.

Programs are started and libraries loaded from it. So, as ssh does with its keys, a folder that
belongs to someone else or that others can write is left alone.
"""

import atexit
import errno
import os
import shutil
import stat
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path

from bridge.errors import BackendError

ENVIRONMENT = "SPIKEBRIDGE_CACHE"
_INSTEAD: dict[Path | None, Path] = {}
"""Folders found unusable by this process, and what it uses instead."""


def home(kind: str) -> Path:
    """The folder of one kind of compiled things: in the cache, where that can be used.

    Where it cannot, in a temporary folder of this process, and one warning says why.

    Raises:
        BackendError: not even a temporary folder can be made.
    """
    wanted = wanted_root()
    if wanted not in _INSTEAD:
        reason = _unusable(wanted) or _unusable(wanted and wanted / kind)
        if reason:
            _replace(wanted, reason)
    return _INSTEAD.get(wanted, wanted or Path()) / kind


def wanted_root() -> Path | None:
    """Where everything would be kept; None where this user has no home folder."""
    if chosen := os.environ.get(ENVIRONMENT):
        return _expanded(chosen)
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "~")
    elif sys.platform == "darwin":
        home = "~/Library/Caches"
    else:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    expanded = _expanded(home)
    return None if expanded is None else expanded / "spikebridge"


def _expanded(name: str) -> Path | None:
    try:
        return Path(name).expanduser().absolute()
    except RuntimeError:
        return None


def do_without(error: OSError) -> None:
    """Use a temporary folder from now on, since the cache folder refused.

    Raises:
        BackendError: the temporary folder is what refused, or none can be made.
    """
    wanted, reason = wanted_root(), error.strerror or str(error)
    if wanted in _INSTEAD:
        folder = _INSTEAD[wanted]
        raise BackendError(
            f"{folder}: compiled programs cannot be kept there ({reason}); set {ENVIRONMENT} or "
            "TMPDIR to a folder that can hold them"
        )
    _replace(wanted, f"{wanted}: {reason}")


def _replace(wanted: Path | None, reason: str) -> None:
    try:
        folder = Path(tempfile.mkdtemp(prefix="spikebridge-cache-"))
    except OSError as error:
        raise BackendError(
            f"{reason}, and no temporary folder can be made instead ({error.strerror or error}); "
            f"set {ENVIRONMENT} or TMPDIR to a folder that can be written"
        ) from None
    atexit.register(_remove, folder, os.getpid())
    _INSTEAD[wanted] = folder
    warnings.warn(
        f"the cache of compiled programs cannot be used ({reason}): what is compiled now is not "
        f"kept; set {ENVIRONMENT} to a folder that only you can write",
        UserWarning,
        stacklevel=2,
    )


def _remove(folder: Path, owner: int) -> None:
    # A process forked from this one must not take it away at its own end.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _unusable(folder: Path | None) -> str | None:
    """Why a folder cannot be the cache, made if it is not there; None where it can."""
    if folder is None:
        return "this user has no home folder"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    reason = distrust(folder) or _starts_nothing(folder)
    return f"{folder}: {reason}" if reason else None


@cache
def _starts_nothing(folder: Path) -> str | None:
    """Why no program can be started from a folder; None where one can, or none can be put there."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe-") as probe:
            Path(probe.name).chmod(0o700)
            # On Linux this knows of file systems that are mounted without the right.
            return None if os.access(probe.name, os.X_OK) else "programs cannot be started from it"
    except OSError:
        return None


def distrust(path: Path) -> str | None:
    """Why what lies there may have been put there by someone else; None where it cannot."""
    if sys.platform == "win32":
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    if found.st_uid not in (os.geteuid(), 0):
        return "belongs to another user"
    if stat.S_IMODE(found.st_mode) & 0o022:
        return "can be written by others, which chmod go-w ends"
    return None


def check_room(folder: Path) -> None:
    """Raise OSError where a folder's disk is as good as full: why a compiler failed in it."""
    if shutil.disk_usage(folder).free < _LEAST_ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


_LEAST_ROOM = 4 * 2**20
