"""Damaged HDF5 files that crash libhdf5 itself, and with it the process that reads them.

A changed length of a string, for one, makes libhdf5 read beyond its memory: no exception, a
segmentation fault. So what comes from elsewhere is read once in a child first, which may die.
"""

import os
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

from bridge.errors import FormatError

_MOST_S = 120


def check_it_can_be_read(path: Path, read: Callable[[], object]) -> None:
    """Read a file in a child process; errors of Python are left to the reading that counts.

    Args:
        path: The file, for the message.
        read: Reads all of it. It must not change anything outside memory.

    Raises:
        FormatError: reading it ends the process, or does not end. Where processes cannot be forked
            (Windows), or their ends are ignored, nothing is checked.
    """
    if not hasattr(os, "fork"):
        return
    with warnings.catch_warnings():
        # From Python 3.12 on, forking while threads run warns; the child only reads a file.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _read_and_leave(read)
    try:
        _, status = os.waitpid(child, 0)
    except ChildProcessError:
        # The system keeps no end of a child for a parent that ignores SIGCHLD.
        return
    except BaseException:
        # Whatever breaks off the wait, an interrupt for one, is not to leave a child behind.
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) == signal.SIGALRM
        found = "does not end" if late else "crashes the HDF5 library"
        raise FormatError(f"{path}: damaged: reading it {found}")


def _read_and_leave(read: Callable[[], object]) -> None:
    """Read, and end the child without what the parent does at its end."""
    try:
        # A crash is expected here: nothing is written about it, neither a core nor a traceback.
        import resource  # Windows has none.

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for ending in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            signal.signal(ending, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_MOST_S)
        read()
    finally:
        os._exit(0)
