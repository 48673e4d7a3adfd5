"""Programs run in parallel, all of which end when the one who started them stops."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from bridge.errors import BackendError

Done = TypeVar("Done")


class Children:
    """The processes under way; none can be started any more once they were ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._ended = False

    def run(
        self, command: list[str], folder: Path, changes: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run a command in `folder` to its end; `changes` are those of its environment.

        Returns:
            Its exit status (negative: the signal that ended it), and all it printed.

        Raises:
            BackendError: it cannot be started.
        """
        with self._lock:
            if self._ended:
                raise BackendError("the run was stopped")
            try:
                # In a session of its own Ctrl-C reaches this process only, which then ends them.
                child = subprocess.Popen(
                    command,
                    cwd=folder,
                    env={**os.environ, **(changes or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                raise BackendError(f"{command[0]} cannot be started: {error.strerror}") from error
            self._running.add(child)
        try:
            printed, _ = child.communicate()
        finally:
            with self._lock:
                self._running.discard(child)
            _end(child)
            child.wait()
        return child.returncode, printed

    def end(self) -> None:
        """Kill all that run, with what they have started, and let no other start."""
        with self._lock:
            self._ended = True
            for child in self._running:
                _end(child)


def _end(child: "subprocess.Popen[str]") -> None:
    if child.poll() is not None:
        return
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)


@contextmanager
def children() -> Iterator[Children]:
    """Processes that do not outlive the block, whatever ends it."""
    family = Children()
    try:
        yield family
    finally:
        family.end()


def each(
    work: Callable[[int, Children], Done], count: int, workers: int
) -> Generator[tuple[int, Done], None, None]:
    """Do `work(number, children)` for 0 to count - 1, `workers` at once in threads.

    Yields:
        Number and result, in the order in which they are done. If one fails or the caller stops,
        all processes are ended and everything has come to rest before the error goes on.
    """
    with ThreadPoolExecutor(workers) as threads, children() as family:
        futures = {threads.submit(work, number, family): number for number in range(count)}
        try:
            for future in as_completed(futures):
                # Forgotten here, results do not pile up.
                yield futures.pop(future), future.result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
