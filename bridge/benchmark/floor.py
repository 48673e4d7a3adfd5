"""What the machine needs at the least: to draw the noise, and to read and write the state."""

import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bridge.backends import cache
from bridge.backends.snntorch.compiled_block import compile_package, load_package
from bridge.backends.workers import in_processes
from bridge.benchmark.case import STEP_MS, Case
from bridge.benchmark.clock import Run, timed
from bridge.spiking.noise import bent, sixteen_bit_sums, trial_keys, unit_keys

# Steps of one call. Their numbers are added up and written once, so that it is drawing that takes
# time and not memory.
STEPS = 10
# Voltage, end of the refractory time, and two states of a double exponential.
STATES = 4

Work = Callable[[], object]


class Noise(nn.Module):
    """The sum of `STEPS` steps of the counter noise, (B, N)."""

    def forward(self, out: Tensor, unit: Tensor, keys: list[Tensor]) -> None:
        """From (N,) keys of the neurons and (B, 1) keys of each step."""
        total = torch.zeros_like(out)
        for step in keys:
            total = total + bent(sixteen_bit_sums(unit, step).to(out.dtype))
        out.copy_(total)


def measure(case: Case, started: float) -> dict[str, Any]:
    """Time the floor of a case's (B, N) in all its processes at once.

    A program that takes several steps in one pass over memory can stay below the part of the
    state.
    """
    torch.set_num_threads(1)
    rows = -(-case.batch // case.processes)
    calls = max(1, round(case.simulated_s * 1000 / STEP_MS["floor"] / STEPS))
    noise = _normal(case, rows) if case.target == NORMAL else _counted(case, rows)
    noise()
    start_s = time.time() - started
    taken = [_everywhere(case, noise, calls)]
    if case.target != NORMAL:
        taken.append(_everywhere(case, _state(case, rows), calls))
    noise_s, *state_s = (statistics.median(run.wall_s for run in runs) for runs in taken)
    together = list(zip(*taken, strict=True))
    return {
        "start_s": start_s,
        "wall_s": [sum(run.wall_s for run in runs) for runs in together],
        "cpu_s": [sum(run.cpu_s for run in runs) for runs in together],
        "trial_s": case.batch * case.simulated_s,
        "floor_noise_s": noise_s,
        "floor_state_s": state_s[0] if state_s else None,
    }


NORMAL = "torch normal_"


def _everywhere(case: Case, work: Work, calls: int) -> list[Run[None]]:
    """Each repeat: the longest wall time of all processes, and the sum of their CPU times."""

    def repeats(_part: int = 0, _report: object = None) -> list[Run[None]]:
        work()
        return [timed(lambda: _repeat(case, work, calls)) for _ in range(case.repeats)]

    if case.processes == 1:
        return repeats()
    parts = in_processes(repeats, case.processes)
    return [
        Run(max(run.wall_s for run in runs), sum(run.cpu_s for run in runs), None)
        for runs in zip(*parts, strict=True)
    ]


def _repeat(case: Case, work: Work, calls: int) -> None:
    for _ in range(calls):
        work()
    if case.device != "cpu":
        torch.cuda.synchronize(case.device)


def _state(case: Case, rows: int) -> Work:
    states = torch.ones(STATES, rows, case.n, device=case.device)
    # All in one call, and on a CPU NumPy's, which takes least time to start.
    array = states.numpy() if case.device == "cpu" else None

    def read_and_write() -> None:
        for _ in range(STEPS):
            states.neg_() if array is None else np.negative(array, out=array)

    return read_and_write


def _normal(case: Case, rows: int) -> Work:
    out = torch.empty(rows, case.n, device=case.device)

    def draw() -> None:
        for _ in range(STEPS):
            out.normal_()

    return draw


def _counted(case: Case, rows: int) -> Work:
    tensors = _arguments(rows, case.n, case.device)
    if case.mode != "compiled":
        return lambda: Noise()(*tensors)
    out, unit, keys = tensors
    loader = cache.fetch("floor", [torch.__version__, platform.machine()], _compile, _load)
    return lambda: loader.run([out, unit, *keys])


def _arguments(rows: int, n: int, device: str) -> tuple[Tensor, Tensor, list[Tensor]]:
    out = torch.zeros(rows, n, device=device)
    unit = unit_keys(torch.arange(n, dtype=torch.int32)).to(device)
    keys = torch.from_numpy(np.tile(trial_keys(0, 0, range(rows)), (1, STEPS // 2))).to(device)
    return out, unit, [key[:, None].contiguous() for key in keys.unbind(1)]


def _compile(folder: Path) -> None:
    """Compile the drawing of noise into a folder."""
    trials, neurons = torch.export.Dim("trials", min=2), torch.export.Dim("neurons", min=2)
    axes = ({0: trials, 1: neurons}, {0: neurons}, [{0: trials}] * STEPS)
    compile_package(Noise(), _arguments(512, 208, "cpu"), axes, folder / _FILE)


def _load(folder: Path) -> Any:
    return load_package(folder / _FILE)


_FILE = "noise.pt2"
