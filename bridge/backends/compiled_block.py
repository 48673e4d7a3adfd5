"""A block of steps compiled ahead of time by PyTorch, and kept on disk for every later run.

Compiling takes tens of seconds; loading what another process compiled takes one or two, and a call
ten microseconds. Sizes stay free and everything numerical is an argument: networks of one form
share one compiled block, whatever their weights, units and trials.
"""

import hashlib
import platform
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bridge.backends import cache
from bridge.backends.block_step import BlockStep
from bridge.errors import BackendError

Advance = Callable[[Tensor, list[Tensor], list[Tensor], list[list[Tensor]]], None]

_KIND, _FILE = "torch", "block.pt2"
# Sizes the code is tuned for; unlike each other, so that none is taken for another.
_TRIALS, _NEURONS = 512, 208
_INDUCTOR = {
    # One thread: where several pay, whole trials are shared out instead.
    "cpp.threads": 1,
    # The hash uses every value twice, and inductor writes such values out again at each use unless
    # they count as long: compiling took minutes. Then all must be let into one loop again.
    "realize_opcount_threshold": 12,
    "max_fusion_size": 512,
}
_SOURCES = (
    "block_step.py",
    "compiled_block.py",
    "neuron_cell.py",
    "synapses.py",
    "../spiking/neurons.py",
    "../spiking/noise.py",
)


def can_compile() -> bool:
    """Whether there is a C++ compiler."""
    return shutil.which("g++") is not None


def is_kept(block: BlockStep) -> bool:
    """Whether a block of this form lies compiled on disk."""
    return (_entry(block) / _FILE).exists()


def compiled(block: BlockStep) -> Advance:
    """A function that does what `block` does, to the state that `block` holds.

    Raises:
        BackendError: it could not be compiled.
    """
    entry = _entry(block)
    loader = _load(entry) if is_kept(block) else None
    if loader is None:
        with cache.locked(entry):
            if not is_kept(block):
                _compile(block, entry)
        loader = _load(entry)
    if loader is None:
        raise BackendError(f"{entry}: what was just compiled cannot be loaded")
    cache.mark_used(entry)
    state = list(_state(block).values())

    def advance(
        first: Tensor, noise: list[Tensor], kicks: list[Tensor], arrivals: list[list[Tensor]]
    ) -> None:
        loader.run([*state, first, *noise, *kicks, *(one for steps in arrivals for one in steps)])

    return advance


def _entry(block: BlockStep) -> Path:
    here = Path(__file__).parent
    sources = [hashlib.sha256((here / name).read_bytes()).hexdigest() for name in _SOURCES]
    machine = [platform.machine(), torch.backends.cpu.get_cpu_capability()]
    if block.neurons[0].v.is_cuda:
        machine.append(torch.cuda.get_device_name())
    return cache.entry(_KIND, [block.form(), torch.__version__, machine, sources])


def _load(entry: Path) -> Any:
    """The package in an entry, or None (and the entry is dropped) where it is damaged."""
    try:
        return _loader(str(entry / _FILE))
    except RuntimeError:
        cache.discard(entry)
        return None


def _loader(path: str) -> Any:
    # `aoti_load_package` ends here too, but first imports the compiler, for three seconds.
    direct = getattr(getattr(torch._C, "_aoti", None), "AOTIModelPackageLoader", None)
    if direct is not None:
        return direct(path, "model", False, 1, -1)  # noqa: FBT003 - it knows no names
    with _quiet():
        return torch._inductor.aoti_load_package(path).loader


def _compile(block: BlockStep, entry: Path) -> None:
    tensors, axes = _examples(block)
    with cache.published(entry) as folder, _quiet():
        folder.mkdir()
        try:
            program = torch.export.export(
                _AsFunction(block), tuple(tensors), dynamic_shapes=(tuple(axes),), strict=False
            )
            torch._inductor.aoti_compile_and_package(
                program,
                package_path=str(folder / _FILE),
                inductor_configs=_INDUCTOR,
            )
        except (RuntimeError, OSError) as error:
            first_line = str(error).strip().partition("\n")[0]
            raise BackendError(f"torch could not compile the step: {first_line}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """PyTorch's exporter warns about its own code."""
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
        names = list(_state(block))
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


def _state(block: BlockStep) -> dict[str, Tensor]:
    return dict(block.named_buffers(remove_duplicate=False))


Axes = dict[int, Any] | None


def _examples(block: BlockStep) -> tuple[list[Tensor], list[Axes]]:
    """Tensors like those of a call, of sizes of their own, and which axes are free."""
    B = torch.export.Dim("trials", min=2)
    n = [torch.export.Dim(f"neurons_{p}", min=2) for p in range(len(block.neurons))]
    tensors: list[Tensor] = []
    axes: list[Axes] = []

    def add(like: Tensor, *labels: Any) -> None:
        sizes = [_size(label, n) for label in labels]
        tensors.append(like.new_zeros(sizes))
        free = {axis: label for axis, label in enumerate(labels) if not isinstance(label, int)}
        axes.append(free or None)

    for name, tensor in _state(block).items():
        add(tensor, *_labels(block, name, tensor, B, n))
    v = block.neurons[0].v
    add(torch.zeros((), dtype=torch.int32, device=v.device))
    for number in range(noise_inputs(block)):
        if block.plan.noise == "counted":
            add(block.neurons[0].unit, B, 1)
        else:
            add(v, B, n[number % len(n)])
    for _ in range(kick_inputs(block)):
        add(v, B, 1)
    for synapses, count in zip(block.synapses, arrival_inputs(block), strict=True):
        for _ in range(count):
            add(v, B, n[synapses.owner])
    return tensors, axes


def _size(label: Any, n: list[Any]) -> int:
    if isinstance(label, int):
        return label
    return _NEURONS + 16 * n.index(label) if label in n else _TRIALS


def _labels(block: BlockStep, name: str, tensor: Tensor, B: Any, n: list[Any]) -> tuple[Any, ...]:
    """What each axis of a buffer runs over."""
    if tensor.ndim == 0:
        return ()
    part, number, field = name.split(".", 2)
    owner = int(number) if part == "neurons" else block.synapses[int(number)].owner
    if field in ("busy", "margin"):
        return (B,)
    if field == "trial_gain":
        return (B, 1)
    if field == "columns":
        synapses = block.synapses[int(number)]
        return (n[synapses.source], n[synapses.target])
    return (n[owner],) if tensor.ndim == 1 else (B, n[owner])
