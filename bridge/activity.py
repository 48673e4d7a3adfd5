"""What a run is busy with before there is a fraction to report, for whoever shows its progress.

Compiling takes seconds to a minute, once, deep inside a run: what shows the progress listens here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[str], None]

_LISTENERS: list[Listener] = []


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Inform a listener of what begins inside the block, and "" where it has ended."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


def is_heard() -> bool:
    """Whether somebody listens, who shows what is being done."""
    return bool(_LISTENERS)


@contextmanager
def busy_with(what: str) -> Iterator[None]:
    """Inform the innermost listener what is being done in the block."""
    _tell(what)
    try:
        yield
    finally:
        _tell("")


def _tell(what: str) -> None:
    for listener in _LISTENERS[-1:]:
        listener(what)
