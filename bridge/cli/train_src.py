"""`spikebridge train-src`."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

import bridge
from bridge.cli import cell_options, completion
from bridge.cli.app import Force, Resume, Seed, app, example, find_pictures_in, was_given
from bridge.errors import SpecError
from bridge.stages import train_src_to, unfinished
from bridge.tasks import IMAGES


@app.command(
    name="train-src",
    epilog=example(
        "spikebridge train-src digits --layers 100 --out results/src.h5",
        "spikebridge train-src digits --layers 10x100 --epochs 25 --out results/deep.h5",
        "spikebridge train-src digits:latency,shown=50 --out results/latency.h5",
        "spikebridge train-src mnist --data ~/pictures --epochs 5 --out results/mnist.h5",
        "spikebridge train-src digits --z-hyp 0.7 --rho 4 --out results/busy.h5",
        "spikebridge train-src digits --out results/src.h5 --resume",
    ),
)
def train_src(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Argument(
            help=f"Pictures: {', '.join(IMAGES)}; options of how they are shown may follow, as "
            "digits:latency,shown=50. `tasks` lists them.",
            show_default=False,
            autocompletion=completion.images,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where the network goes.", show_default=False)],
    layers: Annotated[
        str, typer.Option(help="Cells of each layer: 100, or 128,100, or 10x100 for ten of them.")
    ] = "100",
    epochs: Annotated[int, typer.Option(help="How often each picture is shown.")] = 40,
    batch: Annotated[int, typer.Option(help="Pictures per update.")] = 64,
    seed: Seed = 0,
    learning_rate: Annotated[float, typer.Option(help="Of the first layer.")] = 0.01,
    deep_learning_rate: Annotated[
        float, typer.Option(help="Of the other layers, and of biases.")
    ] = 0.0005,
    sharpness: Annotated[float, typer.Option(help="Factor of the outputs in the loss.")] = 0.5,
    validation: Annotated[
        int, typer.Option(help="Training pictures that are set aside, to choose options by.")
    ] = 0,
    gate: Annotated[str, typer.Option(help="heaviside or sigmoid.")] = "heaviside",
    gate_reads: Annotated[
        str, typer.Option(help="The h in the gate: old, of the step before, or new.")
    ] = "old",
    alpha: cell_options.Alpha = 0.9,
    rho: cell_options.Rho = 3.0,
    r: cell_options.R = 2.0,
    r_s: cell_options.RSlow = -7.0,
    z_hyp: cell_options.ZHyp = 0.9,
    z_dep: cell_options.ZDep = 0.0,
    bias: cell_options.Bias = -6.0,
    learn_bias: Annotated[
        bool, typer.Option("--learn-bias", help="Biases are trained, held below -4.")
    ] = False,
    bypass: Annotated[bool, typer.Option(help="Gradients pass where h is below 0, too.")] = True,
    detach: Annotated[
        bool, typer.Option(help="No gradient goes back through h, only through the current.")
    ] = True,
    data: Annotated[
        Path | None,
        typer.Option(
            help="The folder with mnist/, fashion-mnist/ or n-mnist/.",
            metavar="FOLDER",
            show_default=False,
        ),
    ] = None,
    resume: Resume = False,
    force: Force = False,
) -> None:
    """Train Spiking Recurrent Cells on pictures, as spikes; Ctrl-C keeps what is learned so far.

    `run` and `compare` show the network pictures that its training has not seen.
    """
    from bridge.methods.src.options import SrcOptions
    from bridge.methods.src.plan import plan_src

    find_pictures_in(data)
    what = "a network that train-src wrote"
    begun = unfinished(out, bridge.TrainedNetwork, what, resume=resume, force=force)
    known = [entry.name for entry in fields(SrcOptions)]
    options: dict[str, Any] = {
        name: context.params[name] for name in known if was_given(context, name)
    }
    if "layers" in options:
        options["layers"] = parse_layers(layers)
    plan = plan_src(task, resume=begun, **options)
    if train_src_to(plan, out, begun).checkpoint is not None:
        raise KeyboardInterrupt


def parse_layers(text: str) -> tuple[int, ...]:
    """Sizes of layers from 100, 128,100 or 10x100; SpecError for anything else."""
    sizes: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"(?:([0-9]{1,3})x)?([0-9]{1,9})", part.strip(), re.ASCII)
        if found is None:
            raise SpecError(f"--layers: expected cells, as 100 or 128,100 or 10x100, got {text!r}")
        sizes += [int(found[2])] * int(found[1] or 1)
    return tuple(sizes)
