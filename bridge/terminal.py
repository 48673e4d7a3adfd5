"""What the command shows while it works: progress bars, tables, one-line errors."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from bridge.activity import heard_by
from bridge.errors import BridgeError, OutputError


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
        self.fills = True

    def __call__(self, fraction: float, note: str = "") -> None:
        """Show the fraction done and a note."""
        self._progress.update(self._task, completed=fraction, note=note)

    def busy(self, what: str) -> None:
        """Show what is being done before any of it is."""
        self._progress.update(self._task, note=what)

    def end(self) -> None:
        """Fill the bar, unless the work was broken off."""
        if self.fills:
            self._progress.update(self._task, completed=1.0)


@contextmanager
def progress_bar(what: str, *, slow: bool = False) -> Iterator[Bar]:
    """A bar with the time left; what it gives takes the fraction done and a note.

    Args:
        what: Is being done.
        slow: Minutes may pass between two reports; the time left is estimated from all of them.
    """
    period_s = _SLOW_S if slow else _QUICK_S
    with _Shown(*_columns(), console=errors, speed_estimate_period=period_s) as progress:
        bar = Bar(progress, what)
        with _failures_said(progress), heard_by(bar.busy):
            yield bar
        bar.end()


_QUICK_S, _SLOW_S = 30.0, 1e6


def _columns() -> tuple[ProgressColumn, ...]:
    """What one bar shows."""
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )


class PassingBar:
    """The bar of a call from Python: it comes late, and goes with the end of the call."""

    def __init__(self, what: str, *, already_s: float) -> None:
        """Show a bar of what is being done, and has been for a while."""
        self._progress = Progress(
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


@contextmanager
def progress_bars() -> Iterator[Callable[[str, float], None]]:
    """One bar for each thing that is named, in the order they come."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    tasks: dict[str, TaskID] = {}
    with _Shown(*columns, console=errors) as progress:

        def report(what: str, fraction: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0, note="")
            progress.update(tasks[what], completed=fraction)

        def busy(what: str) -> None:
            for task in list(tasks.values())[-1:]:
                progress.update(task, note=what)

        with _failures_said(progress), heard_by(busy):
            yield report
        for task in tasks.values():
            progress.update(task, completed=1.0)


class _Shown(Progress):
    """Bars that wait until work is known to have begun: what is refused before leaves none."""

    refused = False

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
        if any(task.completed for task in self.tasks):
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


def show_table(title: str, rows: Mapping[str, object]) -> None:
    """Names and values, a row each."""
    table = Table(
        title=Text(title), title_justify="left", show_header=False, box=None, pad_edge=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(Text(name), Text(str(value)))
    console.print(table)


def show_columns(headers: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """A table with a header, numbers to the right.

    Where the terminal is narrower, it is for the terminal to break the lines: numbers that are cut
    in two, or away, cannot be read.
    """
    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    widest = Measurement.get(console, console.options.update(max_width=_WIDEST), table).maximum
    console.print(table, width=max(console.width, widest), crop=False)


_WIDEST = 1000


def say(text: str) -> None:
    """A line on standard output."""
    console.print(text, markup=False)


def warn(text: str) -> None:
    """What a user should know, in one line on standard error."""
    _tell(f"note: {' '.join(text.split())}", "yellow")


def complain(text: str) -> None:
    """An error in one line on standard error."""
    _tell(f"spikebridge: {' '.join(text.split())}", "bold red")


def _tell(line: str, style: str) -> None:
    # Standard error on a full disk is no reason to end otherwise.
    with suppress(OSError):
        errors.print(line, markup=False, style=style)
