"""The command `spikebridge`: read, call one function, print."""

import math
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

import bridge
from bridge import terminal
from bridge.errors import BridgeError, FormatError, OutputError, SpecError

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

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

Kind = TypeVar("Kind")


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
        unfinished = _load(out, bridge.RateNetwork, "a rate network")
        options = {name: options[name] for name in options if _was_given(context, name)}
    elif out.exists() and not force:
        raise OutputError(
            f"{out} exists already; use --resume to go on with it or --force to replace it"
        )
    ends = {"target_loss": target_loss, "max_updates": max_updates}
    options |= {name: value for name, value in ends.items() if value is not None}
    _check_writable(out, force=force or resume)
    network = _train(task, out, device=device, resume=unfinished, **options)
    if network.provenance["stopped"] == "interrupted":
        raise KeyboardInterrupt


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _train(task: str, out: Path, **options: Any) -> "bridge.RateNetwork":
    with terminal.progress_bar("training") as report:
        network = bridge.train(
            task,
            on_progress=lambda p: report(
                p.update / p.max_updates, f"loss {p.loss:.3f}, accuracy {p.accuracy:.0%}"
            ),
            **options,
        )
    bridge.save(network, out, force=True)
    updates, why = network.provenance["updates"], network.provenance["stopped"]
    reasons = {
        "target": "reached its target",
        "max_updates": "gave up before its target (--resume --max-updates N goes on)",
        "interrupted": "interrupted (--resume goes on)",
    }
    terminal.say(f"{out}: rate network, {updates} updates, {reasons[why]}")
    return network


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
    network = _load(rate, bridge.RateNetwork, "a rate network")
    _check_writable(out, force=force)
    _convert(
        network,
        out,
        inverse_scales=scales,
        trials=trials,
        backend=backend,
        seed=seed,
        device=device,
        exhaustive=exhaustive,
    )


def _convert(network: "bridge.RateNetwork", out: Path, **options: Any) -> "bridge.Conversion":
    from bridge.describe import SCALE_HEADERS, scale_rows

    with terminal.progress_bar("searching the scale factor") as report:
        conversion = bridge.convert(network, on_progress=lambda f: report(f, ""), **options)
    bridge.save(conversion, out, force=True)
    terminal.show_columns(SCALE_HEADERS, scale_rows(conversion.search))
    terminal.say(f"{out}: spiking network at 1/lambda = {conversion.search.best_inverse_scale:g}")
    return conversion


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

    spiking = _spiking(network)
    _check_writable(out, force=force)
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

    stored = _load_spiking(network)
    check_report_writable(out, force=force)
    agreement = _compare(stored, out, backends.split(","), trials, seed)
    if not agreement.agreed:
        raise typer.Exit(1)


def _compare(
    stored: "bridge.Conversion | bridge.SpikingNetwork",
    out: Path,
    backends: list[str],
    trials: int,
    seed: int,
) -> "bridge.Agreement":
    from bridge.compare.report import evidence, verdict

    with terminal.progress_bars() as report:
        agreement = bridge.compare(
            stored, backends=backends, trials=trials, seed=seed, on_progress=report
        )
    written = bridge.report(agreement, out, force=True)
    for line in (verdict(agreement), *evidence(agreement)):
        terminal.say(line)
    terminal.say(f"{out}: report; its {len(written) - 1} pictures are in {written[-1].parent}")
    return agreement


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
    page = out / "agreement.html"
    _check_writable(page, force=True)
    rate = _demo_rate(out / "rate.h5", units, max_updates, seed)
    conversion = _demo_conversion(out / "lif.h5", rate, search_trials, seed)
    agreement = _compare(conversion, page, ["brian2", "snntorch"], trials, seed)
    for label, recording in agreement.frozen.items():
        bridge.save(recording, out / f"{label}.h5", force=True)
        terminal.say(f"{out / label}.h5: recording")
    if not agreement.agreed:
        raise typer.Exit(1)


def _demo_rate(path: Path, units: int, max_updates: int, seed: int) -> "bridge.RateNetwork":
    options: dict[str, Any] = {"units": units, "max_updates": max_updates, "seed": seed}
    if path.exists():
        kept = _load(path, bridge.RateNetwork, "a rate network")
        if kept.checkpoint is None or kept.checkpoint.updates >= max_updates:
            terminal.say(f"{path}: kept from an earlier run")
            return kept
        options = {"resume": kept, "max_updates": max_updates}
    network = _train("go-nogo", path, **options)
    if network.provenance["stopped"] == "interrupted":
        raise KeyboardInterrupt
    return network


def _demo_conversion(
    path: Path, rate: "bridge.RateNetwork", trials: int, seed: int
) -> "bridge.Conversion":
    if path.exists():
        terminal.say(f"{path}: kept from an earlier run")
        return _load(path, bridge.Conversion, "a conversion")
    return _convert(rate, path, trials=trials, seed=seed)


def _load(path: Path, kind: type[Kind], what: str) -> Kind:
    """Read a file and insist on its kind."""
    stored = bridge.load(path)
    if not isinstance(stored, kind):
        raise _wrong_kind(path, stored, what)
    return stored


def _wrong_kind(path: Path, stored: "Stored", what: str) -> FormatError:
    from bridge.describe import describe

    return FormatError(f"{path}: {what} is needed, this file holds: {describe(stored)[0]}")


def _load_spiking(path: Path) -> "bridge.Conversion | bridge.SpikingNetwork":
    stored = bridge.load(path)
    if not isinstance(stored, bridge.Conversion | bridge.SpikingNetwork):
        raise _wrong_kind(path, stored, "a spiking network")
    return stored


def _spiking(path: Path) -> "bridge.SpikingNetwork":
    stored = _load_spiking(path)
    return stored.network if isinstance(stored, bridge.Conversion) else stored


def _check_writable(path: Path, *, force: bool) -> None:
    from bridge.exchange.hdf5 import check_writable

    check_writable(path, overwrite=force)


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
