"""`spikebridge study`."""

from pathlib import Path
from typing import Annotated

import typer

from bridge import terminal
from bridge.cli import completion
from bridge.cli.app import All, app, example
from bridge.cli.words import between_commas
from bridge.errors import SpecError
from bridge.spiking.essentials import several


@app.command(
    epilog=example(
        "spikebridge study 2C --networks 3 --out results/studies",
        "spikebridge study 7 --networks 100 --cells sigmoid --out results/studies",
        "spikebridge study 7 --networks 100 --cells sigmoid --device cuda --out results/studies",
        "spikebridge study 7 --scheme original --networks 10 --out results/studies",
        "spikebridge study 7 --neuron if --cells relu --out results/studies",
        "spikebridge study 6A --out results/studies --scheduler tcp://127.0.0.1:8786",
    )
)
def study(
    name: Annotated[
        str,
        typer.Argument(
            help="1C, 2C, 2E, 4DE, 5, 6A, 6B, 6C, 7, S1, S2, S3, S4, S7, tasks, options, quality "
            "or 7-faithful.",
            show_default=False,
            autocompletion=completion.studies,
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of all studies: they share networks.", show_default=False)
    ],
    networks: Annotated[
        int | None, typer.Option(help="In each cell.", show_default="the study's")
    ] = None,
    cells: Annotated[
        str | None, typer.Option(help="Only these, with commas.", show_default="all")
    ] = None,
    first_seed: Annotated[int, typer.Option(help="Seed of the first network.")] = 0,
    trials: Annotated[int, typer.Option(help="Fresh trials that decide the accuracy.")] = 200,
    search_trials: Annotated[int, typer.Option(help="Trials at each scale factor.")] = 100,
    max_updates: Annotated[
        int | None, typer.Option(help="Training gives up after.", show_default="the study's")
    ] = None,
    scheme: Annotated[
        str,
        typer.Option(
            help="How networks are trained: ours, or original: single trials, no clipping, the "
            "original's start and stopping rule; it has a folder of its own."
        ),
    ] = "ours",
    neuron: Annotated[
        str | None,
        typer.Option(
            help="Of all networks: lif, qif or if, in a folder of its own.",
            show_default="the study's",
        ),
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler.", show_default="this machine")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(help="On this machine.", show_default="one for each CPU, one for a GPU"),
    ] = None,
    device: Annotated[
        str,
        typer.Option(help="Where networks are trained and converted: cpu, cuda or cuda:N."),
    ] = "cpu",
    together: Annotated[
        int | None,
        typer.Option(
            help="Networks of a cell that are trained at once.",
            show_default="1, on a GPU up to 100",
        ),
    ] = None,
    everything: All = False,
) -> None:
    """Run a figure of Kim et al. 2019 again: train, convert and score many networks.

    Each network is a file. What is finished is kept and not done again: a study that was
    stopped goes on where it was.
    """
    from bridge.studies.catalog import find
    from bridge.studies.cell_summaries import paper_lines, table_of
    from bridge.studies.study import Effort
    from bridge.studies.whole_study import run_study

    chosen = find(name, neuron)
    if scheme not in ("ours", "original"):
        raise SpecError(f"--scheme: ours or original, got {scheme!r}")
    effort = Effort(
        trials=trials,
        search_trials=search_trials,
        max_updates=max_updates,
        scheme="original" if scheme == "original" else "ours",
        device=device,
    )
    with terminal.progress_bar(f"study {chosen.name}", slow=True) as report:
        rows = run_study(
            chosen,
            out,
            networks=networks,
            first_seed=first_seed,
            cells=None if cells is None else between_commas("--cells", cells),
            effort=effort,
            scheduler=scheduler,
            processes=processes,
            together=together,
            on_progress=report,
        )
    terminal.show_columns(table_of(chosen, rows), everything=everything, further="--all shows them")
    for line in paper_lines(chosen, rows):
        terminal.say(line)
    home, count = out / effort.folder_of(chosen), several(len(rows), "row")
    terminal.say(f"{home}: table.csv and figure.png of {count}; networks in {out}")
