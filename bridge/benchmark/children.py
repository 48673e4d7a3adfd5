"""A case in a process of its own: started, watched, and ended with all that it started."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bridge.benchmark.case import Case
from bridge.errors import BackendError
from bridge.temporary import temporary_folder

_LOOK_S, _PATIENCE_S = 0.05, 5.0
# Looking at the memory of large processes takes long; it may take this share of the time.
_LOOKING = 0.02


def measure(
    case: Case, environment: Mapping[str, str], on_tick: Callable[[float], None]
) -> dict[str, Any]:
    """Measure a case in a fresh process.

    Args:
        case: What to measure.
        environment: That of the process.
        on_tick: Called often, with the seconds since its start.

    Returns:
        What it measured, with the peak of memory of all its processes as `peak_mb`.

    Raises:
        BackendError: it failed, was killed or took far too long.
    """
    with temporary_folder("benchmark") as folder:
        result = folder / "result.json"
        command = [sys.executable, "-m", "bridge.benchmark", json.dumps(asdict(case))]
        command += [str(time.time()), str(result)]
        limit_s = max(300.0, 20 * case.estimate_s)
        peak_mb = watch(command, environment, limit_s, on_tick)
        measured: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    measured["peak_mb"] = max(measured.get("peak_mb", 0.0), peak_mb)
    return measured


def watch(
    command: list[str],
    environment: Mapping[str, str],
    limit_s: float,
    on_tick: Callable[[float], None],
) -> float:
    """Run a command to its end.

    Returns:
        The largest memory of it and all its descendants together, MB.

    Raises:
        BackendError: it failed, was killed or took longer than `limit_s`.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        # In a session of its own Ctrl-C reaches this process only, which then ends it.
        child = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            peak_mb = _follow(child, started + limit_s, lambda now: on_tick(now - started))
        finally:
            end(child)
        if child.returncode:
            said.seek(0)
            raise BackendError(_reason(child.returncode, said.read().decode(errors="replace")))
    return peak_mb


def _follow(
    child: "subprocess.Popen[bytes]", deadline: float, on_tick: Callable[[float], None]
) -> float:
    peak_mb, next_look = 0.0, 0.0
    while True:
        with suppress(subprocess.TimeoutExpired):
            child.wait(_LOOK_S)
            return peak_mb
        now = time.monotonic()
        if now > deadline:
            raise BackendError("it was stopped: it took far longer than expected")
        if now >= next_look:
            peak_mb = max(peak_mb, sum(map(_memory_mb, family(child.pid))))
            next_look = time.monotonic() + (time.monotonic() - now) / _LOOKING
        on_tick(now)


def _reason(status: int, said: str) -> str:
    lines = said.strip().splitlines()
    if status < 0:
        return f"it was killed by {signal.Signals(-status).name}"
    return lines[-1] if lines else f"it ended with status {status}"


def end(child: "subprocess.Popen[bytes]") -> None:
    """Interrupt a process so that it ends its children; kill what does not go."""
    descendants = family(child.pid)
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_PATIENCE_S)
        descendants = family(child.pid) if child.poll() is None else descendants[1:]
        for pid in descendants:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    child.wait()


def family(pid: int) -> list[int]:
    """A process and its descendants, as far as the system reports them."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _memory_mb(pid: int) -> float:
    """Memory of a process, what it shares divided by those who share it; 0 where unknown."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
