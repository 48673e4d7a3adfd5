"""What the command shows while it works: progress bars, tables, one-line errors."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bridge.activity import heard_by
from bridge.errors import BridgeError, OutputError
from bridge.tables import Table, pairs, wrapped


class _Output(Console):
    """Standard output: results are lost where it breaks, and that is an error."""

    def on_broken_pipe(self) -> None:
        """Whoever read has gone, as `head` does."""
        self.quiet = True
        drop_output()
        raise OutputError("whoever read the output has closed it before all was said")


class _Errors(Console):
    """Standard error: where nobody reads it, there is nobody to inform."""

    def on_broken_pipe(self) -> None:
        """Go on in silence."""
        self.quiet = True


def drop_output() -> None:
    """Let what standard output still holds go nowhere, or Python complains of it at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


console = _Output(highlight=False, soft_wrap=True)
errors = _Errors(stderr=True, highlight=False, soft_wrap=True)


class Bar:
    """Takes what is done of one thing; the end of the work fills the bar, however it came."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=1.0, note="")
        self._note = ""
        self._in_parts = False
        self.fills = True

    def __call__(self, fraction: float, note: str = "") -> None:
        """Show the fraction done and a note."""
        self._note = note
        self._progress.update(self._task, completed=fraction, note=note)

    def of_part(self, part: str, fraction: float) -> None:
        """Show the part that is being done, and the fraction done of everything."""
        self._in_parts = True
        self(fraction, part)

    def busy(self, what: str) -> None:
        """Show what is being done before any of it is, next to the note."""
        note = ", ".join(filter(None, (self._note, what)))
        self._progress.update(self._task, note=note)

    def end(self) -> None:
        """Fill the bar, unless the work was broken off; no part is being done any more."""
        if self.fills:
            note = "" if self._in_parts else self._note
            self._progress.update(self._task, completed=1.0, note=note)


@contextmanager
def progress_bar(what: str, *, slow: bool = False, patient: bool = False) -> Iterator[Bar]:
    """A bar with the time left; what it gives takes the fraction done and a note.

    Args:
        what: Is being done.
        slow: Minutes may pass between two reports; the time left is estimated from all of them.
        patient: What is done within a second shows nothing, not even that it is done.
    """
    period_s = _SLOW_S if slow else _QUICK_S
    with _Shown(*_columns(), console=errors, speed_estimate_period=period_s) as progress:
        progress.patient = patient
        bar = Bar(progress, what)
        with _failures_said(progress), heard_by(bar.busy):
            yield bar
        bar.end()


_QUICK_S, _SLOW_S = 30.0, 1e6


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something is being done, while it is, where nobody knows how far it is.

    What takes less than a second shows nothing.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(24), TimeElapsedColumn())
    with _Shown(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(what, total=None, note="")
        with heard_by(lambda busy: progress.update(task, note=busy)):
            yield


def _columns() -> tuple[ProgressColumn, ...]:
    """What one bar shows; with the longest name it is just below 80 columns wide."""
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )


class _Bars(Progress):
    """Bars, each with its note on a line below, where there is room for it."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """A bar and its note for each thing."""
        for task in self.tasks:
            yield self.make_tasks_table([task])
            if task.fields["note"]:
                yield Text(f"  {task.fields['note']}", no_wrap=True, overflow="ellipsis")


class PassingBar:
    """The bar of a call from Python: it comes late, and goes with the end of the call."""

    def __init__(self, what: str, *, already_s: float) -> None:
        """Show a bar of what is being done, and has been for a while."""
        self._progress = _Bars(
            *_columns(), console=errors, transient=True, speed_estimate_period=_SLOW_S
        )
        self._task = self._progress.add_task(what, total=1.0, note="")
        self._progress.tasks[0].start_time = self._progress.get_time() - already_s
        self._progress.start()

    def show(self, fraction: float, note: str) -> None:
        """The fraction done, and what is being done."""
        self._progress.update(self._task, completed=fraction, note=note)

    def end(self) -> None:
        """Leave nothing behind."""
        self._progress.stop()


class _Shown(_Bars):
    """Bars that wait until work is known to have begun: what is refused before leaves none."""

    refused = patient = False

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, or nothing."""
        if self._is_shown():
            yield from super().get_renderables()

    def stop(self) -> None:
        """Leave the bars as they are, or nothing at all."""
        if self._is_shown():
            super().stop()
        else:
            self.live.transient = True
            self.live.stop()

    def _is_shown(self) -> bool:
        if not self.patient and any(task.completed for task in self.tasks):
            return True
        return not self.refused and any((task.elapsed or 0.0) > _WAIT_S for task in self.tasks)


# Arguments are checked in less.
_WAIT_S = 1.0


@contextmanager
def _failures_said(progress: _Shown) -> Iterator[None]:
    try:
        yield
    except BridgeError:
        progress.refused = True
        raise
    except KeyboardInterrupt:
        complain("interrupted; what was finished before is kept")
        raise


def width() -> int | None:
    """Of the screen; None where standard output is a pipe or a file, whose lines may be long."""
    return console.width if console.is_terminal else None


def show_table(title: str, rows: Mapping[str, object]) -> None:
    """Names and values, a row each."""
    if title:
        say(title, style="italic")
    for line in pairs(rows, width()):
        _print(line)


def show_columns(table: Table, *, everything: bool = False, further: str = "") -> None:
    """A table with a header.

    Args:
        table: Is laid out for the screen that there is.
        everything: No column is left out.
        further: What shows the columns that are left out.
    """
    laid = table.lines(width(), everything=everything)
    for line in laid.header:
        _print(line, "bold")
    for line in laid.body:
        _print(line)
    if laid.left_out:
        say(f"not shown: {', '.join(laid.left_out)}{further and f'; {further}'}")


def _print(line: str, style: str = "") -> None:
    console.print(Text(line), style=style or None, soft_wrap=True)


def say(text: str, *, style: str = "") -> None:
    """A line on standard output; on a screen it is broken between words."""
    for line in _broken(text, console):
        _print(line, style)


def _broken(text: str, where: Console) -> Iterable[str]:
    return wrapped(text, where.width) if where.is_terminal else (text,)


def warn(text: str) -> None:
    """What a user should know, in one line on standard error."""
    _tell(f"note: {' '.join(text.split())}", "yellow")


def complain(text: str) -> None:
    """An error in one line on standard error."""
    _tell(f"spikebridge: {' '.join(text.split())}", "bold red")


def _tell(line: str, style: str) -> None:
    # Standard error on a full disk is no reason to end otherwise.
    with suppress(OSError):
        for part in _broken(line, errors):
            errors.print(part, markup=False, style=style)
