"""`spikebridge train`."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge.cli import completion
from bridge.cli.app import Device, Force, Resume, Seed, TaskFile, app, example, was_given
from bridge.stages import train_to, unfinished
from bridge.tasks import BUILT_IN


@app.command(
    epilog=example(
        "spikebridge train go-nogo --out results/rate.h5",
        "spikebridge train go-nogo --out results/rate.h5 --units 250 --tau-ms 20 50 --seed 3",
        "spikebridge train flip-flop:bits=2 --out results/flip_flop.h5",
        "spikebridge train flip-flop --form h --first-state --bias --out results/flip_flop_h.h5",
        "spikebridge train my-task --task-file my_task.py --out results/rate.h5",
        "spikebridge train go-nogo --out results/rate.h5 --resume",
    )
)
def train(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Argument(
            help=f"Name of a task: {', '.join(BUILT_IN)}, with options as xor:strict; "
            "neurogym:ENVIRONMENT; or one of your own (--task-file). `tasks` lists them.",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where the rate network goes.", show_default=False)],
    units: Annotated[int, typer.Option(help="Number of units.")] = 200,
    tau_ms: Annotated[
        tuple[float, float],
        typer.Option(metavar="LOW HIGH", help="Lowest and highest time constant, ms."),
    ] = (20.0, 100.0),
    seed: Seed = 0,
    batch: Annotated[int, typer.Option(help="Trials per update.")] = 16,
    activation: Annotated[
        str, typer.Option(help="sigmoid (the one that converts best), softplus, relu or tanh.")
    ] = "sigmoid",
    bias: Annotated[
        bool, typer.Option("--bias", help="Units have a bias, which is trained.")
    ] = False,
    form: Annotated[
        str,
        typer.Option(help="x (as in the paper) or h: states that follow the activation (nn.RNN)."),
    ] = "x",
    initial_state: Annotated[
        bool, typer.Option("--first-state", help="The state trials start from is trained, too.")
    ] = False,
    dale: Annotated[bool, typer.Option(help="Units keep one sign.")] = True,
    inhibitory: Annotated[float, typer.Option(help="Share of inhibitory units.")] = 0.2,
    som: Annotated[
        int, typer.Option(help="Inhibitory units of type SOM, which no inhibitory unit reaches.")
    ] = 0,
    balanced: Annotated[
        bool | None,
        typer.Option(
            help="Start with excitation equal to inhibition.", show_default="under Dale's law"
        ),
    ] = None,
    gain: Annotated[float, typer.Option(help="Of the recurrent weights at the start.")] = 1.5,
    training_noise_sd: Annotated[
        float, typer.Option(help="S.d. of the noise in training, once the task can be done.")
    ] = 0.3,
    sparsity: Annotated[
        float, typer.Option(help="Share of recurrent weights that are not zero at the start.")
    ] = 0.2,
    loss: Annotated[str, typer.Option(help="l2 or l1.")] = "l2",
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Adam's.", show_default="0.01; 0.001 without Dale's law"),
    ] = None,
    target_loss: Annotated[
        float | None, typer.Option(help="Stop below this mean loss.", show_default="the task's")
    ] = None,
    min_updates: Annotated[int, typer.Option(help="Do not stop before.")] = 0,
    max_updates: Annotated[
        int | None, typer.Option(help="Give up after.", show_default="2000")
    ] = None,
    check_every: Annotated[int, typer.Option(help="Updates between evaluations.")] = 25,
    device: Device = "cpu",
    resume: Resume = False,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Train a rate network on a task; Ctrl-C keeps what is learned so far."""
    from bridge.rate.plan import plan_training
    from bridge.rate.training_options import Options

    found = bridge.task(task)
    begun = unfinished(out, bridge.RateNetwork, "a rate network", resume=resume, force=force)
    # What is not given is left to `bridge.train`, which has the same defaults.
    known = [entry.name for entry in fields(Options)]
    options = {name: context.params[name] for name in known if was_given(context, name)}
    plan = plan_training(found, device=device, resume=begun, **options)
    network = train_to(plan, out, begun)
    if network.provenance["stopped"] == "interrupted":
        raise KeyboardInterrupt
