"""`spikebridge demo`."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.app import Seed, app, example, was_given


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
    from bridge.spiking.arrays import counted

    asked = {name for name in context.params if was_given(context, name)}
    # Before the work: they are used in its last parts.
    counted("search_trials", search_trials, least=1)
    counted("trials", trials, least=1)
    found = run_all(out, units, max_updates, search_trials, trials, seed=seed, asked=asked)
    if not found.agreed or found.conversion_failed:
        raise typer.Exit(1)
