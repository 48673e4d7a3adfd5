"""Where everything compiled is kept during a benchmark, so that a first run is a first run."""

import os
from pathlib import Path

from bridge.backends import cache

_CYTHON, _TORCH = "CYTHON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"


def environment(home: Path) -> dict[str, str]:
    """The environment in which all compilers keep what they make in `home`."""
    kept = {
        cache.ENVIRONMENT: str(home),
        _CYTHON: str(home / "cython"),
        _TORCH: str(home / "inductor"),
    }
    return {**os.environ, **kept}


def compiled_files() -> set[Path]:
    """What has been compiled there so far."""
    root = cache.root()
    entries = {path for path in root.glob("*/*") if not path.name.startswith(".")}
    own = {path for path in entries if path.parent.name not in ("cython", "inductor")}
    return own | set((root / "cython").rglob("*.so"))
