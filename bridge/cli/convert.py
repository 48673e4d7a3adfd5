"""`spikebridge convert`."""

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli.app import Force, Seed, TaskFile, app, example
from bridge.cli.driving import Series, drive_given, drive_told
from bridge.errors import SpecError
from bridge.stages import check_writable, convert_to, load_rate


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
    inverse_scales: Annotated[
        str | None,
        typer.Option(
            help="1/lambda to try: FIRST:LAST:STEP, or values with commas.",
            show_default="20:75:5, for softplus and relu 4:26:2",
        ),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="faithful: the least output error among those that are right about as often as "
            "the best; score: the best median of the task's number among them; accuracy: the "
            "highest accuracy, as in the paper.",
            show_default="faithful; score where the task gives numbers alone",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="Trials at each scale factor; a --drive of one trial is repeated as often.",
            show_default="100; of a --drive all that it has",
        ),
    ] = None,
    drive: Annotated[
        Path | None,
        typer.Option(
            "--drive",
            metavar="FILE",
            help="Take the inputs from a file instead of a task, which need not be there: the "
            "output error decides, and right answers too where the trials have conditions of the "
            "network's task. A drive of ours, NWB, .npz or .csv, as `run` takes it.",
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
        ),
    ] = None,
    seed: Seed = 0,
    device: Annotated[
        str | None, typer.Option(help="snntorch: cpu, cuda or cuda:N.", show_default="cpu")
    ] = None,
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="All trials even at scale factors that cannot win.")
    ] = False,
    predict_scale: Annotated[
        bool,
        typer.Option("--predict-scale", help="No search: 1/lambda from the neurons' response."),
    ] = False,
    refit_readout: Annotated[
        bool, typer.Option("--refit-readout", help="Fit the output weights to filtered spikes.")
    ] = False,
    neuron: Annotated[str, typer.Option(help="lif or qif.")] = "lif",
    synapse: Annotated[str, typer.Option(help="double or single exponential.")] = "double",
    tau_side: Annotated[
        str, typer.Option(help="Whose time constant a synapse has: post or pre.")
    ] = "post",
    refractory_ms: Annotated[float, typer.Option(help="Refractory time, ms.")] = 2.0,
    start_mv: Annotated[
        tuple[float, float],
        typer.Option(help="Lowest and highest voltage at the start of a trial, mV."),
    ] = (-65.0, 30.0),
    output_bias: Annotated[
        bool,
        typer.Option(
            "--output-bias/--no-output-bias",
            help="Keep the rate network's output bias; the original leaves it out.",
        ),
    ] = True,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Map a rate network one to one onto spiking neurons, at the scale factor that works best.

    Exit status: 1 where the conversion failed: the spiking network is right less often than its
    rate network, by more than chance explains, or no better than chance; or, where nothing says
    what is right, its output is not the rate network's. It is written all the same.
    """
    scales = None if inverse_scales is None else _scales(inverse_scales)
    if seconds is not None and drive is None:
        raise SpecError("--seconds: for a --drive of spikes")
    network = load_rate(rate)
    check_writable(out, force=force)
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
        given: dict[str, Any] = {"drive": shown, "drive_name": drive_told(drive)}
    else:
        given = {} if trials is None else {"trials": trials}
    conversion = convert_to(
        network,
        out,
        scale="predicted" if predict_scale else "searched",
        refit_readout=refit_readout,
        inverse_scales=scales,
        rule=rule,
        backend=backend,
        seed=seed,
        device=device,
        exhaustive=exhaustive,
        neuron=neuron,
        synapse=synapse,
        tau_side=tau_side,
        refractory_ms=refractory_ms,
        start_mv=start_mv,
        output_bias=output_bias,
        **given,
    )
    found = conversion.faithfulness()
    if found is not None and found.failed:
        raise typer.Exit(1)


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
