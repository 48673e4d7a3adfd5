"""How many processors this process may keep busy."""

import multiprocessing
import os
import sys


def available_processors() -> int:
    """Those that this process may use; 1 where it is one of several: the others have the others."""
    if multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_threads() -> int:
    """How many threads may share work: at most what `OMP_NUM_THREADS` and torch are set to."""
    most = available_processors()
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) >= 1:
        most = min(most, int(asked))
    torch = sys.modules.get("torch")
    return most if torch is None else max(1, min(most, torch.get_num_threads()))
