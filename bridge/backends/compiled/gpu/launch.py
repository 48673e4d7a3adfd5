"""A kernel on a device: its arrays there, in which shape it is compiled, and its launches."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import CalledProcessError
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.activity import busy_with
from bridge.backends.compiled.form import Form
from bridge.backends.compiled.gpu import build
from bridge.backends.compiled.gpu.refusals import TOO_LARGE, unsuited
from bridge.backends.compiled.gpu.sheet import KernelSheet
from bridge.backends.compiled.gpu.text import kernel
from bridge.backends.devices import room_on
from bridge.errors import BackendError, BridgeError, first_line
from bridge.versions import version

# Multiply and add are fused otherwise, which rounds once where the reference rounds twice.
ROUNDED = {"enable_fp_fusion": False}
_MOST_WARPS = 32


@dataclass(frozen=True)
class Shape:
    """How a kernel is compiled.

    Attributes:
        sheet: Its text.
        warps: How many groups of 32 threads share a trial.
    """

    sheet: KernelSheet
    warps: int


@dataclass
class Kernel:
    """The kernel of a form on a device.

    Attributes:
        form: Of the run.
        blocks: The sizes of rows, by name.
        device: Where it runs.
        shape: In which it fits; found before the first launch.
    """

    form: Form
    blocks: Mapping[str, int]
    device: torch.device
    shape: Shape | None = field(default=None)

    def launch(
        self, tensors: Mapping[str, Tensor], numbers: Mapping[str, int], trials: int
    ) -> None:
        """Run so many trials; what the kernel writes lies in `tensors`."""
        if self.shape is None:
            with busy_with("compiling the kernel, once for all networks of this form"):
                self.shape = self._fitting(tensors, numbers)
        function, given, options = self._call(self.shape, tensors, numbers)
        function[(trials,)](*given, **options)

    def _call(
        self, shape: Shape, tensors: Mapping[str, Tensor], numbers: Mapping[str, int]
    ) -> tuple[Any, list[Tensor | int], dict[str, Any]]:
        sheet = shape.sheet
        function = build.module(sheet.text()).run
        given: list[Tensor | int] = [tensors[name] for name in sheet.arrays]
        given += [numbers[name] for name in sheet.numbers]
        blocks = {name: self.blocks[name] for name in sheet.blocks}
        return function, given, {**blocks, **ROUNDED, "num_warps": shape.warps}

    def _fitting(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, int]) -> Shape:
        """The first shape of which nothing spills out of the registers, or else least.

        Raises:
            UnsuitedError: more than a little does, in each of them.
        """
        least, best = LARGEST_SPILL + 1, None
        for shape in shapes(self.form, self.blocks):
            function, given, options = self._call(shape, tensors, numbers)
            spilled = _spilled(function, given, options)
            if spilled is not None and spilled < least:
                least, best = spilled, shape
            if spilled == 0:
                break
        if best is None:
            raise unsuited(TOO_LARGE, str(self.device))
        return best


# So many words of 32 bits a thread may keep elsewhere: compilers put some aside unasked, even of
# kernels of two small populations.
LARGEST_SPILL = 64


def shapes(form: Form, blocks: Mapping[str, int]) -> Sequence[Shape]:
    """The shapes in which a kernel may be compiled, the quickest first."""
    sheets = [kernel(form, held=held) for held in (True, False)]
    widest = max(blocks[name] for name in sheets[0].blocks)
    fewest, most = max(1, min(8, widest // 64)), max(1, min(_MOST_WARPS, widest // 32))
    counts = [fewest << more for more in range(6) if fewest << more <= most]
    return [Shape(sheet, warps) for warps in counts for sheet in sheets]


def _spilled(
    function: Any, given: Sequence[Tensor | int], options: Mapping[str, Any]
) -> int | None:
    """How many words of a thread's state do not stay in registers; None: it cannot be compiled.

    The interpreter compiles nothing, and has room for all.
    """
    from triton.runtime.errors import OutOfResources

    try:
        compiled = function.warmup(*given, grid=(1,), **options)
        # Triton knows it once the kernel is loaded.
        return 0 if compiled is None or compiled.run is None else int(compiled.n_spills)
    except OutOfResources:
        return None
    except RuntimeError as error:
        # What Triton itself cannot compile in one shape it may in another.
        if "PassManager" in str(error):
            return None
        raise


@contextmanager
def plain_errors(device: torch.device) -> Iterator[None]:
    """Let what a GPU refuses be one sentence."""
    try:
        # A launch takes as many trials as there is room for: fewer are no advice.
        with room_on(device):
            yield
    except BridgeError:
        raise
    # Triton's own errors have no class in common with PyTorch's.
    except Exception as error:
        if isinstance(error, CalledProcessError) or "C compiler" in str(error):
            raise BackendError(
                f"Triton needs a C compiler, gcc or clang, and Python's header files to run on "
                f"{device} ({first_line(error)})"
            ) from error
        if "libcuda" in str(error):
            raise BackendError(
                f"Triton needs the library of NVIDIA's driver, libcuda.so, to run on {device}, and "
                "does not find it"
            ) from error
        if not any(word in str(error) for word in _REFUSALS):
            raise
        raise BackendError(
            f"{device} refused the kernel ({first_line(error)}); its driver may be too old for "
            f"Triton {version('triton')}"
        ) from error


# Of Triton's launcher, of PyTorch, and where PTX is compiled.
_REFUSALS = ("Triton Error", "CUDA", "ptxas", "PTX")


def finished(device: torch.device) -> None:
    """Wait until a device has done what it was asked to; an interrupt is seen meanwhile."""
    if device.type != "cuda":
        return
    event: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record()
    while not event.query():
        time.sleep(_LOOK_S)


# How often a device is asked whether it is done, s.
_LOOK_S = 5e-4


def on_device(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> dict[str, Tensor]:
    """Copies of arrays on a device."""
    return {name: torch.tensor(values, device=device) for name, values in arrays.items()}


def free_bytes(device: torch.device) -> int | None:
    """How much memory of a GPU can be had; None: nobody counts."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    # What torch keeps for itself can be had again.
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free) + int(kept)


def bytes_of(arrays: Mapping[str, NDArray[Any]]) -> int:
    """How much memory arrays take."""
    return int(np.sum([values.nbytes for values in arrays.values()], dtype=np.int64))
