"""Brian2's global state: pinned for one run, and given back as it was.

Brian2 belongs to the user as much as to us: their preferences, their device, their random numbers
and networks that go on after ours lie in the same process.
"""

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from bridge.backends import cache_folder, compiler
from bridge.backends.brian2 import toolchain
from bridge.errors import BackendError, first_line
from bridge.versions import version


def _import_brian2() -> None:
    """Import Brian2 without what it does to a process: excepthook, Ctrl-C, warnings into a log.

    Raises:
        BackendError: it cannot be imported; the preferences that it reads by itself are named.
    """
    if "brian2" in sys.modules:
        return
    excepthook, show_warning, set_handler = sys.excepthook, warnings.showwarning, signal.signal
    # Beside the main thread Python refuses a handler, and with it the import.
    signal.signal = lambda number, handler: signal.getsignal(number)  # type: ignore[assignment]
    try:
        import brian2  # noqa: F401
    except (
        ImportError, AttributeError, NameError, SyntaxError, TypeError, ValueError, ArithmeticError,
        LookupError,
    ) as error:  # fmt: skip
        raise BackendError(
            f"Brian2 cannot be imported: {type(error).__name__}: {error}{_preference_files()}"
        ) from error
    finally:
        signal.signal = set_handler
        sys.excepthook = excepthook
        if warnings.showwarning is not show_warning:
            logging.captureWarnings(False)  # noqa: FBT003 - it knows no name


def _preference_files() -> str:
    """The files whose text Brian2 evaluates when it is imported, where there are any."""
    files = [Path("~/.brian/user_preferences").expanduser(), Path("brian_preferences").absolute()]
    found = [str(path) for path in files if path.exists()]
    return f" (it reads its preferences from {' and '.join(found)})" if found else ""


_import_brian2()

import brian2  # noqa: E402
import numpy as np  # noqa: E402
from brian2.core.network import Network  # noqa: E402
from brian2.devices.device import RuntimeDevice, runtime_device  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from setuptools.errors import CCompilerError  # noqa: E402

# Preferences and device are those of the whole process.
_one_at_a_time = threading.RLock()


def _unlock() -> None:
    """A process that is forked while another thread is in a session has a lock of its own."""
    global _one_at_a_time
    _one_at_a_time = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


def has_runtime_device() -> bool:
    """Whether Brian2's objects are made in this process, and not for a program of the user's."""
    return isinstance(brian2.get_device(), RuntimeDevice)


def take_the_runtime_device() -> None:
    """Let Brian2 make its objects in this process, which was forked for that."""
    brian2.set_device("runtime")


@contextmanager
def session(target: str) -> Iterator[None]:
    """Brian2 as every run of a target needs it, and after that as the user had it.

    Raises:
        BackendError: Brian2 failed.
        OSError: the folder of what Cython compiles has no room.
    """
    with _one_at_a_time, _preferences(target), _random_numbers(), _not_running():
        try:
            yield
        except (brian2.BrianObjectException, CCompilerError) as error:
            if target == "cython":
                cache_folder.check_room(Path(brian2.prefs["codegen.runtime.cython.cache_dir"]))
            raise BackendError(
                f"Brian2 ({target}) failed: {first_line(error.__cause__ or error)}"
            ) from error


@contextmanager
def _preferences(target: str) -> Iterator[None]:
    """Every preference that can shape generated code or the order of a step, at its default."""
    prefs = brian2.prefs
    before, unvalidated = dict(prefs.prefs), dict(prefs.prefs_unvalidated)
    try:
        # Of a file for another package, say; a run would refuse them.
        prefs.prefs_unvalidated.clear()
        prefs.prefs.update(_defaults())
        for name, value in _wanted(target).items():
            prefs[name] = value
        with _environment(target):
            yield
    finally:
        prefs.prefs.clear()
        prefs.prefs.update(before)
        prefs.prefs_unvalidated.update(unvalidated)


def _defaults() -> dict[str, object]:
    return {
        f"{base}.{name}": preference.default
        for base, (preferences, _) in brian2.prefs.pref_register.items()
        # What is logged, and where, shapes nothing and is the user's.
        if base != "logging"
        for name, preference in preferences.items()
    }


def _wanted(target: str) -> dict[str, object]:
    wanted: dict[str, object] = {
        "codegen.target": "numpy" if target == "numpy" else "cython",
        # Standalone programs are compiled without it; here Brian2 drops flags it cannot test.
        "codegen.cpp.extra_compile_args": [] if target != "cython" else toolchain.strict_flags(),
        # Otherwise Ctrl-C ends a run early as if it were done.
        "core.stop_on_keyboard_interrupt": False,
    }
    if target == "cython":
        wanted["codegen.runtime.cython.cache_dir"] = str(_cython_cache())
    return wanted


def _cython_cache() -> Path:
    """A folder for what was compiled with these flags by this compiler: Brian2's keys know neither.

    Raises:
        BackendError: there is no room for it anywhere.
    """
    parts = [
        *toolchain.strict_flags(),
        compiler.compiler_identity(),
        *(f"{name} {version(name)}" for name in ("brian2", "Cython", "numpy")),
        sys.version,
        *(os.environ.get(name, "") for name in ("CC", "CXX")),
    ]
    key = sha256("\n".join(parts).encode()).hexdigest()[:40]
    folder = cache_folder.home("cython") / key
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def _environment(target: str) -> Iterator[None]:
    """Without flags of the user's own, which Python's compiler driver would add.

    The compiler's temporary files lie next to what it makes: one folder fewer that can be full.
    """
    if target != "cython":
        yield
        return
    names = (*compiler.PLAIN_ENVIRONMENT, "TMPDIR")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["TMPDIR"] = brian2.prefs["codegen.runtime.cython.cache_dir"]
    try:
        yield
    finally:
        del os.environ["TMPDIR"]
        os.environ.update(before)


@contextmanager
def _random_numbers() -> Iterator[None]:
    """NumPy's global generator as it was, and buffers of random numbers apart from the user's."""
    state = np.random.get_state()
    names = [f"{kind}_buffer{part}" for kind in ("rand", "randn") for part in ("", "_index")]
    users = {name: getattr(runtime_device, name) for name in names}
    for name in names:
        # Compiled code keeps the array: it is ours for good, and so is the memory it points to.
        setattr(runtime_device, name, _BUFFERS.setdefault(name, np.zeros_like(users[name])))
    try:
        yield
    finally:
        for name, array in users.items():
            setattr(runtime_device, name, array)
        np.random.set_state(state)


_BUFFERS: dict[str, NDArray[Any]] = {}


@contextmanager
def _not_running() -> Iterator[None]:
    """After an interrupt Brian2 would go on believing that a network runs."""
    before = Network._globally_running, Network._globally_stopped
    try:
        yield
    finally:
        Network._globally_running, Network._globally_stopped = before
