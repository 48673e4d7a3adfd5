"""What the command shows while it works: progress bars, tables, one-line errors."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(what: str, *, slow: bool = False) -> Iterator[Callable[[float, str], None]]:
    """A bar with the time left; the function it gives takes the fraction done and a note.

    Args:
        what: Is being done.
        slow: Minutes may pass between two reports; the time left is estimated from all of them.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(
        *columns, console=errors, speed_estimate_period=_SLOW_S if slow else _QUICK_S
    ) as progress:
        task = progress.add_task(what, total=1.0, note="")

        def report(fraction: float, note: str = "") -> None:
            progress.update(task, completed=fraction, note=note)

        with _interrupts_said():
            yield report


_QUICK_S, _SLOW_S = 30.0, 1e6


@contextmanager
def progress_bars() -> Iterator[Callable[[str, float], None]]:
    """One bar for each thing that is named, in the order they come."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=errors) as progress:

        def report(what: str, fraction: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=fraction)

        with _interrupts_said():
            yield report


@contextmanager
def _interrupts_said() -> Iterator[None]:
    try:
        yield
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
    """A table with a header, numbers to the right."""
    table = Table(box=None, pad_edge=False)
    for header in headers:
        table.add_column(header, justify="right")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console.print(table)


def say(text: str) -> None:
    """A line on standard output."""
    console.print(text, markup=False)


def warn(text: str) -> None:
    """What a user should know, in one line on standard error."""
    errors.print(f"note: {' '.join(text.split())}", markup=False, style="yellow")


def complain(text: str) -> None:
    """An error in one line on standard error."""
    errors.print(f"spikebridge: {' '.join(text.split())}", markup=False, style="bold red")
