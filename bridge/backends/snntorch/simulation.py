"""snnTorch: many trials and many scale factors in one tensor program, on CPU or CUDA.

float64 repeats the reference's operations in its order; on the CPU that gives its spikes bit for
bit, and on CUDA it has not been tried since sums run in that order there, too. What is compiled for
CUDA is held against the eager step bit for bit before it is used. float32 is faster,
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
from bridge.backends.snntorch.block_step import BlockStep
from bridge.backends.snntorch.compiled_block import Advance, is_kept
from bridge.backends.snntorch.compiled_step import compiled_step, is_at_hand
from bridge.backends.snntorch.single_steps import one_by_one
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
        compiled: Whether to compile the step; None: where it pays, or it is compiled already. Where
            it cannot be compiled, or on CUDA would round differently in float64, the run goes on
            without, unless True demands it; the recording's provenance says which.
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
    like = torch.empty((), dtype=DTYPES[dtype], device=place)
    wanted = Wanted(voltages=voltages, margins=margins, values=values, window=window)
    how = How(like, compiled, dense, wanted)
    processes = _processes(network, drive, place, workers)
    with _settings(like), room_on(place, "run fewer trials at once", _FEWER):
        if processes == 1:
            return _simulate(network, drive, how, on_progress)
        # Compiled before the processes part, so that they share it.
        first = Batch(network, drive.trials(0, 1), how)
        how = replace(how, compiled=_compiled(first, network, drive, how) is not None)
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


def _pays(network: SpikingNetwork, drive: Drive, stages: Sequence[BlockStep]) -> bool:
    """Whether compiling on the CPU costs little, or a run without takes so long that it soon pays.

    Measured on two cores of 2.8 GHz: 0.5 ms a step for the calls, and 30 ns for each neuron.
    """
    if not can_compile():
        return False
    step_s = 5e-4 + 3e-8 * drive.n_trials * network.size
    slow = step_s * drive.n_steps(network) > WORTH_COMPILING_S
    return slow or all(map(is_kept, stages))


def _pays_in_a_graph(network: SpikingNetwork, drive: Drive, stages: Sequence[BlockStep]) -> bool:
    """Whether it does on a GPU, where a step that is not compiled is a graph of operations.

    No run there has been timed. The estimate is of 100 operations of 3 microseconds each, by which
    three numbers of 8 bytes go through memory for each neuron, 2 TB a second. Inductor and Triton,
    which need no GPU for it, take 2 to 13 s to write and compile a step.
    """
    step_s = 3e-4 + 1.2e-9 * drive.n_trials * network.size
    slow = step_s * drive.n_steps(network) > WORTH_COMPILING_S
    return slow or all(map(is_at_hand, stages))


WORTH_A_PROCESS = 5e8
WORTH_COMPILING_S = 8.0


def _settings(like: Tensor) -> AbstractContextManager[None]:
    """One thread and no gradients; processes with trials of their own do not wait for another."""
    return own_settings(gradients=False, flush_denormals=like.dtype == torch.float32)


def _simulate(
    network: SpikingNetwork, drive: Drive, how: How, on_progress: Callable[[float], None] | None
) -> Recording:
    run = Batch(network, drive, how)
    compiled = _compiled(run, network, drive, how)
    advances: Sequence[Advance] = compiled or run.stages
    if in_graphs(how.like.device):
        pairs = zip(run.stages, advances, strict=True)
        advances = [in_one_graph(stage, advance) for stage, advance in pairs]
    for sample in range(len(drive.inputs)):
        run.sample(sample, advances)
        if on_progress is not None:
            on_progress((sample + 1) / len(drive.inputs))
    details = {
        "dtype": str(how.like.dtype).removeprefix("torch."),
        "device": str(how.like.device),
        "compiled": compiled is not None,
        "dense": run.plan.dense,
    }
    return recording(network, drive, run, run.kept, backend="snntorch", **details)


def _compiled(
    run: Batch, network: SpikingNetwork, drive: Drive, how: How
) -> Sequence[Advance] | None:
    """The steps of each stage's block, compiled where that was asked for or pays."""
    in_graph = in_graphs(how.like.device)
    wanted = how.compiled
    if wanted is None:
        pays = _pays_in_a_graph if in_graph else _pays
        wanted = pays(network, drive, run.stages)
    if not wanted:
        return None
    if not in_graph and not can_compile():
        raise BackendError("compiling needs g++, not found on this machine; use compiled=False")
    try:
        if in_graph:
            return [one_by_one(stage, compiled_step(stage)) for stage in run.stages]
        return [compiled_block.compiled(stage) for stage in run.stages]
    except BackendError as error:
        if how.compiled:
            raise
        warnings.warn(f"{error}; the run goes on uncompiled, slower", stacklevel=2)
        return None
