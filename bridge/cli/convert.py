"""`spikebridge convert`."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli import completion
from bridge.cli.app import Force, Seed, TaskFile, app, example
from bridge.cli.driving import Series, drive_given, drive_told
from bridge.cli.words import between_commas
from bridge.errors import SpecError
from bridge.stages import check_writable, convert_each_to, convert_to, load_rate


@app.command(
    epilog=example(
        "spikebridge convert results/rate.h5 --out results/lif.h5",
        "spikebridge convert results/rate.h5 --out results/lif.h5 "
        "--inverse-scales 20:60:5 --trials 50",
        "spikebridge convert results/rate.h5 --out results/qif.h5 --neuron qif --synapse single",
        "spikebridge convert results/rate.h5 --backend brian2:numpy --out results/lif.h5",
        "spikebridge convert results/rate.h5 --task-file my_task.py --out results/lif.h5",
        "spikebridge convert results/rate.h5 --rule accuracy --no-output-bias --out results/lif.h5",
        "spikebridge convert results/rate.h5 --out results/lif.h5 --predict-scale --refit-readout",
        "spikebridge convert net.h5 --drive inputs.npz --out results/lif.h5",
        "spikebridge convert results/relu.h5 --neuron if --out results/if.h5",
        "spikebridge convert results/rate.h5 --neuron if --gain-hz 20:100:20 --out results/if.h5",
        "spikebridge convert results/rate.h5 --neuron lif,if --out results/lif.h5",
    )
)
def convert(
    rate: Annotated[
        Path,
        typer.Argument(
            help="A rate network, as `train` and `import` write it; of a conversion, its own.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where the spiking network goes.", show_default=False)],
    neuron: Annotated[
        list[str] | None,
        typer.Option(
            help="lif, qif, or if: integrate-and-fire with the unit's activation inside, for any "
            "activation. Several, with commas or given again, are made on the same trials and "
            "shown in one table. The first goes to --out, each other next to it, its name added.",
            metavar="KIND",
            show_default="lif; if for relu, tanh, form h and a state to start from",
        ),
    ] = None,
    inverse_scales: Annotated[
        str | None,
        typer.Option(
            help="lif, qif: 1/lambda to try: FIRST:LAST:STEP, or values with commas.",
            show_default="20:75:5, for softplus and relu 4:26:2",
        ),
    ] = None,
    gain_hz: Annotated[
        str | None,
        typer.Option(
            help="if: rates that stand for an activation of 1 to try, Hz: FIRST:LAST:STEP, or "
            "values with commas.",
            show_default="2 to 40 spikes in a median time constant",
        ),
    ] = None,
    dt_ms: Annotated[
        float | None,
        typer.Option(
            help="if: longest step, ms; halved where neurons would fire more than once in it.",
            show_default="0.5",
        ),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="lif, qif. faithful: the least output error among those that are right about as "
            "often as the best. score: the best median of the task's number among them. accuracy: "
            "the highest accuracy, as in the paper.",
            show_default="faithful; score where the task gives numbers alone",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="Trials at each scale factor or gain; a --drive of one trial is repeated as "
            "often.",
            show_default="100; of a --drive all that it has",
        ),
    ] = None,
    drive: Annotated[
        Path | None,
        typer.Option(
            "--drive",
            metavar="FILE",
            help="Take the inputs from a file instead of a task: a drive of ours, NWB, .npz or "
            ".csv, as `run` takes it. The output error decides; right answers too, if the trials "
            "have conditions of the network's task.",
            show_default="the task",
        ),
    ] = None,
    series: Series = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="Length of a trial of a --drive of spikes, s.", show_default="to its last spike"
        ),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help="Where the search runs, as in `run`.",
            show_default="compiled, without a C++ compiler snntorch",
            autocompletion=completion.backend,
        ),
    ] = None,
    seed: Seed = 0,
    device: Annotated[
        str | None,
        typer.Option(help="snntorch, compiled: cpu, cuda or cuda:N.", show_default="cpu"),
    ] = None,
    exhaustive: Annotated[
        bool,
        typer.Option(
            "--exhaustive", help="lif, qif: all trials even at scale factors that cannot win."
        ),
    ] = False,
    predict_scale: Annotated[
        bool,
        typer.Option(
            "--predict-scale", help="lif, qif: no search, 1/lambda from the neurons' response."
        ),
    ] = False,
    refit_readout: Annotated[
        bool, typer.Option("--refit-readout", help="Fit the output weights to filtered spikes.")
    ] = False,
    synapse: Annotated[
        str | None,
        typer.Option(help="lif, qif: double or single exponential.", show_default="double"),
    ] = None,
    tau_side: Annotated[
        str | None,
        typer.Option(
            help="lif, qif: whose time constant a synapse has: post or pre.", show_default="post"
        ),
    ] = None,
    refractory_ms: Annotated[
        float | None, typer.Option(help="lif, qif: refractory time, ms.", show_default="2.0")
    ] = None,
    start_mv: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="lif, qif: lowest and highest voltage at the start of a trial, mV.",
            metavar="LOW HIGH",
            show_default="-65.0, 30.0",
        ),
    ] = None,
    output_bias: Annotated[
        bool | None,
        typer.Option(
            "--output-bias/--no-output-bias",
            help="lif, qif: keep the rate network's output bias; the original leaves it out.",
            show_default="--output-bias",
        ),
    ] = None,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Map a rate network one to one onto spiking neurons, at the scale or gain that works best.

    Exit status: 1 if the conversion failed. Then the spiking network is right less often than its
    rate network, by more than chance explains, or no better than chance. If nothing says what is
    right, its output is not the rate network's. It is written all the same. Of several kinds of
    neurons the first decides.
    """
    if seconds is not None and drive is None:
        raise SpecError("--seconds: for a --drive of spikes")
    neurons = [each for one in neuron or () for each in between_commas("--neuron", one)]
    # What is not given is not passed on: each kind of neuron takes options of its own.
    options: dict[str, Any] = {
        "scale": "predicted" if predict_scale else None,
        "inverse_scales": numbers_of("--inverse-scales", inverse_scales),
        "gain_hz": numbers_of("--gain-hz", gain_hz),
        "dt_ms": dt_ms,
        "rule": rule,
        "backend": backend,
        "device": device,
        "exhaustive": exhaustive or None,
        "synapse": synapse,
        "tau_side": tau_side,
        "refractory_ms": refractory_ms,
        "start_mv": start_mv,
        "output_bias": output_bias,
    }
    options = {name: value for name, value in options.items() if value is not None}
    options |= {"seed": seed, "refit_readout": refit_readout}
    network = load_rate(rate)
    files = beside(out, neurons)
    for file in files:
        check_writable(file, force=force)
    shown = drive_given(
        network,
        drive=drive,
        series=series,
        seconds=seconds,
        trials=trials,
        seed=seed,
        # A task of one's own may judge what a drive shows.
        task_file=None,
    )
    if shown is not None:
        options |= {"drive": shown, "drive_name": drive_told(drive)}
    elif trials is not None:
        options["trials"] = trials
    if len(neurons) > 1:
        conversion = convert_each_to(network, files, neurons, **options)
    else:
        named = {"neuron": neurons[0]} if neurons else {}
        conversion = convert_to(network, out, **named, **options)
    found = conversion.faithfulness()
    if found is not None and found.failed:
        raise typer.Exit(1)


def beside(out: Path, neurons: list[str]) -> list[Path]:
    """Where the conversion to each kind of neuron goes: the first to `out`."""
    others = [out.with_name(f"{out.stem}_{each}{out.suffix}") for each in neurons[1:]]
    return [out, *others]


def numbers_of(option: str, text: str | None) -> list[float] | None:
    """Positive numbers from "20:75:5" (both ends included) or "25,30,35"; None where none are."""
    if text is None:
        return None
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
            f"{option} {text!r}: expected FIRST:LAST:STEP or values with commas, all "
            f"positive, at most {MOST_SCALES}"
        )
    return parts


MOST_SCALES = 1000
