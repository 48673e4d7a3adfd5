"""Wall and CPU time of a piece of work."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Run(Generic[Result]):
    """What a piece of work took and gave; `cpu_s` counts processes that it waited for."""

    wall_s: float
    cpu_s: float
    result: Result


def timed(work: Callable[[], Result]) -> Run[Result]:
    """Do it, with a watch."""
    before, started = cpu_s(), time.perf_counter()
    result = work()
    return Run(time.perf_counter() - started, cpu_s() - before, result)


def cpu_s() -> float:
    """CPU time of this process and of those that it waited for, s."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
