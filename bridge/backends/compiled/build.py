"""The program of a form: compiled once, kept on disk for every later run."""

import ctypes
import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from bridge.backends import cache, compiler
from bridge.backends.compiled.sheet import Sheet
from bridge.backends.processes import children
from bridge.errors import BackendError

# Neither reorders nor fuses what is computed; the last two change no result, since nobody looks at
# errno or at floating point traps.
FLAGS = ["-O3", "-march=native", "-std=c++17", "-ffp-contract=off", "-fno-math-errno"]
FLAGS += ["-fno-trapping-math", "-fPIC", "-shared", "-w"]
_KIND, _LIBRARY, _SUM = "compiled", "run.so", "sha256"


def key(sheet: Sheet) -> list[Any]:
    """What decides a program: its text, how it is compiled, and for which processor."""
    return ["\n".join(sheet.lines), compiler.understood(FLAGS), compiler.compiler_identity()]


def library(sheet: Sheet) -> ctypes.CDLL:
    """The program of a text, compiled first where it is not kept.

    Raises:
        BackendError: there is no compiler, or it fails.
    """
    if not compiler.can_compile():
        raise BackendError(
            "backend compiled needs a C++ compiler, and g++ is not found; install g++, or run in "
            "snntorch"
        )
    return cache.fetch(_KIND, key(sheet), partial(_compile, sheet), _load, "the loop")


def _compile(sheet: Sheet, folder: Path) -> None:
    source = folder.parent / "run.cpp"
    source.write_text("\n".join([*sheet.lines, ""]))
    folder.mkdir()
    command = ["g++", *compiler.understood(FLAGS), source.name, "-o", f"{folder.name}/{_LIBRARY}"]
    with children() as family:
        changes = compiler.PLAIN_ENVIRONMENT
        status, printed = compiler.run_tool(family, command, folder.parent, changes)
    if status:
        reason = compiler.why_failed(status, printed)
        raise BackendError(f"g++ could not compile the run: {reason}")
    (folder / _SUM).write_text(_digest(folder / _LIBRARY))


def _load(entry: Path) -> ctypes.CDLL | None:
    """A library whose file is whole."""
    try:
        if (entry / _SUM).read_text() != _digest(entry / _LIBRARY):
            return None
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    loaded = ctypes.CDLL(str(entry / _LIBRARY))
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    for name, result, arguments in (
        ("begin", pointer, []),
        ("drop", None, [pointer]),
        ("simulate", integer, [pointer] * 3 + [integer] * 2 + [pointer] * 4),
        ("count", integer, [pointer]),
        ("spikes", None, [pointer] * 3),
        ("failure", None, [pointer] * 2),
    ):
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
