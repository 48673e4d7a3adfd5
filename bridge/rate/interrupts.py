"""Ctrl-C during work that must not be left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_held() -> Iterator[threading.Event]:
    """An interrupt sets the event, so that no update is left half done; a second one acts."""
    event = threading.Event()
    # Handlers belong to the main thread; elsewhere no KeyboardInterrupt comes.
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def hold(*_: object) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
