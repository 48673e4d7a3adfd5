"""`spikebridge info`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli.app import FromMs, TaskFile, app, example


@app.command(
    epilog=example(
        "spikebridge info results/lif.h5",
        "spikebridge info results/lif.h5 --all",
        "spikebridge info results/brian2.h5 --from-ms 100",
    )
)
def info(
    file: Annotated[
        Path, typer.Argument(help="Any file that spikebridge wrote.", show_default=False)
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Everything, with all that is known of its making.")
    ] = False,
    from_ms: FromMs = None,
    task_file: TaskFile = None,
) -> None:
    """Say what a file holds and how it was made: the essentials, or with --all everything."""
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
