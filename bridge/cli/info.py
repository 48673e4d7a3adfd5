"""`spikebridge info`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli.app import FromMs, TaskFile, app, example
from bridge.errors import SpecError


@app.command(
    epilog=example(
        "spikebridge info results/lif.h5",
        "spikebridge info results/lif.h5 --all",
        "spikebridge info results/brian2.h5 --from-ms 100",
        "spikebridge info --machine",
    )
)
def info(
    file: Annotated[
        Path | None, typer.Argument(help="Any file that spikebridge wrote.", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything, with all that is known of its making.")
    ] = False,
    machine: Annotated[
        bool,
        typer.Option("--machine", help="This machine instead: its devices, and what runs on them."),
    ] = False,
    from_ms: FromMs = None,
    task_file: TaskFile = None,
) -> None:
    """Say what a file holds and how it was made: the essentials, or with --all everything."""
    if machine or file is None:
        if file is not None or not machine:
            raise SpecError("info takes a file, or --machine in its place")
        if everything or from_ms is not None or task_file is not None:
            raise SpecError("info --machine takes no other option: those are about files")
        _show_machine()
        return
    from bridge.describe import describe
    from bridge.search_tables import search_table
    from bridge.sections import essential, sections

    with terminal.waiting("reading and describing it"):
        stored = bridge.load(file)
        title, rows = describe(stored, from_ms)
    shown = essential(rows)
    terminal.say(f"{file}: {title}", style="italic")
    for name, part in (sections(rows) if everything else {"": shown}).items():
        if name:
            terminal.say("")
        terminal.show_table(name, part)
    if isinstance(stored, bridge.Conversion):
        terminal.say("")
        table = search_table(stored.search)
        terminal.show_columns(table, everything=everything, further="--all shows them")
    if not everything and len(shown) < len(rows):
        terminal.say(f"{len(rows) - len(shown)} further rows: --all shows them")


def _show_machine() -> None:
    """What this machine is, and where each backend runs on it."""
    with terminal.waiting("looking at this machine"):
        from bridge.backends.here import backends_here, devices_here
        from bridge.benchmark.machine import describe

        found = describe()
        memory = f"{found['memory_gb']:g} GB"
        rows = {"CPU": f"{found['cpu']}, {found['cores']} in use, {memory}"}
        rows |= devices_here()
        rows |= {"compiler": found["compiler"] or "none: g++ is not found"}
        rows |= {"system": f"{found['os']}, Python {found['python']}"}
    terminal.show_table("this machine", rows)
    terminal.say("")
    terminal.show_table("where backends run", backends_here())
