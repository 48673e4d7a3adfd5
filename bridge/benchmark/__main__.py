"""A case measured in this process: `python -m bridge.benchmark CASE STARTED RESULT`.

CASE is a `Case` as JSON, STARTED when this process was started, RESULT where the answer goes.
"""

import json
import resource
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bridge.benchmark.case import Case
from bridge.benchmark.compilers import compiled_files
from bridge.errors import BridgeError

_MEASURES = {
    "floor": ("floor", "measure"),
    "backends": ("simulation", "measure"),
    "large": ("simulation", "measure"),
    "training": ("learning", "measure_training"),
    "search": ("learning", "measure_search"),
}


def measure(case: Case, started: float) -> dict[str, Any]:
    """Measure a case; only `first_run_s` where something had to be compiled."""
    room, name = _MEASURES[case.part]
    before = compiled_files()
    measured: dict[str, Any] = getattr(import_module(f"bridge.benchmark.{room}"), name)(
        case, started
    )
    if "first_run_s" not in measured and compiled_files() - before:
        return {"first_run_s": time.time() - started}
    return measured | {"peak_mb": _peak_mb()}


def _peak_mb() -> float:
    """The largest memory of this process so far."""
    # getrusage would count what the process had that started this one.
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else []:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Do it; an error is one line."""
    # A shell that starts its jobs in the background lets them ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    case, started, result = sys.argv[1:]
    try:
        measured = measure(Case(**json.loads(case)), float(started))
    except (BridgeError, MemoryError) as error:
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
