"""A graph as a torch module that takes a step and its state: how such importers are run."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def stepped(network: Any, inputs: Array) -> Array:
    """(T, B, ...) what a module gives to (T, B, ...) inputs, step by step with its state."""
    import torch

    torch.set_num_threads(1)
    given, state = [], None
    with torch.no_grad():
        for step in torch.from_numpy(inputs):
            out, state = network(step) if state is None else network(step, state)
            # A module that gives its state too gives its spikes first.
            out = out[0] if isinstance(out, tuple) else out
            given.append(out.detach().numpy())
    return np.stack(given)
