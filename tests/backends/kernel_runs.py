"""Runs of the GPU's kernel in Triton's interpreter, in a process of their own; JSON on stdout.

Triton looks once whether it is to interpret: nothing of that may reach the other tests.
`python kernel_runs.py cpu NAME ...` interprets the cases of these names; `cuda` in place of `cpu`
runs them on a card. `tests` is on the path.
"""

import contextlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from backends.test_drawn_networks import networks
from conftest import drive_for, kim_network
from hypothesis import HealthCheck, given, settings
from kernel_networks import all_kernel_forms, driven, for_a_kernel, several_kernel_inputs

from bridge.backends import simulate
from bridge.backends.compiled.form import form_of
from bridge.backends.compiled.gpu import build, launch, refusals, values
from bridge.backends.compiled.gpu import simulation as gpu
from bridge.backends.compiled.gpu.text import kernel as kernel_text
from bridge.backends.kept import Kept, Wanted
from bridge.errors import BridgeError
from bridge.spiking.drive import FrozenNoise, OwnNoise

torch.set_num_threads(1)
HERE = torch.device(sys.argv[1])


def kernel(network, drive, dtype="float64", **asked):
    """A run in the interpreter."""
    return gpu.simulate(network, drive, Wanted(**asked), (HERE, dtype))


def compared(network, drive, want=None, **asked):
    """How much of a run differs from the reference's."""
    asked = {"voltages": True, "margins": True, **asked}
    want = simulate(network, drive, **asked) if want is None else want
    got = kernel(network, drive, **asked)
    return {"spikes": want.spikes.count, "differing": _differing(got, want)}


def _differing(got, want):
    """What is not the same, by name: of spikes how many, of numbers how many bits' worth."""
    found = {"spikes": int(np.setxor1d(got.spikes.codes(), want.spikes.codes()).size)}
    pairs = {"voltages": (got.voltages_mv, want.voltages_mv)}
    pairs["margins"] = (got.margins_mv, want.margins_mv)
    pairs |= {name: (got.readouts[name], want.readouts[name]) for name in want.readouts}
    if want.window is not None:
        for name, states in want.window.states.items():
            mine = got.window.states[name]
            pairs |= {f"{name}.{state}": (mine[state], states[state]) for state in states}
    for name, (mine, others) in pairs.items():
        found[name] = int((np.asarray(mine).view(np.int64) != others.view(np.int64)).sum())
    # A list out of order has the same codes.
    found["order"] = int((np.diff(got.spikes.codes()) <= 0).sum())
    return {name: count for name, count in found.items() if count}


def units(size):
    """The one-to-one form, in samples of four steps, with hardly any refractory period."""
    network = kim_network(size)
    (part,) = network.populations
    quick = replace(part.neurons, refractory_steps=2, initial_refractory_steps=1)
    return replace(
        network, populations=[replace(part, neurons=quick)], sample_steps=4, sample_offset_steps=1
    )


def every_form():
    """Four populations: every model's part of a step, delay, filter, input and push."""
    network = all_kernel_forms()
    return compared(network, driven(network, 3), window=(7, 23))


def several_inputs():
    """Four inputs, late and within the step; all fire at once first, so their sums' order shows."""
    network = several_kernel_inputs()
    start = np.full((2, network.size), 1.5)
    return compared(network, replace(driven(network, 4), v_initial_mv=start))


def noises():
    """Noise that is given, and this backend's own, which the loop on the CPU draws as well."""
    network = units(7)
    drive = drive_for(network, 5)
    given = np.random.default_rng(2).normal(0, 2, (20, 2, 7))
    start = drive.initial_voltages_mv(network)
    # In the first step nobody moves, and noise alone brings these to the threshold, no further.
    start[:, 0], given[0, :, 0] = -40.5, 0.5
    frozen = replace(drive, noise=FrozenNoise(values_mv=given), v_initial_mv=start)
    own = replace(drive, noise=OwnNoise(seed=2))
    found = {"given": compared(network, frozen)}
    on_cpu = simulate(network, own, backend="compiled", voltages=True, margins=True)
    found["own"] = compared(network, own, on_cpu)
    rough = kernel(network, drive, "float32", voltages=True)
    exact = simulate(network, drive, voltages=True)
    found["float32"] = float(np.abs(rough.voltages_mv - exact.voltages_mv).max())
    return found


def too_little_room():
    """A list of spikes that is too short is made again; trials that do not fit go in turns."""
    network = units(30)
    drive = drive_for(network, 2, trials=5)
    room, gpu.FIRST_ROOM = gpu.FIRST_ROOM, 0
    seen = []
    own, free = launch.Kernel.launch, launch.free_bytes

    def counted(run, tensors, numbers, trials):
        seen.append(trials)
        own(run, tensors, numbers, trials)

    launch.Kernel.launch = counted
    whole = compared(network, drive)
    launches = [list(seen)]
    seen.clear()
    launch.free_bytes = lambda _: 4000
    parts = compared(network, drive)
    launches.append(list(seen))
    launch.free_bytes = lambda _: 100
    try:
        kernel(network, drive)
        refused = "nothing"
    except BridgeError as error:
        refused = str(error)
    launch.free_bytes, gpu.FIRST_ROOM = free, room
    most = gpu.MOST_AT_ONCE, gpu.LEAST_AT_ONCE
    # Two trials take as long as is borne.
    gpu.MOST_AT_ONCE, gpu.LEAST_AT_ONCE = 2 * drive.n_steps(network) * network.size, 1
    seen.clear()
    turns, done = compared(network, drive), []
    launches.append(list(seen))
    seen.clear()

    def interrupted(fraction):
        done.append(fraction)
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        gpu.simulate(network, drive, Wanted(), (HERE, "float64"), interrupted)
    launches.append(list(seen))
    launch.Kernel.launch, (gpu.MOST_AT_ONCE, gpu.LEAST_AT_ONCE) = own, most
    found = {"whole": whole, "parts": parts, "turns": turns}
    return {**found, "launches": launches, "refused": refused, "done": done}


def refused():
    """Sentences: a state that is no number as the reference says it, and what is not taken."""
    network = units(5)
    drive = drive_for(network, 2, trials=2)
    inputs = drive.inputs.copy()
    inputs[1, 1] = 1.7e308
    said = []
    for run in (kernel, simulate):
        try:
            run(network, replace(drive, inputs=inputs))
        except BridgeError as error:
            said.append(str(error))
    spilled, own, taken = launch._spilled, launch.Kernel.launch, []

    def noted(run, *given):
        own(run, *given)
        taken.append(run.shape.sheet.held)

    launch.Kernel.launch = noted
    for words in ([None, 65], [None, 64], [9, 2], [2, 9], [0]):
        launch._spilled = partial(_following, iter(words))
        try:
            kernel(network, drive)
        except BridgeError as error:
            said.append(str(error))
    launch._spilled, launch.Kernel.launch = spilled, own
    return {"said": said, "held": taken}


def _following(words, *_):
    return next(words)


def drawn():
    """Networks drawn by chance, `BRIDGE_DRAWN_KERNELS` of them."""
    count = int(os.environ.get("BRIDGE_DRAWN_KERNELS", "2"))
    found = []

    @settings(
        max_examples=20 * count, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(network=networks())
    def one(network):
        if len(found) >= count or refusals.reason_of(for_a_kernel(network)):
            return
        network = for_a_kernel(network)
        found.append(compared(network, driven(network, 24 // network.sample_steps)))

    one()
    return found


def compiled_for(network, drive, warps, capability=90, **asked):
    """What a kernel becomes for a card that need not be there: its PTX and its machine code."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    form = form_of(network, drive, Wanted(**asked), "float64")
    sheet, blocks = kernel_text(form, held=True), values.blocks_of(network)
    given = values.kernel_arrays(network, drive, form)
    kinds = {name: str(array.dtype) for name, array in given.items()}
    run = gpu._Run(network, drive, form, Kept(network, drive, Wanted(**asked)), HERE)
    written = {name: str(each.dtype).split(".")[1] for name, each in run._written(1).items()}
    kinds = {f"{name}_at": _POINTERS[(kinds | written)[name]] for name in sheet.arrays}
    kinds |= dict.fromkeys(sheet.numbers, "i64") | dict.fromkeys(sheet.blocks, "constexpr")
    source = ASTSource(
        fn=build.module(sheet.text()).run,
        signature=kinds,
        constexprs={name: blocks[name] for name in sheet.blocks},
    )
    options = {"num_warps": warps, **launch.ROUNDED}
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    return made.asm["ptx"], _listing(Path(triton.__file__).parent, made.asm["cubin"])


_POINTERS = {"float64": "*fp64", "int8": "*i8", "int32": "*i32", "int64": "*i64"}


def _listing(triton_folder, machine_code):
    """Instructions and the use of registers, as NVIDIA's own tool reads them."""
    tool = triton_folder / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(machine_code)
        file.flush()
        command = [tool, "-sass", "-res-usage", file.name]
        environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return done.stdout


def rounding():
    """What a card rounds, of units as many as are converted, and of delays and inputs."""
    found = {}
    for network, warps in ((kim_network(200), 4), (several_kernel_inputs(), 1)):
        drive = driven(network, 2)
        ptx, machine = compiled_for(network, drive, warps, margins=True, voltages=True)
        (use,) = (line for line in machine.splitlines() if "REG:" in line)
        found[network.size] = {
            "multiplied": len(re.findall(r"\bmul(\.rn)?\.f64", ptx)),
            "fused": len(re.findall(r"\bfma\.\w*\.?f64", ptx)),
            "DMUL": machine.count("DMUL"),
            "DFMA": machine.count("DFMA"),
            "stack": int(re.search(r"STACK:(\d+)", use)[1]),
        }
    return found


INTERPRETED = (every_form, several_inputs, noises, too_little_room, refused, drawn)


def _in_a_fork(case):
    """A case in a process that parts before Triton is told to interpret; what gives its result."""
    take, give = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: give.send(case()))
    child.start()
    give.close()
    return take.recv


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        compiling = _in_a_fork(rounding) if "rounding" in sys.argv else dict
        if HERE.type == "cpu":
            os.environ["TRITON_INTERPRET"] = "1"
        found = {case.__name__: case() for case in INTERPRETED if case.__name__ in sys.argv}
        found["rounding"] = compiling()
    print(json.dumps(found))
