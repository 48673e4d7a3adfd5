"""`spikebridge info`, `demo` and `benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli.app import FromMs, Seed, TaskFile, app, example, was_given


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
    from bridge.describe import describe, scale_table

    stored = bridge.load(file)
    title, rows = describe(stored, from_ms)
    terminal.show_table(f"{file}: {title}", rows)
    if isinstance(stored, bridge.Conversion):
        terminal.say("")
        terminal.show_columns(*scale_table(stored.search))


@app.command(epilog=example("spikebridge demo --out results"))
def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results"),
    units: Annotated[int, typer.Option(help="Number of units.")] = 200,
    max_updates: Annotated[int, typer.Option(help="Give up training after.")] = 2000,
    search_trials: Annotated[int, typer.Option(help="Trials at each scale factor.")] = 100,
    trials: Annotated[int, typer.Option(help="Trials of the cross-check.")] = 20,
    seed: Seed = 0,
) -> None:
    """Train, convert, run Brian2 and snnTorch, and prove that they agree: Go-NoGo, end to end.

    What an earlier run has finished is kept. Exit status: 1 where the simulators differ, or the
    conversion failed.
    """
    from bridge.demo import demo as run_all

    asked = {name for name in context.params if was_given(context, name)}
    found = run_all(out, units, max_updates, search_trials, trials, seed=seed, asked=asked)
    if not found.agreed or found.conversion_failed:
        raise typer.Exit(1)


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
        typer.Option(help="cpu, or cuda beside it.", show_default="cuda where torch sees one"),
    ] = None,
) -> None:
    """Measure speed, memory and the floor of this machine, side by side.

    What an earlier run has measured is kept.
    """
    from bridge.benchmark.report import HEADERS, lines
    from bridge.benchmark.run import benchmark as measure

    with terminal.progress_bar("measuring") as report:
        rows = measure(
            out,
            quick=quick,
            only=only.split(","),
            repeats=repeats,
            device=device,
            on_progress=report,
        )
    terminal.show_columns(HEADERS, lines(rows))
    terminal.say(f"{out}: benchmark.csv, benchmark.png and machine.json, {len(rows)} cases")
