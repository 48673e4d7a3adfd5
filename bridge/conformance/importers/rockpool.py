"""Rockpool: `rockpool.nn.modules.torch.nir.from_nir`, which takes its time step from the gains.

Its modules take whole trials at once.
"""

from typing import Any

import numpy as np

from bridge.conformance.importers import EXTRA
from bridge.conformance.importers.torch_steps import Array

TITLE = "Rockpool"
PACKAGES = ("rockpool", "nirtorch", "nir")
INSTALL = EXTRA


def load() -> Any:
    """What imports a graph."""
    import nir
    from rockpool.nn.modules.torch.nir import from_nir

    return nir.read, from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`; it takes no time step."""
    import torch

    torch.set_num_threads(1)
    read, made = load()
    network = made(read(path))
    with torch.no_grad():
        given = network(torch.from_numpy(np.ascontiguousarray(inputs.swapaxes(0, 1))))
    given = given[0] if isinstance(given, tuple) else given
    return np.asarray(given.detach().numpy()).swapaxes(0, 1)
