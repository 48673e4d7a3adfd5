"""On what machine, with which programs and settings a benchmark was measured."""

import hashlib
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from bridge.backends.workers import available_processes
from bridge.versions import version

_PACKAGES = ("spikebridge", "torch", "snntorch", "brian2", "cython", "numpy", "scipy")
# The parts of this package whose speed is measured.
_MEASURED = ("backends", "methods", "rate", "spiking", "tasks")


def describe() -> dict[str, Any]:
    """What decides how fast things are, as plain values."""
    gpus = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return {
        "cpu": _cpu(),
        "cores": available_processes(),
        "memory_gb": _memory_gb(),
        "gpu": ", ".join(gpus),
        "os": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
        "compiler": _compiler(),
        "code": digest_of(Path(__file__).parents[1]),
    }


def now() -> str:
    """Date and time, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _cpu() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gb() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return 0.0


def _compiler() -> str:
    if shutil.which("g++") is None:
        return ""
    done = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=False)
    return f"g++ {done.stdout.strip()}"


def digest_of(home: Path) -> str:
    """A digest of what is measured of the source: results of another one are not mixed with it.

    Args:
        home: Where the package lies.
    """
    digest = hashlib.sha256()
    for path in sorted(path for room in _MEASURED for path in (home / room).rglob("*.py")):
        digest.update(path.relative_to(home).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]
