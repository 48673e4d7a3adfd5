"""What runs in the process of an importer: it loads the importer once, and forks for each graph.

It imports nothing of ours but the importers' files, so that the Python of another environment, with
an importer that does not go with the others, can run it too.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

VERSIONS, READY = "versions.json", "ready"
"""Files of the folder of an importer: which versions there are, and that it has been loaded."""
ERROR, DIED, LATE = ".error", ".died", ".late"
"""What the file of a graph ends with where there are no outputs, which are .npy."""
_LOOK_S = 0.005
_LONGEST = 300
# What others fall over in is not where it went wrong.
_BELOW = ("torch", "numpy", "h5py", "jax", "bridge", "importlib", "inspect")


def main(arguments: Sequence[str]) -> None:
    """Run the graphs of a job: the first argument is its JSON file, in whose folder results go."""
    path = Path(arguments[0])
    job, folder = json.loads(path.read_text(encoding="utf-8")), path.parent
    # Importers talk; nobody listens.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    importer = import_module(job["module"])
    versions = versions_of(importer.PACKAGES)
    _put(folder / VERSIONS, json.dumps(versions))
    if len(versions) < len(importer.PACKAGES) or job["only_versions"]:
        return
    try:
        importer.load()
    # Some end their process where something is missing, as if all were well.
    except (Exception, SystemExit) as error:  # whatever an importer raises is what is said of it
        _put(folder / f"{READY}{ERROR}", _said(error))
        return
    _put(folder / READY, "")
    for trap in job["traps"]:
        _fork(partial(_run, importer, trap, folder), folder / trap["name"], job["limit_s"])


def versions_of(packages: Sequence[str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _run(importer: Any, trap: dict[str, Any], folder: Path) -> None:
    """Let an importer run one graph, and keep what it gives, or its error."""
    inputs = np.load(trap["inputs"])
    try:
        given = np.asarray(importer.run(trap["path"], inputs, trap["dt_s"]), dtype=np.float64)
    except Exception as error:  # whatever an importer raises is what is said of it
        _put(folder / f"{trap['name']}{ERROR}", _said(error))
        return
    unfinished = folder / f"{trap['name']}.part"
    with unfinished.open("wb") as file:
        np.save(file, given)
    unfinished.replace(folder / f"{trap['name']}.npy")


def _fork(work: Callable[[], None], path: Path, limit_s: float) -> None:
    """Do a piece of work in a process of its own; say how that ended where it did not end well."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    deadline = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            _put(path.with_name(f"{path.name}{LATE}"), f"no end within {limit_s:g} s")
            return
        time.sleep(_LOOK_S)
    if not any(path.with_name(f"{path.name}{end}").is_file() for end in (".npy", ERROR)):
        killed = os.WIFSIGNALED(status)
        how = signal.Signals(os.WTERMSIG(status)).name if killed else "without a result"
        _put(path.with_name(f"{path.name}{DIED}"), f"its process ended {'by ' * killed}{how}")


def _put(path: Path, text: str) -> None:
    """Write a file that is whole as soon as it is there."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _said(error: BaseException) -> str:
    """The error in a line: its type, its message, and in which package it was raised."""
    cause = error.__cause__
    told = " ".join(str(error).split()).replace(f"{Path.cwd()}/", "")
    told = told if cause is None else f"{told}: {type(cause).__name__}: {cause}"
    told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."
    words = f"{type(error).__name__}: {told}" if told else type(error).__name__
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [str(frame.f_globals.get("__name__", "")).partition(".")[0] for frame in frames]
    where = [name for name in names if name and name not in _BELOW]
    return f"{words} (in {where[-1]})" if where else words


if __name__ == "__main__":
    main(sys.argv[1:])
