"""Brian2's global state: set for one run, and given back as it was."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Brian2 takes over the interpreter's excepthook when it is imported; the caller's stays.
_excepthook = sys.excepthook
import brian2  # noqa: E402

sys.excepthook = _excepthook

import numpy as np  # noqa: E402
from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir  # noqa: E402

from bridge.backends.toolchain import STRICT_FLAGS  # noqa: E402
from bridge.errors import BackendError  # noqa: E402

# Preferences and device are those of the whole process.
_one_at_a_time = threading.Lock()


@contextmanager
def session(target: str) -> Iterator[None]:
    """Strict compiler flags, and NumPy's global generator as it was, which Brian2 seeds.

    Raises:
        BackendError: Brian2 failed.
    """
    with _one_at_a_time:
        state = np.random.get_state()
        try:
            with _preferences(target):
                yield
        except brian2.BrianObjectException as error:
            raise BackendError(f"Brian2 ({target}) failed: {error.__cause__ or error}") from error
        finally:
            np.random.set_state(state)


@contextmanager
def _preferences(target: str) -> Iterator[None]:
    """The code generation of a target, with a Cython cache of its own (its keys ignore flags)."""
    prefs = brian2.prefs
    wanted = {
        "codegen.target": "numpy" if target == "numpy" else "cython",
        # `make` is given the flags of standalone programs; here Brian2 drops some it cannot test.
        "codegen.cpp.extra_compile_args": [] if target == "standalone" else STRICT_FLAGS,
        "codegen.runtime.cython.cache_dir": str(
            Path(get_cython_cache_dir()) / "spikebridge-strict"
        ),
    }
    before = {name: prefs[name] for name in wanted}
    for name, value in wanted.items():
        prefs[name] = value
    try:
        yield
    finally:
        for name, value in before.items():
            prefs[name] = value
