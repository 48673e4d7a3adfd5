"""Arithmetic as every run needs it, whatever the caller has set for the whole process or thread."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_SUBNORMAL = np.float64(5e-324)


@contextmanager
def plain_arithmetic() -> Iterator[None]:
    """NumPy's errors as it is shipped, and subnormal numbers kept; after that as it was.

    A caller may make underflow an error, as which a decaying filter would end; and torch's
    `set_flush_denormal` holds for NumPy in the same thread, too.
    """
    flushed = flushes_denormals()
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        _flush(flushed, to=False)
        try:
            yield
        finally:
            _flush(flushed, to=True)


def flushes_denormals() -> bool:
    """Whether subnormal numbers count as zero in this thread; nobody but the processor knows."""
    return bool(_SUBNORMAL * np.float64(1.0) == 0.0)


def _flush(flushed: bool, *, to: bool) -> None:  # noqa: FBT001
    # Only torch sets it, and only torch can be asked to.
    if flushed and "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(to)
