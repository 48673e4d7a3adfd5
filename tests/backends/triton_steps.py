"""What Inductor writes in Triton for a step on a GPU that is not there; JSON on stdout.

`python triton_steps.py interpreted NAME ...` runs the kernels of these cases in Triton's
interpreter, on the CPU's tensors, and counts the numbers that are not the eager step's.
`compiled` in its place compiles them for an H100 and reads its PTX and its machine code. Triton
looks once whether it is to interpret, and PyTorch is made to take a GPU for granted: nothing of
that may reach other tests.
"""

import contextlib
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TRITON_INTERPRET"] = str(int(sys.argv[1] == "interpreted"))

import numpy as np
import torch
import torch._inductor.compile_fx
import triton
from all_forms import all_forms_drive, all_forms_network
from conftest import NETWORKS, drive_for, pushes
from torch._inductor import async_compile, scheduler
from torch._inductor.codecache import PyCodeCache
from torch._inductor.runtime import triton_helpers, triton_heuristics
from torch._inductor.runtime.hints import DeviceProperties
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _triton
from triton.backends.compiler import GPUTarget
from triton.compiler.compiler import make_backend

from bridge.backends.kept import Wanted
from bridge.backends.snntorch import same_bits
from bridge.backends.snntorch.batch import Batch, How
from bridge.backends.snntorch.compiled_step import OPTIONS
from bridge.backends.snntorch.single_steps import OneStep
from bridge.backends.torch_settings import own_settings
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.activation_if import ActivationIf
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

torch.set_num_threads(1)
CARD = DeviceProperties(
    type="cuda", index=0, multi_processor_count=132, cc=90, major=9,
    regs_per_multiprocessor=65536, max_threads_per_multi_processor=2048,
    max_threads_per_block=1024, warp_size=32,
)  # fmt: skip
# As Inductor would write it unasked.
_FUSED = {"emulate_precision_casts": False} if os.environ.get("BRIDGE_FUSED") else {}
_GUARD = """
#include <c10/core/impl/DeviceGuardImplInterface.h>
C10_REGISTER_GUARD_IMPL(CUDA, c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CUDA>)
"""


def take_a_card_for_granted(folder):
    """Let PyTorch trace, and Inductor write, for a card that is never used."""
    torch_folder = Path(torch.__file__).parent
    source, library = folder / "guard.cpp", folder / "guard.so"
    source.write_text(_GUARD)
    command = ["g++", "-std=c++20", "-shared", "-fPIC", source, "-o", library]
    places = [f"-I{torch_folder / 'include'}", f"-L{torch_folder / 'lib'}", "-lc10"]
    subprocess.run([*command, *places], check=True)
    ctypes.CDLL(str(library))
    DeviceProperties.create = classmethod(lambda _, __: CARD)
    torch.cuda.get_device_properties = lambda *_: CARD
    torch.cuda.get_device_capability = lambda *_: (9, 0)
    torch.cuda.current_device = lambda: 0
    torch.cuda.set_device = lambda _: None
    torch.cuda._DeviceGuard = lambda _: contextlib.nullcontext()
    torch._C._cuda_getCurrentRawStream = lambda _: 0
    # What a step keeps between its kernels lies where the rest does.
    guards = torch._C._dynamo.guards
    guards._empty_strided_cuda = guards._empty_strided_cpu
    scheduler.has_triton = lambda: True
    _triton.triton_backend = lambda: make_backend(GPUTarget("cuda", 90, 32))
    triton_helpers.set_driver_to_gpu = lambda: None


def interpret_floor():
    """The interpreter knows nothing of NVIDIA's library, of which a step takes this alone."""
    triton_helpers.libdevice = triton.language.math


def pushed(name):
    make, samples = NETWORKS[name]
    network = make()
    pushed = pushes(name, samples * network.sample_steps)
    return network, drive_for(network, samples, trials=3, stimulation=pushed)


def every_form():
    network = all_forms_network(euler=6, exact=5, square=4, soft=3)
    return network, all_forms_drive(network)


def functions():
    """Neurons whose steps take divisions, exp, tanh, sigmoid and log1p, and pass on values."""
    models = {
        "src": Src(gate="sigmoid"),
        "softplus": ActivationIf(activation="softplus", gain_hz=300.0, bias=0.5, highest_rate=4.0),
    }
    start = UniformVoltage(low_mv=0.0, high_mv=0.5)
    populations = [
        Population(name=name, size=7 + number, neurons=model, initial_voltage=start)
        for number, (name, model) in enumerate(models.items())
    ]
    rng = np.random.default_rng(4)
    projections = [
        Projection(name=f"to_{part.name}", source=INPUT, target=part.name, filter=Direct(),
                   weights=rng.normal(0, 1, (part.size, 2)))
        for part in populations
    ]  # fmt: skip
    network = SpikingNetwork(
        dt_ms=1.0, populations=populations, projections=projections, input_size=2
    )
    inputs = rng.normal(0, 1, (4, 3, 2))
    return network, Drive(inputs=inputs, noise=SharedNoise(seed=1))


CASES = {name: (pushed, name) for name in NETWORKS}
CASES |= {"every form": (every_form,), "functions": (functions,)}


def steps_of(case):
    """The step of each stage's block."""
    make, *given = CASES[case]
    network, drive = make(*given)
    wanted = Wanted(margins=True)
    how = How(torch.empty(()).double(), None, dense=None, wanted=wanted)
    return [OneStep(stage) for stage in Batch(network, drive, how).stages]


def written(one):
    """The step as Inductor writes it for the card, and its kernels."""
    mode, sources, likes = FakeTensorMode(), [], [*one.state(), *one.given()]
    with mode:
        tensors = [torch.empty(each.shape, dtype=each.dtype, device="cuda:0") for each in likes]

    def noted(_self, name, text, device_str="cuda"):
        sources.append(text)
        return getattr(PyCodeCache.load(text), name)

    async_compile.AsyncCompile.triton = noted
    program = make_fx(one, tracing_mode="fake")(*tensors)
    with mode:
        step = torch._inductor.compile(program, tensors, options=OPTIONS | _FUSED)
    return step, sources


def interpreted(case):
    """How many numbers are not the eager step's, of how many, and of how many kernels."""
    found = {"differing": 0, "numbers": 0, "kernels": 0}
    for one in steps_of(case):
        step, sources = written(one)
        found["differing"] += same_bits.differing(one, step)
        found["numbers"] += sum(tensor.numel() for tensor in one.state())
        found["kernels"] += len(sources)
    return found


def compiled(case):
    """How often something is in the kernels' text, and in the PTX that Triton makes of it."""
    kernels, made = [], []
    taken, compile = triton_heuristics.CachingAutotuner.__init__, triton.compile

    def noted(kernel, *given, **named):
        taken(kernel, *given, **named)
        kernels.append(kernel)

    def kept(*given, **named):
        made.append(compile(*given, **named))
        return made[-1]

    triton_heuristics.CachingAutotuner.__init__, triton.compile = noted, kept
    texts = [text for one in steps_of(case) for text in written(one)[1]]
    for kernel in kernels:
        for shape in kernel.configs:
            kernel._precompile_config(shape)
    triton_heuristics.CachingAutotuner.__init__, triton.compile = taken, compile
    found = _counted(_IN_TEXT, texts) | _counted(_IN_PTX, [each.asm["ptx"] for each in made])
    found |= _counted(_IN_MACHINE_CODE, [listing(each.asm["cubin"]) for each in made])
    return {**found, "kernels": len(made)}


def _counted(patterns, texts):
    return {name: len(re.findall(each, "\n".join(texts))) for name, each in patterns.items()}


_IN_TEXT = {"atomics": r"atomic_(add|cas|xchg)\(", "products": r"tl\.dot", "singles": "float32"}
_IN_PTX = {
    "fused": r"\bfma\.\w*\.?f64",
    "multiplied": r"\bmul(\.rn)?\.f64",
    "added": r"\badd(\.rn)?\.f64",
    "rough": r"\b(div|rcp|sqrt|ex2|lg2)\.(full|approx)",
    "in any order": r"\b(atom|red)\.\w",
    "divided": r"\bdiv\.rn\.f64",
}
_IN_MACHINE_CODE = {"DMUL": r"\bDMUL\b", "DADD": r"\bDADD\b", "DFMA": r"\bDFMA\b"}


def listing(machine_code):
    """Instructions, as NVIDIA's own tool reads them."""
    tool = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(machine_code)
        file.flush()
        environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            [tool, "-sass", file.name],
            capture_output=True, text=True, env=environment, check=True,
        )  # fmt: skip
    return done.stdout


if __name__ == "__main__":
    look = {"interpreted": interpreted, "compiled": compiled}[sys.argv[1]]
    with (
        contextlib.redirect_stdout(sys.stderr),
        tempfile.TemporaryDirectory() as folder,
        own_settings(gradients=False),
    ):
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = f"{folder}/inductor"
        os.environ["TRITON_CACHE_DIR"] = f"{folder}/triton"
        take_a_card_for_granted(Path(folder))
        if look is interpreted:
            interpret_floor()
        found = {name: look(name) for name in sys.argv[2:] or CASES}
    print(json.dumps(found))
