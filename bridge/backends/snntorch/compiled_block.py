"""A block of steps compiled ahead of time by PyTorch, and kept on disk for every later run.

Compiling takes tens of seconds; loading what another process compiled takes one or two, and a call
ten microseconds. Sizes stay free and everything numerical is an argument: networks of one form
share one compiled block, whatever their weights, units and trials.
"""

import os
import platform
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

import torch
from torch import Tensor, nn

from bridge.backends import cache, cache_folder
from bridge.backends.declaration import folder_digest
from bridge.backends.snntorch.block_step import BlockStep
from bridge.errors import BackendError, first_line
from bridge.spiking import noise as noise_module

Advance = Callable[[Tensor, list[Tensor], list[Tensor], list[list[Tensor]]], None]

_KIND, _FILE = "torch", "block.pt2"
# Sizes the code is tuned for; unlike each other, so that none is taken for another.
_TRIALS, _NEURONS = 512, 208
# Of Inductor on the CPU, however it is called.
ON_CPU = {
    # One thread: where several pay, whole trials are shared out instead.
    "cpp.threads": 1,
    # They take longer to make than the first two blocks to compile without, and 300 MB.
    "cpp_cache_precompile_headers": False,
}
# Of Inductor everywhere.
FUSED = {
    # The hash uses every value twice, and inductor writes such values out again at each use unless
    # they count as long: compiling took minutes. Then all must be let into one loop again.
    "realize_opcount_threshold": 12,
    "max_fusion_size": 512,
}
_INDUCTOR = {**ON_CPU, **FUSED, "aot_inductor.precompile_headers": False}


def is_kept(block: BlockStep) -> bool:
    """Whether a block of this form lies compiled on disk."""
    entry = cache.entry(_KIND, _key(block))
    return (entry / _FILE).exists() and cache.is_ours(entry)


def compiled(block: BlockStep) -> Advance:
    """A function that does what `block` does, to the state that `block` holds.

    Raises:
        BackendError: it could not be compiled.
    """
    loader = cache.fetch(_KIND, _key(block), partial(_compile, block), _load, "its steps")
    state = list(state_of(block).values())

    def advance(
        first: Tensor, noise: list[Tensor], kicks: list[Tensor], arrivals: list[list[Tensor]]
    ) -> None:
        loader.run([*state, first, *noise, *kicks, *(one for steps in arrivals for one in steps)])

    return advance


def _key(block: BlockStep) -> list[Any]:
    machine = [platform.machine(), torch.backends.cpu.get_cpu_capability()]
    return [block.form(), torch.__version__, machine, sources()]


def sources() -> str:
    """A hash of all that the code of a step is made of."""
    # What the text of a step is made of lies elsewhere.
    spiking = Path(noise_module.__file__).parent
    beside = [spiking / f"{name}.py" for name in ("exact_functions", "noise", "operations")]
    return folder_digest(Path(__file__).parent, *beside)


def _load(entry: Path) -> Any:
    return load_package(entry / _FILE)


def load_package(package: Path) -> Any:
    """What runs a file of `compile_package`; None where it is not there or damaged."""
    try:
        return _loader(str(package)) if package.exists() else None
    except RuntimeError:
        return None


def _loader(path: str) -> Any:
    # `aoti_load_package` ends here too, but first imports the compiler, for three seconds.
    direct = getattr(getattr(torch._C, "_aoti", None), "AOTIModelPackageLoader", None)
    if direct is not None:
        return direct(path, "model", False, 1, -1)  # noqa: FBT003 - it knows no names
    with quiet():
        return torch._inductor.aoti_load_package(path).loader


def _compile(block: BlockStep, folder: Path) -> None:
    tensors, axes = _examples(block)
    compile_package(_AsFunction(block), tuple(tensors), (tuple(axes),), folder / _FILE)


def compile_package(
    module: nn.Module, arguments: tuple[Any, ...], axes: tuple[Any, ...], package: Path
) -> None:
    """Compile a module on one thread into a file, whose folder is made.

    Args:
        module: What is compiled.
        arguments: Like those of a call.
        axes: Which of their axes are free, as `torch.export.export` takes them.
        package: The file.

    Raises:
        BackendError: PyTorch cannot.
        OSError: the disk that holds the folder is full.
    """
    package.parent.mkdir()
    with quiet(), working_in(package.parent.parent):
        try:
            program = torch.export.export(module, arguments, dynamic_shapes=axes, strict=False)
            torch._inductor.aoti_compile_and_package(
                program, package_path=str(package), inductor_configs=_INDUCTOR
            )
        except (RuntimeError, OSError, SubprocessError) as error:
            cache_folder.check_room(package.parent)
            raise BackendError(f"torch could not compile the step: {first_line(error)}") from error


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """All that PyTorch's compilers and g++ write goes below a folder.

    By themselves they write below the system's temporary folder, under the name of a user who
    may have none.
    """
    changes = {
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
        "TRITON_CACHE_DIR": str(folder / "triton"),
        "TMPDIR": str(folder),
    }
    before = {name: os.environ.get(name) for name in changes}
    temporary = tempfile.tempdir
    os.environ.update(changes)
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = temporary
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def quiet() -> Iterator[None]:
    """PyTorch's compilers warn about their own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _AsFunction(nn.Module):
    """The block with its state handed in, changed in place."""

    def __init__(self, block: BlockStep) -> None:
        super().__init__()
        # Past nn.Module's bookkeeping: its buffers must not become constants of the program.
        self.__dict__["block"] = block

    def forward(self, *tensors: Tensor) -> None:
        """State, step, noise, kicks, arrivals: one after another."""
        block: BlockStep = self.__dict__["block"]
        names = list(state_of(block))
        state, rest = tensors[: len(names)], list(tensors[len(names) :])
        first, rest = rest[0], rest[1:]
        noise = [rest.pop(0) for _ in range(noise_inputs(block))]
        kicks = [rest.pop(0) for _ in range(kick_inputs(block))]
        arrivals = [[rest.pop(0) for _ in range(n)] for n in arrival_inputs(block)]
        given = (first, noise, kicks, arrivals)
        kept = dict(zip(names, state, strict=True))
        torch.func.functional_call(block, kept, given, tie_weights=False)


def noise_inputs(block: BlockStep) -> int:
    """How many tensors of noise a block takes."""
    each = {"none": 0, "given": len(block.neurons), "counted": 1}[block.plan.noise]
    return block.plan.steps * each


def kick_inputs(block: BlockStep) -> int:
    """How many tensors of kicks a block takes."""
    return block.plan.steps * block.plan.stimulations


def arrival_inputs(block: BlockStep) -> list[int]:
    """How many tensors of arrivals a block takes for each projection."""
    steps = block.plan.steps
    inside = [block.plan.dense and one.source >= 0 for one in block.synapses]
    return [one.lag if own else steps for one, own in zip(block.synapses, inside, strict=True)]


def state_of(block: BlockStep) -> dict[str, Tensor]:
    """All tensors that a block holds, by name, those that never change too."""
    return dict(block.named_buffers(remove_duplicate=False))


Axes = dict[int, Any] | None


def _examples(block: BlockStep) -> tuple[list[Tensor], list[Axes]]:
    """Tensors like those of a call, of sizes of their own, and which axes are free."""
    B = torch.export.Dim("trials", min=2)
    n = _Sizes(block)
    tensors: list[Tensor] = []
    axes: list[Axes] = []

    def add(like: Tensor, *labels: Any) -> None:
        sizes = [n.example(label) for label in labels]
        tensors.append(like.new_zeros(sizes))
        free = {axis: label for axis, label in enumerate(labels) if not isinstance(label, int)}
        axes.append(free or None)

    for name, tensor in state_of(block).items():
        add(tensor, *_labels(block, name, tensor, B, n))
    v = block.neurons[0].v
    add(torch.zeros((), dtype=torch.int32, device=v.device))
    for number in range(noise_inputs(block)):
        if block.plan.noise == "counted":
            add(block.neurons[0].unit, B, 1)
        else:
            add(v, B, n[block.neurons[number % len(block.neurons)].number])
    for _ in range(kick_inputs(block)):
        add(v, B, 1)
    for synapses, count in zip(block.synapses, arrival_inputs(block), strict=True):
        for _ in range(count):
            add(v, B, n[synapses.owner])
    return tensors, axes


class _Sizes(dict[int, Any]):
    """The free size of each population, by its number; of senders of other stages, too."""

    def __init__(self, block: BlockStep) -> None:
        numbers = [one.number for one in block.neurons]
        numbers += [one.owner for one in block.synapses]
        super().__init__(
            {p: torch.export.Dim(f"neurons_{p}", min=2) for p in sorted(set(numbers)) if p >= 0}
        )

    def example(self, label: Any) -> int:
        """A size for a label: a number, one of these, or that of the trials."""
        if isinstance(label, int):
            return label
        places = [place for place, size in enumerate(self.values()) if size is label]
        return _NEURONS + 16 * places[0] if places else _TRIALS


def _labels(block: BlockStep, name: str, tensor: Tensor, B: Any, n: _Sizes) -> tuple[Any, ...]:
    """What each axis of a buffer runs over."""
    if tensor.ndim == 0:
        return ()
    part, number, field = name.split(".", 2)
    neurons = part == "neurons"
    owner = block.neurons[int(number)].number if neurons else block.synapses[int(number)].owner
    if field in ("busy", "margin"):
        return (B,)
    if field == "trial_gain":
        return (B, 1)
    if field == "columns":
        synapses = block.synapses[int(number)]
        return (n[synapses.source], n[synapses.target])
    if field == "values":
        return (block.plan.steps, B, n[owner])
    return (n[owner],) if tensor.ndim == 1 else (B, n[owner])
