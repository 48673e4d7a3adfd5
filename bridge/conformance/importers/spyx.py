"""Spyx: `spyx.nir.from_nir`, which runs whole trials; its time step is an argument, else 1 s."""

from typing import Any

import numpy as np

from bridge.conformance.importers import OWN
from bridge.conformance.importers.torch_steps import Array

TITLE = "Spyx"
PACKAGES = ("spyx", "jax", "nir")
INSTALL = OWN.format("spyx", "spyx")
# These take their channels last.
_OF_IMAGES = ("Conv2d", "SumPool2d", "AvgPool2d")


def load() -> Any:
    """What imports a graph."""
    import nir
    from spyx.nir import from_nir

    return nir.read, from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`."""
    read, made = load()
    graph, options = read(path), {} if dt_s is None else {"dt": dt_s}
    images = any(type(node).__name__ in _OF_IMAGES for node in graph.nodes.values())
    _, given = made(graph, np.moveaxis(inputs, 2, -1) if images else inputs, **options)
    return np.moveaxis(np.asarray(given), -1, 2) if images else np.asarray(given)
