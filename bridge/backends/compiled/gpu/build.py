"""The module of a kernel: Triton wants its source in a file, so it is written into the cache."""

import linecache
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from bridge.backends import cache
from bridge.errors import BackendError


def check_triton() -> None:
    """Raise BackendError where there is no Triton."""
    if find_spec("triton") is None:
        raise BackendError(
            "backend compiled on a GPU needs Triton, which is not installed; it comes with "
            "PyTorch's builds for CUDA on Linux"
        )


def key(text: str) -> list[Any]:
    """What decides a module."""
    return [text]


# Kernels of forms that were run long ago are given back.
@lru_cache(maxsize=64)
def module(text: str) -> ModuleType:
    """The module of a text, written first where it is not kept.

    Raises:
        BackendError: Triton is missing, or there is no room for the module anywhere.
    """
    check_triton()
    path = cache.fetch(
        "kernel", key(text), partial(_write, text), partial(_whole, text), "the kernel"
    )
    made = ModuleType(f"spikebridge_kernel_{path.parent.name}")
    made.__file__ = str(path)
    linecache.checkcache(str(path))
    exec(compile(text, str(path), "exec"), made.__dict__)
    return made


def _write(text: str, folder: Path) -> None:
    folder.mkdir()
    (folder / "kernel.py").write_text(text)


def _whole(text: str, entry: Path) -> Path | None:
    """The file of a module; None where it is not there or damaged."""
    path = entry / "kernel.py"
    try:
        return path if path.read_text() == text else None
    except (FileNotFoundError, UnicodeDecodeError):
        return None
