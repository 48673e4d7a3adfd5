"""An importer in a process of its own: started, followed, and ended with all that it started."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import bridge
from bridge.conformance import child
from bridge.conformance.judging import DIED, ERROR, LATE, Verdict
from bridge.conformance.trap import Trap
from bridge.errors import SpecError
from bridge.exchange.nir.file import Array

_LOOK_S = 0.05
# Importing torch and an importer for the first time, on a slow disk.
_LOADING_S = 300.0
_WORDS = {child.ERROR: ERROR, child.DIED: DIED, child.LATE: LATE}
# Loads this package alone: what else lies beside it stays hidden from another environment's Python.
_START = """
import sys
from importlib import util
root = sys.argv.pop(1)
start, inside = root + "/__init__.py", [root]
spec = util.spec_from_file_location("bridge", start, submodule_search_locations=inside)
sys.modules["bridge"] = package = util.module_from_spec(spec)
spec.loader.exec_module(package)
from bridge.conformance.child import main
main(sys.argv[1:])
"""

Outcome = Array | Verdict


@dataclass(frozen=True)
class Importer:
    """A reader of NIR.

    Attributes:
        name: What the user calls it.
        module: The module that runs it; see `bridge.conformance.importers`.
        python: The Python that has it installed.
    """

    name: str
    module: str
    python: str = sys.executable


@dataclass(frozen=True, eq=False)
class Written:
    """A trap with the files that an importer is given."""

    trap: Trap
    graph: Path
    inputs: Path


def run(
    importer: Importer,
    written: Sequence[Written],
    folder: Path,
    limit_s: float,
    on_done: Callable[[float], None] = lambda share: None,
) -> tuple[Mapping[str, str], Mapping[str, Outcome]]:
    """Run graphs through an importer.

    Args:
        importer: Which.
        written: The graphs.
        folder: An empty one, for its results.
        limit_s: How long it may take for each graph.
        on_done: Called with the share of the graphs that are done.

    Returns:
        The versions of its packages, and of each graph, by its name, what came of it: outputs, or
        what is said of it. If the importer is not installed nothing came of any.
    """
    job = {
        "module": importer.module,
        "only_versions": not written,
        "limit_s": limit_s,
        "traps": [
            {
                "name": each.trap.name,
                "path": str(each.graph),
                "inputs": str(each.inputs),
                "dt_s": each.trap.dt_ms / 1000.0 if each.trap.dt_is_given else None,
            }
            for each in written
        ],
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    names = [each.trap.name for each in written]
    with tempfile.TemporaryFile() as said:
        ended = _follow(importer, path, said.fileno(), names, limit_s, on_done)
        said.seek(0)
        told = said.read().decode(errors="replace").strip().splitlines()
    versions = folder / child.VERSIONS
    if not versions.is_file():
        raise SpecError(
            f"{importer.name}: {importer.python} cannot run it ({_reason(told, ended)})"
        )
    known: Mapping[str, str] = json.loads(versions.read_text(encoding="utf-8"))
    return known, dict(_outcomes(folder, names, ended))


def _follow(
    importer: Importer,
    job: Path,
    errors: int,
    names: Sequence[str],
    limit_s: float,
    on_done: Callable[[float], None],
) -> Verdict | None:
    """Run the process to its end, or end it; None where it ended well."""
    command = [importer.python, "-c", _START, str(Path(bridge.__file__).parent), str(job)]
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        # In a session of its own Ctrl-C reaches this process only, which then ends it.
        process = subprocess.Popen(
            command,
            env={**os.environ, **single},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            cwd=job.parent.parent,
        )
    except OSError as error:
        raise SpecError(f"{importer.name}: {importer.python}: {error.strerror}") from None
    began, allowed = time.monotonic(), _LOADING_S
    try:
        while process.poll() is None and time.monotonic() - began < allowed:
            if (job.parent / child.READY).is_file():
                allowed = _LOADING_S + limit_s * len(names)
            done = sum(_file_of(job.parent, name) is not None for name in names)
            on_done(done / max(len(names), 1))
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_S)
        late = process.poll() is None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if late:
        return Verdict(LATE, f"no end within {allowed:g} s")
    status = process.returncode
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    return Verdict(DIED, f"its process ended with {how}") if status else None


def _reason(told: Sequence[str], ended: Verdict | None) -> str:
    """Why a process that did not begin its work did not."""
    if ended is not None and ended.word == LATE:
        return ended.said
    return told[-1] if told else "it ended without a word"


def _file_of(folder: Path, name: str) -> Path | None:
    """The file that says what came of a graph."""
    files = (folder / f"{name}{end}" for end in (".npy", *_WORDS))
    return next((path for path in files if path.is_file()), None)


def _outcomes(
    folder: Path, names: Sequence[str], ended: Verdict | None
) -> Iterator[tuple[str, Outcome]]:
    """What came of each graph; where the importer itself did not load, of none of them."""
    broken = folder / f"{child.READY}{child.ERROR}"
    for name in names:
        path = _file_of(folder, name)
        if path is not None and path.suffix == ".npy":
            yield name, np.load(path)
        elif path is not None:
            yield name, Verdict(_WORDS[path.suffix], path.read_text(encoding="utf-8"))
        elif broken.is_file():
            yield name, Verdict(ERROR, f"importing it: {broken.read_text(encoding='utf-8')}")
        elif ended is not None:
            loading = "" if (folder / child.READY).is_file() else "importing it: "
            yield name, Verdict(ended.word, f"{loading}{ended.said}")
