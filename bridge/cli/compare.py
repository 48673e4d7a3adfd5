"""`spikebridge compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli import completion
from bridge.cli.app import (
    Force,
    FromMs,
    Seed,
    TaskFile,
    TimeStep,
    TrialLength,
    Window,
    app,
    example,
    was_given,
    window_s,
)
from bridge.cli.driving import (
    TRIALS,
    DriveFile,
    Poisson,
    Regular,
    Seconds,
    Series,
    drive_given,
)
from bridge.cli.words import between_commas
from bridge.errors import SpecError
from bridge.stages import compare_to, load_spiking, report_to

if TYPE_CHECKING:
    from bridge.compare.statistics.comparison import Plan
    from bridge.exchange.reading_options import ReadingOptions


# `bridge.compare.faults` says what each does; to import it takes longer than to show help.
INJECTED = (
    "refractory-1ms, refractory-0, decays-averaged, decays-presynaptic, weights-0.98, "
    "weights-0.95, noise-0.8, delay-1step, delay-1ms, transposed, input-late, readout-filter, "
    "readout-late, sign-flipped"
)
DEFAULT_BACKENDS = "brian2,snntorch"


@app.command(
    epilog=example(
        "spikebridge compare results/lif.h5 --backends brian2,snntorch "
        "--out results/agreement.html",
        "spikebridge compare results/lif.h5 --out results/all.html "
        "--backends reference,brian2:numpy,brian2:cython,brian2:standalone,snntorch",
        "spikebridge compare results/lif.h5 --backends brian2,nest --out results/nest.html",
        "spikebridge compare results/lif.h5 --backends brian2,snntorch "
        "--levels exact,probe,statistical --out results/whole.html",
        "spikebridge compare results/lif.h5 --inject weights-0.98 --out results/fault.html",
        "spikebridge compare net.h5 --drive inputs.csv --out results/driven.html",
        "spikebridge compare net.h5 --poisson 40 --seconds 2 --out results/poisson.html",
        "spikebridge compare a.h5 b.nwb --yardstick a2.h5 --out results/recordings.html",
    )
)
def compare(
    context: typer.Context,
    first: Annotated[
        Path,
        typer.Argument(
            metavar="network|recording",
            help="A spiking network, as `convert`, `lesion` and `import --out-lif` write it; or a "
            "recording: ours, NWB or SONATA.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where the HTML report goes.", show_default=False)],
    second: Annotated[
        Path | None,
        typer.Argument(
            metavar="[recording]",
            help="The recording that the first one is compared with.",
            show_default=False,
        ),
    ] = None,
    backends: Annotated[
        str | None,
        typer.Option(
            help="With commas, the first against each other one; a target, device, precision or "
            "form may follow, as brian2:numpy, snntorch:float32, nest:plain.",
            show_default=DEFAULT_BACKENDS,
            autocompletion=completion.backends,
        ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(
            help="exact, probe and statistical, with commas.",
            show_default="exact; where a backend does not claim that: probe,statistical",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help=f"{TRIALS}.",
            show_default="20; of a file all that it has; of a task on the statistical level as "
            "many as --effect takes",
        ),
    ] = None,
    seed: Seed = 0,
    drive: DriveFile = None,
    series: Series = None,
    poisson: Poisson = None,
    regular: Regular = None,
    seconds: Seconds = None,
    inject: Annotated[
        str | None,
        typer.Option(
            help=f"Put a fault into all backends but the first: is it seen? {INJECTED}.",
            show_default=False,
            autocompletion=completion.faults,
        ),
    ] = None,
    yardstick: Annotated[
        Path | None,
        typer.Option(help="Another recording of what made the first one.", show_default=False),
    ] = None,
    effect: Annotated[
        float, typer.Option(help="Relative difference of every neuron's rate that is to be found.")
    ] = 0.02,
    power: Annotated[float, typer.Option(help="Chance with which it is found.")] = 0.9,
    alpha: Annotated[float, typer.Option(help="Chance of a false alarm, at most.")] = 0.01,
    from_ms: FromMs = None,
    trial_s: TrialLength = None,
    dt_ms: TimeStep = None,
    window: Window = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Do simulators agree: the same spikes, or the same statistics? One verdict, and a report.

    Exit status: 0 they agree, 1 they do not, 2 could not be compared.
    """
    from bridge.compare.report.page import check_report_writable
    from bridge.compare.statistics.comparison import Plan
    from bridge.exchange.reading_options import ReadingOptions

    plan = Plan(trials=trials, effect=effect, power=power, alpha=alpha)
    promised = any(was_given(context, name) for name in ("effect", "power", "alpha"))
    if second is not None:
        if inject is not None or levels is not None or backends is not None:
            raise SpecError(
                "--backends, --inject and --levels are for simulators, not for recordings"
            )
        if any(each is not None for each in (drive, series, poisson, regular, seconds)):
            raise SpecError(
                "--drive, --series, --poisson, --regular and --seconds are for simulators, not for "
                "recordings"
            )
        if was_given(context, "effect"):
            raise SpecError(
                "--effect decides how many trials are run; of two recordings the report says what "
                "is found"
            )
        options = ReadingOptions(trial_s=trial_s, dt_ms=dt_ms, window_s=window_s(window))
        recordings = _recordings([first, second, yardstick], options)
        check_report_writable(out, force=force)
        agreement = _compared(recordings, (first, second), plan, seed, from_ms)
        report_to(agreement, out)
    else:
        if any(each is not None for each in (yardstick, trial_s, dt_ms, window)):
            raise SpecError(
                "--yardstick, --trial-s, --dt-ms and --window-s are for two recordings; here is "
                "one file"
            )
        stored = load_spiking(first)
        check_report_writable(out, force=force)
        shown = drive_given(
            stored.network if isinstance(stored, bridge.Conversion) else stored,
            drive=drive,
            poisson=poisson,
            regular=regular,
            seconds=seconds,
            series=series,
            trials=trials,
            seed=seed,
            task_file=task_file,
        )
        agreement = compare_to(
            stored,
            out,
            backends=between_commas(
                "--backends", DEFAULT_BACKENDS if backends is None else backends
            ),
            levels=None if levels is None else between_commas("--levels", levels),
            # A drive has its trials.
            trials=trials if shown is None else None,
            drive=shown,
            seed=seed,
            inject=inject,
            plan=plan if promised else None,
            from_ms=from_ms,
        )
    if not agreement.agreed:
        raise typer.Exit(1)


def _recordings(
    paths: list[Path | None], options: "ReadingOptions"
) -> "list[bridge.Recording | None]":
    from bridge.exchange.recordings import load_recordings

    given = [path for path in paths if path is not None]
    recordings, notes = load_recordings(given, options)
    for note in notes:
        terminal.warn(note)
    return [*recordings, *[None] * (len(paths) - len(given))]


def _compared(
    recordings: "list[bridge.Recording | None]",
    paths: tuple[Path, Path],
    plan: "Plan",
    seed: int,
    from_ms: float | None,
) -> "bridge.Agreement":
    from bridge.compare.recordings import compare_recordings

    one, other, again = recordings
    names = (paths[0].name, paths[1].name)
    # Two files of one name are distinguished by their folders.
    labels = names if names[0] != names[1] else (str(paths[0]), str(paths[1]))
    if one is None or other is None:
        raise bridge.BridgeError("two recordings are needed")
    with terminal.progress_bar("comparing", slow=True) as report:
        return compare_recordings(
            one,
            other,
            again=again,
            labels=labels,
            seed=seed,
            plan=plan,
            from_ms=from_ms,
            on_progress=report.of_part,
        )
