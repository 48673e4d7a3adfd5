"""`spikebridge benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from bridge import terminal
from bridge.cli.app import All, app, example
from bridge.cli.words import between_commas


@app.command(
    epilog=example(
        "spikebridge benchmark --quick",
        "spikebridge benchmark --out results/benchmark --only backends,floor --repeats 5",
    )
)
def benchmark(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results/benchmark"),
    quick: Annotated[bool, typer.Option("--quick", help="Few cases, and short: minutes.")] = False,
    only: Annotated[
        str, typer.Option(help="Parts, with commas.")
    ] = "floor,backends,training,search,large",
    repeats: Annotated[int, typer.Option(help="Timed runs of each case; the median counts.")] = 3,
    device: Annotated[
        str | None,
        typer.Option(
            help="cpu; cuda adds the GPU to it.", show_default="cuda where torch sees one"
        ),
    ] = None,
    everything: All = False,
) -> None:
    """Measure speed, memory and the floor of this machine, side by side.

    What an earlier run has measured is kept.
    """
    from bridge.benchmark.screen import table_of
    from bridge.benchmark.whole_benchmark import benchmark as measure

    with terminal.progress_bar("measuring") as report:
        rows = measure(
            out,
            quick=quick,
            only=between_commas("--only", only),
            repeats=repeats,
            device=device,
            on_progress=report,
        )
    terminal.show_columns(table_of(rows), everything=everything, further="--all shows them")
    terminal.say(f"{out}: benchmark.csv, benchmark.png and machine.json, {len(rows)} cases")
