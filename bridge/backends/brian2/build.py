"""Brian2's C++ standalone target: a form becomes a compiled program that runs one trial.

Brian2 writes the sources in a process of its own (`bridge.backends.brian2.generate`): its
standalone device is one object, which may be the caller's, and preferences that lie in the current
folder must not shape what is kept under a form's key.
"""

import json
import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path

from bridge.backends import compiler
from bridge.backends.brian2 import toolchain
from bridge.backends.brian2.form import Form
from bridge.backends.brian2.units import FRAME, gather
from bridge.backends.processes import Children, children, each
from bridge.errors import BackendError

MANIFEST, PROGRAM = "manifest.json", "main"
# The files of a run: those of all trials in one folder, those of a trial in its own.
VALUES, STATIC = "values", "static_arrays"
FORM, SAID = "form.json", "said.txt"
"""What the generating process is given, and where it says why it failed."""


def table_name(name: str, number: int, factor: int) -> str:
    """A file that says which synapses there are, of a factor of projection `number`."""
    return f"{name}_{number}" if not factor else f"{name}_{number}_outer"


def build_program(form: Form, folder: Path) -> None:
    """Compile the program of one trial of a form, and note next to it how to run it.

    Args:
        form: What to build; `trials` is 1.
        folder: Made, to hold the program and its manifest. All work is done next to it.

    Raises:
        BackendError: it does not compile.
        OSError: the disk that holds the folder has no room for it.
    """
    project = folder.parent / "project"
    project.mkdir()
    (project / FORM).write_text(json.dumps(form.plain()))
    with children() as family:
        _generate(project, family)
    _compile(project)
    manifest = json.loads((project / MANIFEST).read_bytes())
    folder.mkdir()
    shutil.copy2(project / PROGRAM, folder / PROGRAM)
    # Arrays of Brian2's own, as decided by the form as the program is.
    for name in manifest.pop("fixed"):
        shutil.copy2(project / STATIC / name, folder / name)
    manifest["sha256"] = {path.name: digest(path) for path in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def _generate(project: Path, family: Children) -> None:
    """Let Brian2 write the sources and the manifest into the project."""
    found = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    changes = {"PYTHONPATH": os.pathsep.join(filter(None, found))}
    command = [sys.executable, "-m", "bridge.backends.brian2.generate", str(project)]
    status, printed = compiler.run_tool(family, command, project, changes)
    if status:
        said = project / SAID
        reason = said.read_text() if said.exists() else compiler.last_line(status, printed)
        raise BackendError(f"Brian2 could not write its C++ program: {reason}")


def _compile(project: Path) -> None:
    """Compile the files side by side, and link them; the flags are given here, so none is lost."""
    units = gather(project)
    flags = [*toolchain.strict_flags(), "-I."]

    def compile_unit(number: int, family: Children) -> None:
        # The frame sets up and hands on: trying hard would take longer than all operations do.
        mine = [*flags, *(["-O1"] if units[number] == FRAME else [])]
        _tool(["g++", *mine, "-c", units[number], "-o", f"{units[number]}.o"], project, family)

    for _ in each(compile_unit, len(units), min(len(units), os.cpu_count() or 1)):
        pass
    with children() as family:
        _tool(["g++", *flags, *(f"{unit}.o" for unit in units), "-o", PROGRAM], project, family)


def _tool(command: list[str], project: Path, family: Children) -> None:
    status, printed = compiler.run_tool(family, command, project, compiler.PLAIN_ENVIRONMENT)
    if status:
        reason = compiler.why_failed(status, printed)
        raise BackendError(f"Brian2's C++ program did not compile: {reason}")
