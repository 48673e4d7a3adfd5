"""How far a call of Python is: a bar in a terminal, a line in a notebook, nothing elsewhere.

Only what takes longer than two seconds shows anything, and only the outermost call: what it calls
is part of it.
"""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from bridge.activity import heard_by, is_heard
from bridge.arguments import callback, flag

_WAIT_S = 2.0
# A line is written anew so often, at most.
_PERIOD_S = 0.5

# Held by the outermost call while it runs. A process forked meanwhile shows nothing, either.
_OUTERMOST = threading.Lock()


class Screen(Protocol):
    """Shows how far something is."""

    def show(self, fraction: float, note: str) -> None:
        """The fraction done, and what is being done."""

    def end(self) -> None:
        """Nothing more is to come."""


Place = Callable[[str], Screen]


def _in_one(note: str, busy: str) -> str:
    """A note, and what a run is busy with."""
    return ", ".join(filter(None, (note, busy)))


class Teller:
    """Takes the fraction done and a note, and shows them once the call has taken a while."""

    def __init__(self, what: str, place: Place) -> None:
        self._what, self._place = what, place
        self._screen: Screen | None = None
        self._fraction, self._note, self._busy = 0.0, "", ""
        self._ended = False
        self._lock = threading.RLock()
        # What begins with minutes of compiling reports nothing that could start the bar.
        self._timer = threading.Timer(_WAIT_S, self._begin)
        self._timer.daemon = True

    def __call__(self, fraction: float, note: str = "") -> None:
        """Show the fraction done and a note."""
        with self._lock:
            self._fraction, self._note = fraction, note
            self._show()

    def of_part(self, part: str, fraction: float) -> None:
        """Show the part that is being done, and the fraction done of everything."""
        self(fraction, part)

    def busy(self, what: str) -> None:
        """Show what is being done before any of it is, next to the note."""
        with self._lock:
            self._busy = what
            self._show()

    def _show(self) -> None:
        if self._screen is not None:
            self._screen.show(self._fraction, _in_one(self._note, self._busy))

    def start(self) -> None:
        """Wait until it is worth being shown."""
        self._timer.start()

    def end(self) -> None:
        """Show nothing more, or nothing at all."""
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._screen is not None:
                self._screen.end()

    def _begin(self) -> None:
        with self._lock:
            if not self._ended:
                self._screen = self._place(self._what)
                self._show()


@contextmanager
def telling(what: str, *, wanted: bool) -> Iterator[Teller | None]:
    """What takes the progress of a call; None where nobody is to be shown it.

    Args:
        what: Is being done.
        wanted: Whether this call shows it. If not, what it calls shows nothing either: its caller
            is informed in another way, or wants silence.
    """
    if not _OUTERMOST.acquire(blocking=False):
        yield None
        return
    try:
        place = _place() if wanted else None
        if place is None:
            yield None
            return
        teller = Teller(what, place)
        with heard_by(teller.busy):
            teller.start()
            try:
                yield teller
            finally:
                teller.end()
    finally:
        _OUTERMOST.release()


@contextmanager
def told(
    what: str, on_progress: Callable[[float], None] | None, progress: object
) -> Iterator[Callable[[float], None] | None]:
    """What a call reports to: the caller's function, else what shows it, else None.

    Raises:
        SpecError: `on_progress` is not a function, or `progress` neither True nor False.
    """
    given = callback("on_progress", on_progress)
    with telling(what, wanted=flag("progress", progress) and given is None) as teller:
        yield teller if given is None else given


def counter(total: int, report: Callable[[float], None] | None) -> Callable[[], None]:
    """What is called after each of so many parts, all alike, and reports the fraction done."""
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        if report is not None:
            report(done / total)

    return one_more


def _place() -> Place | None:
    """Where it is shown: a terminal or a notebook; None: nobody looks, or the command has a bar."""
    if is_heard() or multiprocessing.parent_process() is not None:
        return None
    if threading.current_thread() is not threading.main_thread():
        return None
    if _in_notebook():
        return _Line
    if all(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)):
        return _bar
    return None


def _in_notebook() -> bool:
    # Where nobody has imported IPython there is no notebook.
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def _bar(what: str) -> Screen:
    """The command's bar."""
    from bridge.terminal import PassingBar

    return PassingBar(what, already_s=_WAIT_S)


class _Line:
    """A line of plain text, written anew in its place."""

    def __init__(self, what: str) -> None:
        self._what, self._width, self._written_s = what, 0, 0.0
        self._start_s = time.monotonic() - _WAIT_S

    def show(self, fraction: float, note: str) -> None:
        """The line as it is now, unless the last one is too young."""
        if time.monotonic() - self._written_s > _PERIOD_S:
            self._write(f"{fraction:.0%}", note)

    def end(self) -> None:
        """How long it took."""
        self._write("ended", "")
        sys.stdout.write("\n")

    def _write(self, how_far: str, note: str) -> None:
        self._written_s = time.monotonic()
        seconds = f"{self._written_s - self._start_s:.0f} s"
        line = ", ".join(filter(None, (f"{self._what}: {how_far}", seconds, note)))
        # What was longer is written over.
        sys.stdout.write("\r" + line.ljust(self._width))
        sys.stdout.flush()
        self._width = len(line)
