"""snnTorch: many trials and many scale factors in one tensor program, on CPU or CUDA.

float64 repeats the reference's operations in its order; on the CPU that gives its spikes bit for
bit, and on CUDA it has not been tried since sums run in that order there, too. float32 is faster,
sees the same noise rounded, and agrees in distribution only.
"""

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from bridge.backends.compiler import can_compile
from bridge.backends.cuda_graphs import in_graphs
from bridge.backends.devices import room_on, torch_device
from bridge.backends.kept import Wanted
from bridge.backends.recorder import recording
from bridge.backends.snntorch import compiled_block
from bridge.backends.snntorch.batch import Batch, How
from bridge.backends.snntorch.block_in_graph import in_one_graph
from bridge.backends.snntorch.compiled_block import Advance, is_kept
from bridge.backends.torch_settings import own_settings
from bridge.backends.workers import available_processes, in_processes
from bridge.errors import BackendError, SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive, OwnNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

DTYPES = {"float64": torch.float64, "float32": torch.float32}


# The options are named one by one, so that Python itself refuses an unknown one.
def simulate(  # noqa: PLR0913
    network: SpikingNetwork,
    drive: Drive,
    *,
    dtype: str = "float64",
    device: str = "cpu",
    compiled: bool | None = None,
    dense: bool | None = None,
    workers: int | None = None,
    voltages: bool = False,
    margins: bool = False,
    values: bool = False,
    window: tuple[int, int] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials as one batch, or as one batch in each of several processes.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is drawn by torch on the device.
        dtype: "float64" or "float32".
        device: "cpu", "cuda" or "cuda:N".
        compiled: Whether to compile the step; None: on the CPU, where it pays or lies compiled
            already. Without a compiler it is not, and the recording's provenance says so.
        dense: Spread spikes by matrix products inside the compiled steps, not event by event; None:
            in float32, for few trials of a small network, and on CUDA. Sums then run in another
            order, so spikes agree with the reference's unless a voltage comes within rounding
            of threshold (`margins` shows).
        workers: Processes that share the trials, on the CPU; None: as many as pay. Spikes do not
            depend on it, except under `OwnNoise`, which has one unless stated otherwise.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        values: Keep what populations that emit values pass on, at the end of each sample.
        window: Keep every state, and what is passed on, in each step from the first number on and
            before the second; None: nothing. With a window all steps are taken one by one, which
            is slower.
        on_progress: Called with the fraction done.
    """
    drive.check(network)
    place = torch_device(device)
    if dtype not in DTYPES:
        raise SpecError(f"unknown dtype {dtype!r}; known are {', '.join(DTYPES)}")
    if compiled and place.type != "cpu":
        # Loaded on CUDA, what PyTorch compiles ahead of time ends the process.
        raise SpecError("compiled: steps are compiled for the CPU only; on CUDA leave it out")
    like = torch.empty((), dtype=DTYPES[dtype], device=place)
    wanted = Wanted(voltages=voltages, margins=margins, values=values, window=window)
    how = How(like, compiled, dense, wanted)
    processes = _processes(network, drive, place, workers)
    with _settings(like), room_on(place, "run fewer trials at once", _FEWER):
        if processes == 1:
            return _simulate(network, drive, how, on_progress)
        # Compiled before the processes part, so that they share it.
        first = Batch(network, drive.trials(0, 1), how)
        how = replace(how, compiled=_advances(first, network, drive, how) != first.stages)
        parts = [
            (part[0], part[-1] + 1) for part in np.array_split(np.arange(drive.n_trials), processes)
        ]

        def run_part(number: int, report: Callable[[float], None]) -> Recording:
            with _settings(like):
                return _simulate(network, drive.trials(*parts[number]), how, report)

        recordings = in_processes(run_part, processes, on_progress)
    return Recording.joined(recordings)


# What commands call it.
_FEWER = ("trials", "search_trials")


def _processes(
    network: SpikingNetwork, drive: Drive, device: torch.device, asked: int | None
) -> int:
    """How many processes share the trials."""
    if asked is not None:
        counted("workers", asked, least=1)
        if asked > 1 and device.type != "cpu":
            raise SpecError("workers: several share trials on the CPU only")
        return min(asked, drive.n_trials)
    if device.type != "cpu" or isinstance(drive.noise, OwnNoise):
        return 1
    work = float(drive.n_trials) * drive.n_steps(network) * network.size
    return min(available_processes(), drive.n_trials, 1 + int(work / WORTH_A_PROCESS))


def _slow_uncompiled(network: SpikingNetwork, drive: Drive) -> bool:
    """Whether a run that is not compiled takes so long that compiling once for all soon pays.

    Measured on two cores of 2.8 GHz: 0.5 ms a step for the calls, and 30 ns for each neuron.
    """
    step_s = 5e-4 + 3e-8 * drive.n_trials * network.size
    return step_s * drive.n_steps(network) > WORTH_COMPILING_S


WORTH_A_PROCESS = 5e8
WORTH_COMPILING_S = 8.0


def _settings(like: Tensor) -> AbstractContextManager[None]:
    """One thread and no gradients; processes with trials of their own do not wait for another."""
    return own_settings(gradients=False, flush_denormals=like.dtype == torch.float32)


def _simulate(
    network: SpikingNetwork, drive: Drive, how: How, on_progress: Callable[[float], None] | None
) -> Recording:
    run = Batch(network, drive, how)
    advances = _advances(run, network, drive, how)
    compiled = advances != run.stages
    if in_graphs(how.like.device) and not compiled:
        advances = [in_one_graph(stage) for stage in run.stages]
    for sample in range(len(drive.inputs)):
        run.sample(sample, advances)
        if on_progress is not None:
            on_progress((sample + 1) / len(drive.inputs))
    details = {
        "dtype": str(how.like.dtype).removeprefix("torch."),
        "device": str(how.like.device),
        "compiled": compiled,
        "dense": run.plan.dense,
    }
    return recording(network, drive, run, run.kept, backend="snntorch", **details)


def _advances(run: Batch, network: SpikingNetwork, drive: Drive, how: How) -> Sequence[Advance]:
    """The steps of each stage's block, compiled where that was asked for or pays."""
    wanted = how.compiled
    if wanted is None:
        pays = how.like.device.type == "cpu" and can_compile()
        wanted = pays and (_slow_uncompiled(network, drive) or all(map(is_kept, run.stages)))
    if not wanted:
        return run.stages
    if not can_compile():
        raise BackendError("compiling needs g++, not found on this machine; use compiled=False")
    try:
        return [compiled_block.compiled(stage) for stage in run.stages]
    except BackendError as error:
        if how.compiled:
            raise
        warnings.warn(f"{error}; the run goes on uncompiled, slower", stacklevel=2)
        return run.stages
