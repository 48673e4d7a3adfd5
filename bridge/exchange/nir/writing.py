"""A graph as the bytes of a NIR file."""

import io
from typing import Any

import h5py
import numpy as np

from bridge.exchange.nir.file import Graph, Node
from bridge.exchange.nir.metadata import OURS

VERSION = "1.0.8"
"""The version of NIR whose nodes are written."""

# As NIR's own writer does it; what is small would only grow.
_COMPRESSED = {"compression": "gzip", "shuffle": True}
_SMALL = 4096


def nir_bytes(graph: Graph) -> bytes:
    """The file."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["version"] = VERSION
        _write(file.create_group("node"), graph)
    return buffer.getvalue()


def _write(group: h5py.Group, part: Node | Graph) -> None:
    if isinstance(part, Graph):
        group["type"] = "NIRGraph"
        group["edges"] = np.array(part.edges, dtype="S").reshape(-1, 2)
        inside = group.create_group("nodes")
        for name, each in part.nodes.items():
            _write(inside.create_group(name), each)
    else:
        group["type"] = part.kind
        for name, value in part.fields.items():
            _numbers(group, name, value)
    if part.kept:
        ours = group.create_group("metadata").create_group(OURS)
        for name, value in part.kept.items():
            _numbers(ours, name, value)


def _numbers(group: h5py.Group, name: str, value: Any) -> None:
    large = isinstance(value, np.ndarray) and value.size > _SMALL
    group.create_dataset(name, data=value, **(_COMPRESSED if large else {}))
