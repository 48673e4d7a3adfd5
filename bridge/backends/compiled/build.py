"""The program of a form: compiled once, kept on disk for every later run."""

import ctypes
from typing import Any

from bridge.backends import compiler, native_library
from bridge.backends.compiled.sheet import Sheet
from bridge.errors import BackendError

# None reorders or fuses what is computed, and no vector is wider than the processor's own. The two
# that lift bans change no result, since nobody looks at errno or at floating point traps.
FLAGS = ["-O3", "-march=native", "-mprefer-vector-width=512", "-std=c++17", "-ffp-contract=off"]
FLAGS += ["-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared", "-w"]


def key(sheet: Sheet) -> list[Any]:
    """What decides a program: its text, how it is compiled, and for which processor."""
    return native_library.key("\n".join(sheet.lines), FLAGS)


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
    text = "\n".join(sheet.lines)
    return native_library.library("compiled", text, FLAGS, _declare, "the loop")


def _declare(loaded: ctypes.CDLL) -> None:
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
