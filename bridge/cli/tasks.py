"""`spikebridge tasks`."""

from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge import terminal
from bridge.cli import completion
from bridge.cli.app import Force, Seed, TaskFile, app, example, was_given
from bridge.errors import SpecError
from bridge.stages import check_writable
from bridge.tasks import Task, catalogue, outline, scoring


@app.command(
    epilog=example(
        "spikebridge tasks",
        "spikebridge tasks xor:strict",
        "spikebridge tasks flip-flop:bits=2 --out results/flip_flop.png",
        "spikebridge --task-file my_task.py tasks my-task --out results/my_task.png",
    )
)
def tasks(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            help="One task, with its options; else all are listed.",
            show_default=False,
            autocompletion=completion.tasks,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A picture of a few trials: .png, .svg or .pdf.", show_default=False),
    ] = None,
    seed: Seed = 0,
    force: Force = False,
    task_file: TaskFile = None,
) -> None:
    """List the tasks and their options, or say what one of them is and draw its trials."""
    if out is None and (force or was_given(context, "seed")):
        raise SpecError("--seed and --force are for the picture: --out FILE.png draws it")
    if name is None:
        if out is not None:
            raise SpecError("--out needs the name of a task to draw")
        terminal.show_table("tasks, and their options", dict(catalogue()))
        return
    task = bridge.task(name)
    if out is not None:
        _draw(task, out, seed, force=force)
    conditions = ", ".join(task.conditions)
    rows = {"size": outline(task), "conditions": conditions, "scored by": scoring(task)}
    terminal.show_table(task.name, rows)
    if out is not None:
        terminal.say(f"{out}: picture of trials")


def _draw(task: Task, out: Path, seed: int, *, force: bool) -> None:
    """Write a picture of a task's trials."""
    from bridge.exchange.hdf5 import write_bytes
    from bridge.tasks.picture import picture
    from bridge.tasks.picture_kinds import check_kind

    kind = check_kind(out.suffix)
    check_writable(out, force=force)
    write_bytes(out, picture(task, kind, seed))
