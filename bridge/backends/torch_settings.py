"""PyTorch's settings for the whole process: ours while we compute, then the caller's again."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from bridge.backends.arithmetic import flushes_denormals


@contextmanager
def own_settings(*, gradients: bool, flush_denormals: bool = False) -> Iterator[None]:
    """PyTorch as it is shipped, on one thread, whatever the caller has set; after that as it was.

    On matrices as small as ours several threads wait for each other.

    Args:
        gradients: Whether operations are recorded for them.
        flush_denormals: Whether subnormal numbers count as zero: a silent float32 network creeps
            otherwise, its filters decaying into them.
    """
    threads, flushed = torch.get_num_threads(), flushes_denormals()
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    # Entered only where it is needed: it slows every call down.
    on_cpu = nullcontext() if device.type == "cpu" else torch.device("cpu")
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    torch.set_flush_denormal(flush_denormals)
    try:
        with torch.inference_mode(mode=False), torch.set_grad_enabled(gradients), on_cpu:
            yield
    finally:
        torch.set_flush_denormal(flushed)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
