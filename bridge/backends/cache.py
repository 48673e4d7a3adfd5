"""What was compiled once, kept on disk for later runs and other processes.

    <root>/<kind>/<key>     an entry: a file or a folder, complete or absent
    <root>/<kind>/.<...>    locks, and what is being made right now

An entry is made under another name and renamed into place: a killed process leaves no half-made
one.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bridge.errors import BackendError

if sys.platform != "win32":
    import fcntl

ENVIRONMENT = "SPIKEBRIDGE_CACHE"
_MOST_BYTES = 512 * 2**20
_STALE_S = 24 * 3600.0


def root() -> Path:
    """Where everything is kept: the folder in SPIKEBRIDGE_CACHE, or the user's cache folder."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen).expanduser().absolute()
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "~")
    elif sys.platform == "darwin":
        home = "~/Library/Caches"
    else:
        home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "spikebridge"


def entry(kind: str, key_parts: Any) -> Path:
    """The path of an entry, there or not.

    Args:
        kind: What is kept; a folder name.
        key_parts: Everything that decides the content: plain values, lists and dicts of them.
    """
    text = json.dumps(key_parts, sort_keys=True, allow_nan=False)
    return root() / kind / hashlib.sha256(text.encode()).hexdigest()[:40]


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
        BackendError: the cache folder cannot be written.
    """
    _make_home(path.parent)
    if sys.platform == "win32":
        yield  # Both make it then, and the second to finish takes what the first left.
        return
    with (path.parent / f".lock-{path.name}").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def published(path: Path) -> Iterator[Path]:
    """A path beside `path` to make the entry at, as a file or as a folder.

    It is renamed to `path` when the block ends well, and removed when it does not. If the entry
    has appeared meanwhile it stays, and the new one is dropped. Old entries beyond what a kind
    may hold are dropped, least recently used first.

    Raises:
        BackendError: the cache folder cannot be written.
    """
    _make_home(path.parent)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    try:
        made = scratch / path.name
        yield made
        try:
            made.rename(path)
        except OSError:
            if not path.exists():
                raise
        mark_used(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    prune(path.parent, keep=path)


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


def _make_home(home: Path) -> None:
    try:
        # Programs are started from here: nobody else may write it.
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        usable = os.access(home, os.W_OK)
    except OSError:
        usable = False
    if not usable:
        raise BackendError(
            f"{home}: compiled programs cannot be kept in this folder; "
            f"set {ENVIRONMENT} to a folder that can be written"
        )


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
        path.unlink(missing_ok=True)
