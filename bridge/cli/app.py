"""The command's app, and what several of its commands share."""

import os
from pathlib import Path
from typing import Annotated

import typer

import bridge
from bridge.errors import SpecError
from bridge.tasks import load_task_file
from bridge.tasks.images.folder import VARIABLE

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Turn a rate network trained in PyTorch into a spiking network that fires the same "
    "spikes in Brian2 and in snnTorch, and prove it.",
)

Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with an unfinished file.")]
Seed = Annotated[int, typer.Option(help="Decides everything random.")]
All = Annotated[bool, typer.Option("--all", help="Show everything, however narrow the screen.")]
BACKEND = (
    "reference, brian2, snntorch, compiled or nest; a target, device, precision or form may "
    "follow, as brian2:numpy, snntorch:float32."
)
Device = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
Window = Annotated[
    str | None,
    typer.Option(
        "--window-s",
        metavar="START:STOP",
        help="What is taken of each trial of a recording, s from its start.",
        show_default="all of it",
    ),
]
TrialLength = Annotated[
    float | None, typer.Option(help="Cut recordings that know no trials, s.", show_default=False)
]
FromMs = Annotated[
    float | None,
    typer.Option(
        help="Statistics that describe begin here in each trial, ms; all spikes are judged.",
        show_default="50 where neurons start above threshold and trials last 0.2 s, else 0",
    ),
]
TimeStep = Annotated[
    float | None,
    typer.Option(help="Time step of recordings that state none, ms.", show_default=False),
]
NetworkFile = Annotated[
    Path,
    typer.Argument(
        help="A spiking network, as `convert`, `lesion` and `import --out-lif` write it.",
        show_default=False,
    ),
]


def _load_tasks(paths: list[Path] | None) -> list[Path] | None:
    """Make tasks of one's own known to the command."""
    for path in paths or ():
        load_task_file(path)
    return paths


_TASKS_HELP = "A Python file of your own that registers tasks. It is run. May be given again."
# For commands that take a task, or a file that names one. Read first, so that it is known by then.
TaskFile = Annotated[
    list[Path] | None,
    typer.Option(
        "--task-file",
        help=_TASKS_HELP,
        metavar="FILE",
        show_default=False,
        is_eager=True,
        callback=_load_tasks,
    ),
]


def _tell_version(asked: bool) -> None:
    """Print the version, and nothing else."""
    if asked:
        typer.echo(f"spikebridge {bridge.__version__}")
        raise typer.Exit


@app.callback()
def with_tasks(
    task_file: Annotated[
        list[Path] | None,
        typer.Option(
            help=f"{_TASKS_HELP} It may stand before or after the command.",
            metavar="FILE",
            envvar="SPIKEBRIDGE_TASKS",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="The folder with files of pictures, as mnist/train-images-idx3-ubyte.gz.",
            metavar="FOLDER",
            envvar=VARIABLE,
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", help="Say the version.", is_eager=True, callback=_tell_version
        ),
    ] = False,
) -> None:
    """Make tasks of one's own, and files of pictures, known to every command."""
    _load_tasks(task_file)
    find_pictures_in(data)


def find_pictures_in(folder: Path | None) -> None:
    """Let tasks of pictures find their files in a folder, in this process and those it starts."""
    if folder is not None:
        os.environ[VARIABLE] = str(folder)


def window_s(text: str | None) -> tuple[float, float] | None:
    """The two numbers of a window; SpecError for anything else."""
    if text is None:
        return None
    try:
        start, stop = map(float, text.split(":"))
    except ValueError:
        raise SpecError(
            f"--window-s: expected START:STOP in s, such as 0.2:0.8, got {text!r}"
        ) from None
    return start, stop


def example(*lines: str) -> str:
    """The examples at the end of a command's help."""
    return "[bold]Examples[/bold]\n\n" + "\n\n".join(f"  $ {line}" for line in lines)


def was_given(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line, and is not its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
