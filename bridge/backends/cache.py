"""What was compiled once, kept on disk for later runs and other processes.

    <root>/<kind>/<key>     an entry: a file or a folder, complete or absent
    <root>/<kind>/.<...>    locks, and what is being made right now

An entry is made under another name and renamed into place: a killed process leaves no half-made
one. Programs are started and libraries loaded from here, so only a folder that nobody else can
write is used (`bridge.backends.cache_folder`). One that cannot be used costs speed and not the run.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from bridge.activity import busy_with
from bridge.backends import cache_folder
from bridge.errors import BackendError

if sys.platform != "win32":
    import fcntl

Found = TypeVar("Found")

_MOST_BYTES = 512 * 2**20
_STALE_S = 24 * 3600.0


def fetch(
    kind: str,
    key_parts: Any,
    make: Callable[[Path], None],
    read: Callable[[Path], Found | None],
    what: str = "what runs it",
) -> Found:
    """What an entry holds, made first where it is not there or is damaged.

    Where the cache cannot be used, or refuses while the entry is made (it is full, read-only, or
    starts no programs), a folder of this process alone takes its place, and one warning says so.

    Args:
        kind: What is kept; a folder name.
        key_parts: Everything that decides the content: plain values, lists and dicts of them.
        make: Makes the entry at a path; OSError where the folder is at fault.
        read: What an entry holds, None where it is not there or damaged; OSError where the folder
            is at fault.
        what: Is made, for whoever shows the progress.

    Raises:
        BackendError: `make` fails, or there is no room for it anywhere.
    """

    def told(path: Path) -> None:
        with busy_with(f"compiling {what}, once for all networks of this form"):
            make(path)

    try:
        return _fetch(entry(kind, key_parts), told, read)
    except OSError as error:
        cache_folder.do_without(error)
    kept = entry(kind, key_parts)
    try:
        return _fetch(kept, told, read)
    except OSError as error:
        raise BackendError(
            f"{kept.parent}: compiled programs cannot be kept there ({error.strerror or error}); "
            f"set {cache_folder.ENVIRONMENT} or TMPDIR to a folder that can hold them"
        ) from None


def _fetch(path: Path, make: Callable[[Path], None], read: Callable[[Path], Found | None]) -> Found:
    found = read(path) if is_ours(path) else None
    if found is None:
        with locked(path):
            # Another process may have made it while this one waited.
            found = read(path) if is_ours(path) else None
            if found is None:
                discard(path)
                with published(path) as made:
                    make(made)
                found = read(path)
    if found is None:
        raise BackendError(f"{path}: what was just compiled cannot be read again")
    mark_used(path)
    return found


def entry(kind: str, key_parts: Any) -> Path:
    """The path of an entry, there or not.

    Args:
        kind: What is kept; a folder name.
        key_parts: Everything that decides the content: plain values, lists and dicts of them.
    """
    text = json.dumps(key_parts, sort_keys=True, allow_nan=False)
    return cache_folder.home(kind) / hashlib.sha256(text.encode()).hexdigest()[:40]


def is_ours(path: Path) -> bool:
    """Whether an entry, with all that is in it, can be written by nobody else."""
    inside = path.rglob("*") if path.is_dir() else ()
    return all(cache_folder.distrust(part) is None for part in (path, *inside))


def mark_used(path: Path) -> None:
    """Note that an entry was used: those unused for longest are dropped first."""
    with suppress(OSError):
        os.utime(path)


def discard(path: Path) -> None:
    """Remove an entry that turned out to be damaged; nothing happens if it is gone."""
    with suppress(FileNotFoundError):
        aside = Path(tempfile.mkdtemp(prefix=".gone-", dir=path.parent))
        try:
            # A folder that is being emptied must not be found under its key.
            path.rename(aside / path.name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of an entry, so that two processes do not make it both.

    The lock ends with the process that holds it, however that ends.

    Raises:
        OSError: the cache folder cannot be written.
    """
    # Programs are started from here: nobody else may write it.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield  # Both make it then, and the second to finish takes what the first left.
        return
    with (path.parent / f".lock-{path.name}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """A path next to `path` to make the entry at, as a file or as a folder.

    It is renamed to `path` when the block ends well, and removed when it does not. If the entry
    has appeared meanwhile it stays, and the new one is dropped. Old entries beyond what a kind
    may hold are dropped, least recently used first.

    Raises:
        OSError: the cache folder cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        made = scratch / path.name
        yield made
        close_to_others(made)
        try:
            made.rename(path)
        except OSError:
            if not path.exists():
                raise
        mark_used(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    prune(path.parent, keep=path)


def close_to_others(made: Path) -> None:
    """Take away the right to write that a lenient umask gives to others."""
    for part in (made, *(made.rglob("*") if made.is_dir() else ())):
        part.chmod(part.stat().st_mode & ~0o022)


def prune(home: Path, keep: Path, most_bytes: int = _MOST_BYTES) -> None:
    """Drop the least recently used entries of a kind beyond `most_bytes`, never `keep`.

    Leavings of killed processes go too, after a day.
    """
    now, total = time.time(), 0
    for used, path in sorted(_last_uses(home), reverse=True):
        if path.name.startswith("."):
            if now - used > _STALE_S:
                _remove(path)
            continue
        total += _size(path)
        if total > most_bytes and path != keep:
            _remove(path)


def _last_uses(home: Path) -> Iterator[tuple[float, Path]]:
    for path in home.iterdir():
        with suppress(FileNotFoundError):
            yield path.stat().st_mtime, path


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in files:
        with suppress(FileNotFoundError):
            total += file.lstat().st_size
    return total


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
