"""Where everything compiled is kept during a benchmark, so that a first run is a first run."""

import os
from pathlib import Path

from bridge.backends import cache_folder


def environment(home: Path) -> dict[str, str]:
    """The environment in which all compilers keep what they make in `home`."""
    return {**os.environ, cache_folder.ENVIRONMENT: str(home)}


def compiled_files() -> set[Path]:
    """What has been compiled there so far."""
    cython = cache_folder.home("cython")
    entries = {path for path in cython.parent.glob("*/*") if not path.name.startswith(".")}
    return {path for path in entries if path.parent != cython} | set(cython.rglob("*.so"))
