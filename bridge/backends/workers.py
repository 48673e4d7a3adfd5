"""Parts of one piece of work in processes of their own, forked from this one.

A forked process starts at once with everything that is loaded and compiled; it runs on one
thread, and hands back only its result.
"""

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from bridge.backends.processors import available_processors
from bridge.errors import BackendError, BridgeError

Result = TypeVar("Result")
Work = Callable[[int, Callable[[float], None]], Result]


def can_fork() -> bool:
    """Whether this process may have children: one that is itself a worker may not.

    Nor may any on macOS: what is forked there may die in the system's linear algebra.
    """
    forked = multiprocessing.parent_process() is not None or sys.platform == "darwin"
    return not forked and "fork" in multiprocessing.get_all_start_methods()


def available_processes() -> int:
    """How many processes may run at once: a CPU that this process may use each, 1 if none forks."""
    if not can_fork():
        return 1
    return available_processors()


def in_processes(
    work: Work[Result], parts: int, on_progress: Callable[[float], None] | None = None
) -> list[Result]:
    """`work(part, report)` for each part, each in its own process; what they return, in order.

    Args:
        work: What is done; `report` takes the fraction done.
        parts: How many processes.
        on_progress: Called here, with the fraction of all parts done.

    Raises:
        BackendError: a process died.
        BridgeError: what the work itself raises.
    """
    context = multiprocessing.get_context("fork")
    pipes, processes = [], []
    try:
        for part in range(parts):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(work, part, theirs), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        return _results(pipes, on_progress or (lambda fraction: None))
    finally:
        # After an interrupt or an error nobody waits for the rest.
        for process in processes:
            process.kill() if process.is_alive() else None
            process.join()


def _results(pipes: list[Connection], on_progress: Callable[[float], None]) -> list[Any]:
    done = dict.fromkeys(range(len(pipes)), 0.0)
    results: dict[int, Any] = {}
    while len(results) < len(pipes):
        for ready in wait([pipe for part, pipe in enumerate(pipes) if part not in results]):
            part = pipes.index(ready)  # type: ignore[arg-type]
            try:
                kind, value = pipes[part].recv()
            except EOFError:
                raise BackendError(
                    "a worker process ended without a result; was it killed, or short of memory?"
                ) from None
            if kind == "failed":
                raise value
            if kind == "result":
                results[part] = value
            done[part] = 1.0 if kind == "result" else value
            on_progress(sum(done.values()) / len(pipes))
    return [results[part] for part in range(len(pipes))]


def _run(work: Work[Any], part: int, pipe: Connection) -> None:
    # An interrupt from the terminal reaches everyone; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        result = work(part, lambda fraction: pipe.send(("progress", fraction)))
        pipe.send(("result", result))
    except BridgeError as error:
        pipe.send(("failed", error))
    # The end of the process: whatever went wrong must reach the parent, not be lost here.
    except Exception:
        pipe.send(("failed", BackendError(f"a worker failed: {traceback.format_exc(limit=-1)}")))
    finally:
        pipe.close()
