"""`spikebridge run` and `spikebridge compare`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli.app import Force, NetworkFile, Seed, app, example
from bridge.stages import check_writable, compare_to, load_spiking


@app.command(
    epilog=example(
        "spikebridge run results/lif.h5 --backend brian2 --trials 20 --out results/brian2.h5",
        "spikebridge run results/lif.h5 --backend brian2 --target standalone "
        "--out results/brian2.h5",
        "spikebridge run results/lif.h5 --backend snntorch --dtype float32 "
        "--out results/snntorch.h5",
    )
)
def run(
    network: NetworkFile,
    out: Annotated[Path, typer.Option(help="Where the recording goes.", show_default=False)],
    backend: Annotated[str, typer.Option(help="reference, brian2 or snntorch.")] = "snntorch",
    trials: Annotated[int, typer.Option(help="Trials of the network's task.")] = 20,
    seed: Seed = 0,
    target: Annotated[
        str | None,
        typer.Option(help="brian2: numpy, cython or standalone.", show_default="standalone"),
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="snntorch: float64 or float32.", show_default="float64")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="snntorch: cpu, cuda or cuda:N.", show_default="cpu")
    ] = None,
    force: Force = False,
) -> None:
    """Simulate trials of a network's task on one backend; the same seed gives the same spikes."""
    from bridge.compare.agreement import accuracy, task_drive
    from bridge.describe import describe

    stored = load_spiking(network)
    spiking = stored.network if isinstance(stored, bridge.Conversion) else stored
    check_writable(out, force=force)
    made, drive = task_drive(spiking, trials, seed)
    given = {"target": target, "dtype": dtype, "device": device}
    with terminal.progress_bar(f"running {backend}") as report:
        recording = bridge.simulate(
            spiking,
            drive,
            backend=backend,
            on_progress=lambda f: report(f, ""),
            **{name: value for name, value in given.items() if value is not None},
        )
    bridge.save(recording, out, force=True)
    terminal.show_table(*describe(recording))
    right = accuracy(spiking, made, recording)
    terminal.say(f"{out}: recording of {trials} trials, {right:.0%} right")


@app.command(
    epilog=example(
        "spikebridge compare results/lif.h5 --backends brian2,snntorch "
        "--out results/agreement.html",
        "spikebridge compare results/lif.h5 --out results/all.html "
        "--backends reference,brian2:numpy,brian2:cython,brian2:standalone,snntorch",
    )
)
def compare(
    network: NetworkFile,
    out: Annotated[Path, typer.Option(help="Where the HTML report goes.", show_default=False)],
    backends: Annotated[
        str, typer.Option(help="With commas; a target or device may follow, as brian2:numpy.")
    ] = "brian2,snntorch",
    trials: Annotated[int, typer.Option(help="Trials of the network's task.")] = 20,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Run a network on several backends and report whether they fire the same spikes.

    Exit status: 0 they agree, 1 they do not, 2 could not be compared.
    """
    from bridge.compare.report import check_report_writable

    stored = load_spiking(network)
    check_report_writable(out, force=force)
    agreement = compare_to(stored, out, backends.split(","), trials, seed)
    if not agreement.agreed:
        raise typer.Exit(1)
