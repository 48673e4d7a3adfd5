"""`spikebridge run`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import bridge
from bridge import terminal
from bridge.cli import completion
from bridge.cli.app import (
    BACKEND,
    Force,
    NetworkFile,
    Seed,
    TaskFile,
    app,
    example,
    was_given,
)
from bridge.cli.driving import (
    DEFAULT_TRIALS,
    TRIALS,
    DriveFile,
    Poisson,
    Regular,
    Seconds,
    Series,
    drive_given,
    drive_told,
)
from bridge.cli.units import parse_stimulation, parse_units, parse_window
from bridge.stages import check_writable, load_spiking, show_essentials

if TYPE_CHECKING:
    from bridge.spiking.stimulation import Stimulation


@app.command(
    epilog=example(
        "spikebridge run results/lif.h5 --backend brian2 --trials 20 --out results/brian2.h5",
        "spikebridge run results/lif.h5 --backend brian2 --target standalone "
        "--out results/brian2.h5",
        "spikebridge run results/lif.h5 --backend brian2:numpy --out results/numpy.h5",
        "spikebridge run results/lif.h5 --backend snntorch --dtype float32 "
        "--out results/snntorch.h5",
        "spikebridge run results/lif.h5 --stimulate 0.25:0.5:SOM:+0.5 --out results/lit.h5",
        "spikebridge run net.h5 --drive inputs.csv --values --window 0.1:0.15 "
        "--out results/graded.h5",
        "spikebridge run net.h5 --drive inputs.csv --out results/driven.h5",
        "spikebridge run net.h5 --drive session.nwb --series lever --out results/driven.h5",
        "spikebridge run net.h5 --poisson 40 --seconds 2 --trials 10 --out results/poisson.h5",
    )
)
def run(
    context: typer.Context,
    network: NetworkFile,
    out: Annotated[Path, typer.Option(help="Where the recording goes.", show_default=False)],
    backend: Annotated[
        str | None,
        typer.Option(
            help=BACKEND,
            show_default="compiled, without a C++ compiler snntorch",
            autocompletion=completion.backend,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help=f"{TRIALS}.", show_default=f"{DEFAULT_TRIALS}; of a file all that it has"
        ),
    ] = None,
    seed: Seed = 0,
    drive: DriveFile = None,
    series: Series = None,
    poisson: Poisson = None,
    regular: Regular = None,
    seconds: Seconds = None,
    target: Annotated[
        str | None,
        typer.Option(help="brian2: numpy, cython or standalone.", show_default="standalone"),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="snntorch, compiled: float64 or float32.", show_default="float64"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="snntorch, compiled: cpu, cuda or cuda:N.", show_default="cpu"),
    ] = None,
    stimulate: Annotated[
        list[str] | None,
        typer.Option(
            help="START_S:STOP_S:UNITS:MV: in half of the steps of that time all these units "
            "(a cell type, or 0-19,25) are moved by MV. May be given again.",
            metavar="PUSH",
            show_default=False,
        ),
    ] = None,
    values: Annotated[
        bool,
        typer.Option(
            "--values",
            help="Record what populations that emit values pass on, at the end of each sample.",
        ),
    ] = False,
    window: Annotated[
        str | None,
        typer.Option(
            help="START_S:STOP_S: record every state, and the values passed on, in each step of "
            "that time of every trial.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Simulate a network on one backend, on trials of its task or driven otherwise.

    The same seed gives the same spikes.
    """
    from bridge.backends import parse_backend, quickest_of
    from bridge.backends.declaration import declared
    from bridge.methods.scoring import drive_of, needed_task, score_of
    from bridge.spiking.essentials import several

    stored = load_spiking(network)
    spiking = stored.network if isinstance(stored, bridge.Conversion) else stored
    backend = backend or quickest_of(spiking, device)
    check_writable(out, force=force)
    shown = drive_given(
        spiking,
        drive=drive,
        poisson=poisson,
        regular=regular,
        seconds=seconds,
        series=series,
        trials=trials,
        seed=seed if was_given(context, "seed") else None,
        task_file=task_file,
    )
    task = made = None
    notes: dict[str, Any] = {"stimulation": ", ".join(stimulate)} if stimulate else {}
    if shown is None:
        task = needed_task(spiking)
        made, shown = drive_of(task, spiking, DEFAULT_TRIALS if trials is None else trials, seed)
    else:
        notes["drive"] = drive_told(drive, poisson, regular, seconds)
    pushes = tuple(_stimulation(spiking, text) for text in stimulate or ())
    if declared()[parse_backend(backend)[0]].own_noise_only:
        # It computes no noise but its own.
        shown = replace(shown, noise=bridge.OwnNoise(seed=seed))
    shown = replace(shown, stimulation=(*shown.stimulation, *pushes))
    given: dict[str, Any] = {"target": target, "dtype": dtype, "device": device}
    # What is not asked for is not named: not every backend knows it.
    given["values"] = values or None
    given["window"] = None if window is None else _window(spiking, window)
    with terminal.progress_bar(f"running {backend}") as report:
        recording = bridge.simulate(
            spiking,
            shown,
            backend=backend,
            on_progress=lambda f: report(f, ""),
            **{name: value for name, value in given.items() if value is not None},
        )
    score = None
    if task is not None and made is not None and recording.readouts:
        score = score_of(task, made, recording)
    if score is not None and score.measured is not None:
        notes["measured"] = score.measured.plain()
    if notes:
        recording = replace(recording, provenance={**recording.provenance, **notes})
    bridge.save(recording, out, force=True)
    show_essentials(recording)
    scored = "" if score is None else f", {score.told()}"
    terminal.say(f"{out}: recording of {several(shown.n_trials, 'trial')}{scored}")


def _window(network: "bridge.SpikingNetwork", text: str) -> tuple[int, int]:
    """First step, and first step after, of START_S:STOP_S."""
    start_s, stop_s = parse_window(text)
    return round(start_s * 1000 / network.dt_ms), round(stop_s * 1000 / network.dt_ms)


def _stimulation(network: "bridge.SpikingNetwork", text: str) -> "Stimulation":
    """One stimulation of a network's neurons, from START_S:STOP_S:UNITS:MV."""
    from bridge.methods.lesion import chosen_units
    from bridge.spiking.stimulation import Stimulation

    start_s, stop_s, units, amplitude_mv = parse_stimulation(text)
    numbers = parse_units(units)
    return Stimulation(
        start_step=round(start_s * 1000 / network.dt_ms),
        stop_step=round(stop_s * 1000 / network.dt_ms),
        neurons=chosen_units(network, units=numbers, cell_type=None if numbers else units),
        amplitude_mv=amplitude_mv,
    )
