"""The command `spikebridge`: read, call one function, print."""

import math
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import bridge
from bridge import terminal
from bridge.errors import BridgeError, OutputError, SpecError
from bridge.stages import (
    check_writable,
    compare_to,
    convert_to,
    load_kind,
    load_spiking,
    train_to,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Turn a rate network trained in PyTorch into a spiking network that fires the same "
    "spikes in Brian2 and in snnTorch, and prove it.",
)

Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
Seed = Annotated[int, typer.Option(help="Decides everything random.")]
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
NetworkFile = Annotated[
    Path, typer.Argument(help="A file that `convert` wrote.", show_default=False)
]


def _example(*lines: str) -> str:
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(f"  $ {line}" for line in lines)


@app.command(
    epilog=_example(
        "spikebridge train go-nogo --out results/rate.h5",
        "spikebridge train go-nogo --out results/rate.h5 --units 250 --tau-ms 20 50 --seed 3",
        "spikebridge train go-nogo --out results/rate.h5 --resume",
    )
)
def train(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="Name of a task: go-nogo.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the rate network goes.", show_default=False)],
    units: Annotated[int, typer.Option(help="Number of units.")] = 200,
    tau_ms: Annotated[
        tuple[float, float], typer.Option(help="Lowest and highest time constant, ms.")
    ] = (20.0, 100.0),
    seed: Seed = 0,
    batch: Annotated[int, typer.Option(help="Trials per update.")] = 32,
    dale: Annotated[bool, typer.Option(help="Units keep one sign.")] = True,
    loss: Annotated[str, typer.Option(help="l2 or l1.")] = "l2",
    learning_rate: Annotated[float, typer.Option(help="Adam's.")] = 0.01,
    target_loss: Annotated[
        float | None, typer.Option(help="Stop below this mean loss.", show_default="0.9")
    ] = None,
    min_updates: Annotated[int, typer.Option(help="Do not stop before.")] = 0,
    max_updates: Annotated[
        int | None, typer.Option(help="Give up after.", show_default="2000")
    ] = None,
    check_every: Annotated[int, typer.Option(help="Updates between evaluations.")] = 25,
    device: Device = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an unfinished file.")
    ] = False,
    force: Force = False,
) -> None:
    """Train a rate network on a task; Ctrl-C keeps what is learned so far."""
    options: dict[str, Any] = {
        "units": units,
        "tau_ms": tau_ms,
        "seed": seed,
        "batch": batch,
        "dale": dale,
        "loss": loss,
        "learning_rate": learning_rate,
        "min_updates": min_updates,
        "check_every": check_every,
    }
    bridge.task(task)
    unfinished = None
    if resume:
        unfinished = load_kind(out, bridge.RateNetwork, "a rate network")
        options = {name: options[name] for name in options if _was_given(context, name)}
    elif out.exists() and not force:
        raise OutputError(
            f"{out} exists already; use --resume to go on with it or --force to replace it"
        )
    ends = {"target_loss": target_loss, "max_updates": max_updates}
    options |= {name: value for name, value in ends.items() if value is not None}
    check_writable(out, force=force or resume)
    network = train_to(task, out, device=device, resume=unfinished, **options)
    if network.provenance["stopped"] == "interrupted":
        raise KeyboardInterrupt


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command(
    epilog=_example(
        "spikebridge convert results/rate.h5 --out results/lif.h5",
        "spikebridge convert results/rate.h5 --out results/lif.h5 "
        "--inverse-scales 20:60:5 --trials 50",
        "spikebridge convert results/rate.h5 --out results/lif.h5 --inverse-scales 25,30,35",
    )
)
def convert(
    rate: Annotated[Path, typer.Argument(help="A file that `train` wrote.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the spiking network goes.", show_default=False)],
    inverse_scales: Annotated[
        str, typer.Option(help="1/lambda to try: FIRST:LAST:STEP, or values with commas.")
    ] = "20:75:5",
    trials: Annotated[int, typer.Option(help="Trials at each scale factor.")] = 100,
    backend: Annotated[str, typer.Option(help="Where the search runs.")] = "snntorch",
    seed: Seed = 0,
    device: Device = "cpu",
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="All trials even at scale factors that cannot win.")
    ] = False,
    force: Force = False,
) -> None:
    """Map a rate network one to one onto LIF neurons, at the scale factor that works best."""
    scales = _scales(inverse_scales)
    network = load_kind(rate, bridge.RateNetwork, "a rate network")
    check_writable(out, force=force)
    convert_to(
        network,
        out,
        inverse_scales=scales,
        trials=trials,
        backend=backend,
        seed=seed,
        device=device,
        exhaustive=exhaustive,
    )


def _scales(text: str) -> list[float]:
    """Scale factors from "20:75:5" (both ends included) or "25,30,35"."""
    try:
        parts = [float(part) for part in text.replace(",", ":").split(":")]
    except ValueError:
        parts = []
    finite = all(math.isfinite(part) for part in parts)
    if finite and ":" in text and len(parts) == 3 and parts[2] > 0:
        first, last, step = parts
        count = min((last - first) / step + 1e-9, MOST_SCALES)
        parts = [first + step * n for n in range(int(count) + 1)] if count >= 0 else []
    elif ":" in text:
        parts = []
    if not parts or not finite or min(parts) <= 0 or len(parts) > MOST_SCALES:
        raise SpecError(
            f"--inverse-scales {text!r}: expected FIRST:LAST:STEP or values with commas, all "
            f"positive, at most {MOST_SCALES}"
        )
    return parts


MOST_SCALES = 1000


@app.command(
    epilog=_example(
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
    epilog=_example(
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


@app.command(epilog=_example("spikebridge info results/lif.h5"))
def info(
    file: Annotated[
        Path, typer.Argument(help="Any file that spikebridge wrote.", show_default=False)
    ],
) -> None:
    """Say what a file holds and how it was made."""
    from bridge.describe import SCALE_HEADERS, describe, scale_rows

    stored = bridge.load(file)
    title, rows = describe(stored)
    terminal.show_table(f"{file}: {title}", rows)
    if isinstance(stored, bridge.Conversion):
        terminal.say("")
        terminal.show_columns(SCALE_HEADERS, scale_rows(stored.search))


@app.command(epilog=_example("spikebridge demo --out results"))
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results"),
    units: Annotated[int, typer.Option(help="Number of units.")] = 200,
    max_updates: Annotated[int, typer.Option(help="Give up training after.")] = 2000,
    search_trials: Annotated[int, typer.Option(help="Trials at each scale factor.")] = 100,
    trials: Annotated[int, typer.Option(help="Trials of the cross-check.")] = 20,
    seed: Seed = 0,
) -> None:
    """Train, convert, run Brian2 and snnTorch, and prove that they agree: Go-NoGo, end to end.

    What an earlier run has finished is kept.
    """
    from bridge.demo import demo as run_all

    if not run_all(out, units, max_updates, search_trials, trials, seed=seed).agreed:
        raise typer.Exit(1)


@app.command(
    epilog=_example(
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


def _interrupt(*_: object) -> None:
    """Take a polite kill as Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def main() -> None:
    """Run the command; errors on purpose are one line and exit status 2."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        app()
    except BridgeError as error:
        terminal.complain(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
