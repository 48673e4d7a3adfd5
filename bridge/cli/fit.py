"""`spikebridge fit`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge.cli import completion
from bridge.cli.app import Force, Seed, TaskFile, app, example, was_given
from bridge.errors import SpecError
from bridge.stages import check_writable, draw_fit, fit_to, load_rate, report_fit, unfinished
from bridge.tasks.picture_kinds import check_kind


@app.command(
    epilog=example(
        "spikebridge fit four-sines --out results/sines.h5 --picture results/sines.png",
        "spikebridge fit four-sines --out results/sines.h5 --units 1000 --trained-neurons 200",
        "spikebridge fit four-sines --out results/free.h5 --free-running",
        "spikebridge fit xor --out results/xor.h5 --teacher results/rate.h5",
        "spikebridge fit oscillation --out results/wave.h5 --report results/wave.html",
        "spikebridge fit four-sines --out results/sines.h5 --form rate --seed 6",
        "spikebridge fit four-sines --out results/sines.h5 --resume --trials 800",
    )
)
def fit(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Argument(
            help="Name of a task, such as four-sines or xor, or one of your own (--task-file).",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where the network goes.", show_default=False)],
    units: Annotated[int, typer.Option(help="Number of spiking neurons.")] = 500,
    teacher_units: Annotated[
        int | None,
        typer.Option(
            help="Units of the teacher, at most as many as spiking neurons.",
            show_default="as many as neurons, 500 at most",
        ),
    ] = None,
    seed: Seed = 0,
    learn_trials: Annotated[int, typer.Option("--trials", help="Trials of learning.")] = 500,
    test_trials: Annotated[
        int, typer.Option(help="Trials on its own, by which the network is judged.")
    ] = 100,
    trained: Annotated[
        int | None,
        typer.Option(
            "--trained-neurons",
            help="Neurons whose outgoing connections are learned; with many more the network "
            "fails on its own.",
            show_default="0.4 of all, 200 at most",
        ),
    ] = None,
    teacher: Annotated[
        str,
        typer.Option("--form", help="current or rate: what of the teacher is followed."),
    ] = "current",
    teacher_network: Annotated[
        Path | None,
        typer.Option(
            "--teacher",
            help="A file with a rate network trained on the task, as the teacher.",
            show_default="a random network, driven with the desired output",
        ),
    ] = None,
    free_running: Annotated[
        bool,
        typer.Option(
            "--free-running",
            help="Without the task's input: the network makes the pattern by itself, and is judged "
            "after the best shift.",
        ),
    ] = False,
    teacher_gain: Annotated[float, typer.Option(help="Of the teacher's recurrent weights.")] = 1.4,
    target_gain: Annotated[
        float, typer.Option(help="Of the projection from the teacher to the spiking neurons.")
    ] = 6.0,
    variance_kept: Annotated[
        float, typer.Option(help="Share of the teacher's power that is followed.")
    ] = 0.999,
    slow_gain: Annotated[float, typer.Option(help="Of fixed random slow connections.")] = 0.0,
    fast_gain: Annotated[float, typer.Option(help="Of fixed random fast connections.")] = 0.0,
    inhibition: Annotated[
        float, typer.Option(help="Of all neurons by all: it sets the firing rate.")
    ] = -0.3,
    update_chance: Annotated[
        float, typer.Option(help="With this chance a step is learned from.")
    ] = 0.5,
    settle_trials: Annotated[
        int, typer.Option(help="Trials with the teacher's feedback before each phase.")
    ] = 50,
    component_trials: Annotated[
        int, typer.Option(help="Trials from which the teacher's components are taken, at most.")
    ] = 300,
    mean_trials: Annotated[
        int, typer.Option(help="Trials over which the mean of random currents is taken.")
    ] = 300,
    picture: Annotated[
        Path | None,
        typer.Option(help="A picture of what was learned: .png, .svg or .pdf.", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="A page in HTML of what was learned, with its pictures.", show_default=False
        ),
    ] = None,
    factored: Annotated[
        bool, typer.Option("--factored", help="Keep learned weights as a product of two matrices.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an unfinished file, or learn longer.")
    ] = False,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """Let a spiking network learn a task from the dynamics of a rate network.

    It is the method of DePasquale et al. 2016: the desired output drives a continuous network,
    whose components are the targets of a spiking one. Ctrl-C keeps what is learned so far.
    """
    from bridge.methods.rate_targets.options import TargetOptions
    from bridge.methods.rate_targets.plan import plan_fit

    found = bridge.task(task)
    if was_given(context, "teacher"):
        _check_form(teacher, drawn=teacher_network is None)
    _check_apart({"--out": out, "--picture": picture, "--report": report})
    begun = unfinished(out, bridge.TargetFit, "a fit", resume=resume, force=force)
    if picture is not None:
        check_kind(picture.suffix)
        check_writable(picture, force=force or resume)
    if report is not None:
        check_writable(report, force=force or resume)
    # What is not given is left to the options, which have the same defaults.
    known = TargetOptions.__dataclass_fields__
    options = {name: context.params[name] for name in known if was_given(context, name)}
    shown = None if teacher_network is None else load_rate(teacher_network)
    plan = plan_fit(found, resume=begun, teacher_network=shown, **options)
    made = fit_to(plan, out, begun)
    if picture is not None:
        draw_fit(made, picture)
    if report is not None:
        report_fit(made, report)
    if made.stopped == "interrupted":
        raise KeyboardInterrupt


def _check_apart(files: dict[str, Path | None]) -> None:
    """Raise SpecError where two of the options name one file: the later would replace the first."""
    named: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        other = named.setdefault(path.resolve(), option)
        if other != option:
            raise SpecError(f"{path}: {other} and {option} name the same file")


def _check_form(form: str, *, drawn: bool) -> None:
    """Raise SpecError, in the command's own words, unless a teacher has this form."""
    # In Python both are called teacher.
    from bridge.methods.rate_targets.options import TEACHERS

    if form not in TEACHERS:
        raise SpecError(f"--form: {' or '.join(TEACHERS)}, got {form!r}")
    if not drawn:
        raise SpecError("--form: is of a teacher that is drawn, and --teacher gives a trained one")
