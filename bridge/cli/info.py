"""`spikebridge info`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli.app import FromMs, TaskFile, app, example


@app.command(
    epilog=example(
        "spikebridge info results/lif.h5", "spikebridge info results/brian2.h5 --from-ms 100"
    )
)
def info(
    file: Annotated[
        Path, typer.Argument(help="Any file that spikebridge wrote.", show_default=False)
    ],
    from_ms: FromMs = None,
    task_file: TaskFile = None,
) -> None:
    """Say what a file holds and how it was made."""
    from bridge.describe import describe, search_table

    stored = bridge.load(file)
    title, rows = describe(stored, from_ms)
    terminal.show_table(f"{file}: {title}", rows)
    if isinstance(stored, bridge.Conversion):
        terminal.say("")
        terminal.show_columns(*search_table(stored.search))
