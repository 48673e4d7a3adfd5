"""Tasks by name: NAME, or NAME:OPTION,OPTION=VALUE."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

from bridge.arguments import file_path, text
from bridge.errors import SpecError
from bridge.tasks import (
    context,
    duration_xor,
    flip_flop,
    four_sines,
    go_nogo,
    oscillation,
    reaching,
    ready_set_go,
    xor,
)
from bridge.tasks.contract import Checked, check_task
from bridge.tasks.images.task import SETS, image_task, options_of
from bridge.tasks.neurogym import FAMILY as NEUROGYM
from bridge.tasks.neurogym import neurogym_task
from bridge.tasks.options import Option, read_options
from bridge.tasks.own_code import own_code
from bridge.tasks.trials import Task

_OWN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class _Family:
    summary: str
    options: Sequence[Option]
    make: Callable[..., Task]


_FAMILIES = {
    "go-nogo": _Family(
        "answer a stimulus, keep silent without one",
        go_nogo.OPTIONS,
        lambda **options: go_nogo.GoNoGo(**options),
    ),
    "xor": _Family(
        "were two stimuli of the same sign?", xor.OPTIONS, lambda **options: xor.Xor(**options)
    ),
    "context": _Family(
        "the sign of the one of two noisy streams that a cue names",
        context.OPTIONS,
        lambda **options: context.Context(**options),
    ),
    "oscillation": _Family(
        "a pulse starts a sine that goes on without input",
        oscillation.OPTIONS,
        lambda **options: oscillation.Oscillation(**options),
    ),
    "flip-flop": _Family(
        "each output holds the sign of the last pulse in its channel",
        flip_flop.OPTIONS,
        lambda **options: flip_flop.FlipFlop(**options),
    ),
    "four-sines": _Family(
        "the sum of four sines, over and over, with a pulse each second",
        (),
        lambda **options: four_sines.FourSines(**options),
    ),
    "duration-xor": _Family(
        "did two pulses last differently long?",
        duration_xor.OPTIONS,
        lambda **options: duration_xor.DurationXor(**options),
    ),
    "ready-set-go": _Family(
        "an interval between two pulses is measured, and made again",
        (),
        lambda **options: ready_set_go.ReadySetGo(**options),
    ),
    "reaching": _Family(
        "synthetic muscle activity of reaches in eight directions",
        (),
        lambda **options: reaching.Reaching(**options),
    ),
}

BUILT_IN = tuple(_FAMILIES)
IMAGES = tuple(SETS)

_own: dict[str, Task] = {}


def task(name: str) -> Task:
    """The task of that name: a built-in one with its options, a registered one, or neurogym's.

    Args:
        name: For instance "xor", "go-nogo:strict", "flip-flop:bits=2,strict",
            "neurogym:ContextDecisionMaking-v0,step_ms=20". `.name` gives it back.

    Raises:
        SpecError: there is none, or it has no such option.
    """
    return _named(text("name", name))


def _named(name: str) -> Task:
    if name in _own:
        return _own[name]
    family, colon, options = name.partition(":")
    parts = options.split(",") if colon else []
    if family == NEUROGYM:
        return neurogym_task(name, parts)
    if family in SETS:
        return image_task(name, family, parts)
    if family not in _FAMILIES:
        known = ", ".join([*_FAMILIES, *SETS, f"{NEUROGYM}:ENVIRONMENT", *_own])
        raise SpecError(
            f"unknown task {name!r}; known are {known}; one of your own is made known by "
            "bridge.register_task, or for the command by spikebridge --task-file FILE.py"
        )
    found = _FAMILIES[family]
    return found.make(**read_options(name, parts, found.options))


def is_unregistered(name: str) -> bool:
    """Whether that may be a task of one's own which nobody has made known here yet."""
    family = name.partition(":")[0]
    foreign = name not in _own and not _is_taken(family)
    return foreign and _OWN_NAME.fullmatch(name) is not None


def check_own_name(task: Checked) -> Checked:
    """The task given, if its name, which is all that a file holds, is not that of another.

    Raises:
        SpecError: it is not a task, or the name means another.
    """
    check_task(task)
    family = task.name.partition(":")[0]
    known = task.name in _own or _is_taken(family)
    if known and not _same(_named(task.name), task):
        raise SpecError(
            f"task {task.name!r}: this name means another task; give yours another name, and "
            "register it with bridge.register_task"
        )
    return task


def _is_taken(family: str) -> bool:
    """Whether tasks that are built in have that name."""
    return family in _FAMILIES or family in SETS or family == NEUROGYM


def _same(one: Task, other: Task) -> bool:
    return one is other or (type(one) is type(other) and one == other)


def register_task(task: Checked) -> Checked:
    """Make a task of one's own known by its name, in this process.

    One that is registered under the same name gives way. Files hold the name alone: whoever reads
    one registers the task first. A process that is forked knows what its parent knew; one that is
    started afresh calls `load_task_file`.

    Returns:
        The task.

    Raises:
        SpecError: it is not a task, or has the name of a built-in one.
    """
    check_task(task)
    if _is_taken(task.name):
        raise SpecError(f"task {task.name!r}: a built-in task has this name; choose another")
    if not _OWN_NAME.fullmatch(task.name):
        raise SpecError(f"task {task.name!r}: a name is of letters, digits and . _ -")
    _own[task.name] = task
    return task


def load_task_file(path: str | Path) -> list[str]:
    """Run a Python file of one's own, which registers its tasks.

    It runs as any program does: only a file that one trusts should be given.

    Returns:
        Names of the tasks that it has registered.

    Raises:
        SpecError: there is no such file, it is not Python, it raises something (the sentence names
            the line), or it registers no task.
    """
    path = file_path(path)
    if path.suffix != ".py" or not path.is_file():
        raise SpecError(f"{path}: expected a Python file, NAME.py, that registers tasks")
    code = _compiled(path)
    before = dict(_own)
    module = ModuleType(f"spikebridge_tasks_{path.stem}")
    module.__file__ = str(path)
    # Dataclasses look for the module that they are defined in.
    sys.modules[module.__name__] = module
    with own_code("task file", path):
        exec(code, module.__dict__)
    registered = [name for name, task in _own.items() if before.get(name) is not task]
    if not registered:
        raise SpecError(f"{path}: registers no task; it should call bridge.register_task")
    return registered


def _compiled(path: Path) -> CodeType:
    """A file's code; SpecError where it cannot be read, or is not Python."""
    try:
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    # Of brackets too deep inside each other Python says the last two.
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise SpecError(f"{path}: cannot be read as Python: {error}") from None


def catalogue() -> Iterator[tuple[str, str]]:
    """Every task and option, each with one line for a person."""
    for name, family in _FAMILIES.items():
        yield name, family.summary
        for option in family.options:
            yield f"{name}:{option.written(option.default)}", option.meaning
    for name, pictures in SETS.items():
        yield name, pictures.summary
        for option in options_of(name):
            yield f"{name}:{option.written(option.default)}", option.meaning
    yield (
        f"{NEUROGYM}:ENVIRONMENT",
        "a task of the package neurogym, as ContextDecisionMaking-v0 or yang19.go-v0",
    )
    yield f"{NEUROGYM}:ENVIRONMENT,step_ms=10", "time between two samples"
    yield f"{NEUROGYM}:ENVIRONMENT,steps=300", "length of all trials; else that of the longest"
    yield f"{NEUROGYM}:ENVIRONMENT,OPTION=VALUE", "an option of the environment"
    for name, task in _own.items():
        yield name, f"registered here: {outline(task)}"


def outline(task: Task) -> str:
    """Inputs, outputs and length of a task in a few words."""
    return (
        f"inputs {task.input_size}, outputs {task.output_size}, {task.steps} samples of "
        f"{task.step_ms:g} ms ({task.steps * task.step_ms / 1000:g} s)"
    )
