"""Where torch and Triton run: devices by the names that PyTorch gives them."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bridge.errors import BackendError, FullError, SpecError, first_line


def named_device(name: str) -> torch.device:
    """The device of that name, be it here or on another machine.

    Args:
        name: "cpu", "cuda" or "cuda:N".

    Raises:
        SpecError: there are no such devices.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SpecError(f"unknown device {name!r}; use cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise SpecError(f"unknown device {name!r}; use cpu, cuda or cuda:N")
    return device


def torch_device(name: str) -> torch.device:
    """The device of that name, if torch sees it here.

    Args:
        name: As in `named_device`.

    Raises:
        SpecError: there are no such devices.
        BackendError: torch does not see it here.
    """
    device = named_device(name)
    if device.type == "cuda" and not 0 <= (device.index or 0) < torch.cuda.device_count():
        raise BackendError(
            f"device {name!r} was asked for, but torch sees no such CUDA device here: "
            f"{why_not_seen()}"
        )
    return device


@contextmanager
def room_on(
    device: torch.device, otherwise: str = "", options: tuple[str, ...] = ()
) -> Iterator[None]:
    """Let it be one sentence that a device is full, with what can be done instead.

    Args:
        device: Where the work is done.
        otherwise: As in `FullError`.
        options: Likewise.

    Raises:
        FullError: the work runs out of the device's memory.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.cuda.OutOfMemoryError) and _OF_THE_CPU not in str(error):
            raise
        # torch goes on about what else is in memory, and which settings to try.
        reason = first_line(error).partition(". GPU ")[0].rpartition(_OF_THE_CPU)[2]
        reason = reason.partition(". Error code")[0].strip(" .:")
        raise FullError(f"{device} is full ({reason})", otherwise, options) from None


# Where memory of the CPU is asked for, torch raises no class of its own.
_OF_THE_CPU = "DefaultCPUAllocator"


def why_not_seen() -> str:
    """Why torch sees no device of that name, or none at all."""
    if count := torch.cuda.device_count():
        return "there is cuda:0 alone" if count == 1 else f"there are cuda:0 to cuda:{count - 1}"
    if torch.version.hip is not None:
        return f"PyTorch {torch.__version__} was built for AMD's GPUs (ROCm), and finds none"
    if torch.version.cuda is None:
        return f"PyTorch {torch.__version__} was built without CUDA"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        # No driver, or one that is too old: PyTorch says which.
        return first_line(error).partition(". ")[0].rstrip(".")
    return "there is no GPU"
