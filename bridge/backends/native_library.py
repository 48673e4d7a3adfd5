"""C++ of ours as a library that is loaded: compiled once, kept on disk for every later run."""

import ctypes
import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bridge.backends import cache, cache_folder, compiler
from bridge.backends.processes import children
from bridge.errors import BackendError

_LIBRARY, _SUM = "run.so", "sha256"
Functions = Callable[[ctypes.CDLL], None]


def key(text: str, flags: list[str]) -> list[Any]:
    """What decides a library: its text, how it is compiled, and for which processor."""
    return [text, compiler.understood(flags), compiler.compiler_identity()]


def library(kind: str, text: str, flags: list[str], declare: Functions, what: str) -> ctypes.CDLL:
    """The library of a text, compiled first where it is not kept.

    Args:
        kind: What is kept; a folder of the cache.
        text: The program.
        flags: How it is compiled.
        declare: Says of a library that was loaded what its functions take.
        what: Is made, for whoever shows the progress.

    Raises:
        BackendError: the compiler fails, or the library cannot be loaded.
    """
    make, read = partial(_compile, text, flags, what), partial(_load, declare)
    return cache.fetch(kind, key(text, flags), make, read, what)


def _compile(text: str, flags: list[str], what: str, folder: Path) -> None:
    source = folder.parent / "run.cpp"
    source.write_text(f"{text}\n")
    folder.mkdir()
    command = ["g++", *compiler.understood(flags), source.name, "-o", f"{folder.name}/{_LIBRARY}"]
    with children() as family:
        changes = compiler.PLAIN_ENVIRONMENT
        status, printed = compiler.run_tool(family, command, folder.parent, changes)
    if status:
        reason = compiler.why_failed(status, printed)
        raise BackendError(f"g++ could not compile {what}: {reason}")
    (folder / _SUM).write_text(_digest(folder / _LIBRARY))


def _load(declare: Functions, entry: Path) -> ctypes.CDLL | None:
    """A library whose file is whole."""
    try:
        if (entry / _SUM).read_text() != _digest(entry / _LIBRARY):
            return None
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    try:
        loaded = ctypes.CDLL(str(entry / _LIBRARY))
    except OSError as error:
        # It is whole, so that compiling it again would change nothing.
        raise BackendError(
            f"what was compiled cannot be loaded from {entry} ({error}); programs must be allowed "
            f"to run from there, or {cache_folder.ENVIRONMENT} names another folder"
        ) from error
    declare(loaded)
    return loaded


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
