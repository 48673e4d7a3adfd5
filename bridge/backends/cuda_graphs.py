"""Work that is the same again and again, in one CUDA graph: one launch instead of thousands.

A graph repeats its operations on the very tensors that were there when it was made. So what is
handed in is copied into tensors that stay, and whatever is kept lies in tensors that are changed in
place. Only `captured` needs a GPU: the rest runs on any device.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bridge.errors import first_line

Work = Callable[[], None]

# Runs before the graph is made: libraries and optimizers make their own memory in the first ones.
WARM_UP = 3


class InGraph:
    """A piece of work that takes tensors of the same sizes each time, and changes others in place.

    It takes at least one.

    Attributes:
        fixed: The tensors that stay, in the order in which they are handed in.
    """

    def __init__(self, work: Callable[..., None]) -> None:
        self._work, self._runs = work, 0
        self._graph: Work | None = None
        self._device = torch.device("cpu")
        self.fixed: list[Tensor] = []

    def __call__(self, *given: Tensor) -> None:
        """Do the work with what is given."""
        if self._runs == 0:
            self._device = given[0].device
            self.fixed = [tensor.clone() for tensor in given]
        else:
            torch._foreach_copy_(self.fixed, list(given))
        self._runs += 1
        work = partial(self._work, *self.fixed)
        if self._runs > WARM_UP:
            self._graph = self._graph or _graph_of(work, self._device)
            self._graph()
        elif in_graphs(self._device):
            beside(work, self._device)
        else:
            work()


def in_graphs(device: torch.device) -> bool:
    """Whether work on a device is put into graphs."""
    return device.type == "cuda"


def _graph_of(work: Work, device: torch.device) -> Work:
    """What does the work in one graph, or as it is where none can be made."""
    try:
        return captured(work, device)
    except RuntimeError as error:
        warnings.warn(
            f"no CUDA graph could be made ({first_line(error)}); it goes on without one, slower",
            stacklevel=4,
        )
        return work


def captured(work: Work, device: torch.device) -> Work:
    """What repeats the work, which is not done now.

    Raises:
        RuntimeError: some of it cannot be repeated by a graph.
    """
    graph = torch.cuda.CUDAGraph()
    with (
        torch.cuda.device(device),
        # A graph that fails leaves its stream the current one: this goes back.
        torch.cuda.stream(torch.cuda.current_stream(device)),
        # torch's own stream is of the device of the process's first graph, which may be another.
        # Meanwhile another thread may draw noise.
        torch.cuda.graph(graph, stream=_stream(device), capture_error_mode="thread_local"),
    ):
        work()
    return graph.replay


def beside(work: Work, device: torch.device) -> None:
    """Do the work on a stream of its own, as it will be done while the graph is made."""
    stream = _stream(device)
    here = torch.cuda.current_stream(device)
    stream.wait_stream(here)
    with torch.cuda.stream(stream):
        work()
    here.wait_stream(stream)


def _stream(device: torch.device) -> Any:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
