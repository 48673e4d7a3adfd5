"""Brian2, the reference simulator of the field: numpy, cython and C++ standalone targets.

All targets are compiled with strict flags and repeat the reference's operations: the same
voltages bit for bit. numpy and cython run chunks of trials side by side; standalone compiles a
program once for all networks of one form, and runs it once for each trial.
"""

import os
import sys
import warnings
from collections.abc import Callable

from bridge.backends.brian2 import toolchain
from bridge.backends.brian2.program import run as run_program
from bridge.backends.brian2.results import Results
from bridge.backends.kept import Kept, Wanted
from bridge.backends.recorder import recording
from bridge.backends.workers import can_fork, in_processes
from bridge.errors import BackendError, SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

TARGETS = tuple(toolchain.TOOLS)


# The options are named one by one, so that Python itself refuses an unknown one.
def simulate(  # noqa: PLR0913
    network: SpikingNetwork,
    drive: Drive,
    *,
    target: str | None = None,
    workers: int | None = None,
    voltages: bool = False,
    margins: bool = False,
    values: bool = False,
    window: tuple[int, int] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials in float64.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is drawn by Brian2's `randn`.
        target: "standalone" (C++), "cython", or "numpy", which needs no compiler; None:
            standalone where g++ is installed, else numpy, with a warning.
        workers: How many trials standalone runs at once; None: as many as there are CPUs.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        values: Keep what populations that emit values pass on, at the end of each sample.
        window: Keep every state, and what is passed on, in each step from the first number on and
            before the second; None: nothing.
        on_progress: Called with the fraction done: now and then (numpy, cython), or after each
            trial (standalone).

    Raises:
        SpecError: the drive does not fit, or an option makes no sense.
        BackendError: the target lacks its compiler, or Brian2 failed.
    """
    drive.check(network)
    at_once = counted("workers", (os.cpu_count() or 1) if workers is None else workers, least=1)
    chosen, fallback = _chosen(target)
    details = {"target": chosen, **({"fallback": fallback} if fallback else {})}
    wanted = Wanted(voltages=voltages, margins=margins, values=values, window=window)
    report = on_progress or (lambda fraction: None)

    def run_here(report: Callable[[float], None]) -> Recording:
        kept = Kept(network, drive, wanted)
        results = Results(network, drive, kept)
        if chosen == "standalone":
            run_program(network, drive, results, at_once, report)
        else:
            # Only here is Brian2 itself imported: that takes longer than many a run.
            from bridge.backends.brian2.runtime import run

            run(network, drive, results, chosen, report)
        return recording(
            network, drive, results, kept, backend="brian2", dtype="float64", **details
        )

    if chosen == "standalone" or "brian2" not in sys.modules:
        return run_here(report)
    return _on_the_runtime_device(run_here, report)


def _on_the_runtime_device(
    run_here: Callable[[Callable[[float], None]], Recording], report: Callable[[float], None]
) -> Recording:
    """Run here where Brian2 makes its objects in this process; else in one forked from it.

    There the user's device, half filled with a program of their own, stays what it is.
    """
    from bridge.backends.brian2 import session as brian2_session

    if brian2_session.has_runtime_device():
        return run_here(report)
    if not can_fork():
        raise BackendError(
            "Brian2 is in standalone mode in this process, and this one can start no other for "
            "its numpy and cython targets; choose target='standalone', or call "
            "brian2.set_device('runtime') first"
        )

    def run_there(_: int, report: Callable[[float], None]) -> Recording:
        brian2_session.take_the_runtime_device()
        return run_here(report)

    (made,) = in_processes(run_there, 1, report)
    return made


def _chosen(target: str | None) -> tuple[str, str]:
    """The target to run, and why it is not the one preferred ("" where it is)."""
    if target is None:
        missing = toolchain.missing_tools("standalone")
        if not missing:
            return "standalone", ""
        fallback = f"{' and '.join(missing)} not found on this machine"
        warnings.warn(
            f"Brian2 runs its numpy target, many times slower than C++: {fallback}",
            UserWarning,
            # The caller of `bridge.simulate`.
            stacklevel=4,
        )
        return "numpy", fallback
    if target not in TARGETS:
        raise SpecError(f"unknown Brian2 target {target!r}; known are {', '.join(TARGETS)}")
    missing = toolchain.missing_tools(target)
    if missing:
        raise BackendError(
            f"Brian2's {target} target needs {' and '.join(missing)}, not found on this machine; "
            "install a C++ compiler or choose the target numpy"
        )
    return target, ""
