"""NIR files as they stand: nodes with their fields, and edges, read with suspicion.

HDF5 gives nodes in alphabetical order, whatever the order in which they were made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.attributes import text_of
from bridge.exchange.crashes import check_it_can_be_read
from bridge.exchange.foreign import foreign_file, is_hdf5, numbers
from bridge.exchange.links import own_part
from bridge.exchange.nir.metadata import KNOWN, OURS
from bridge.spiking.values import shown

Array = NDArray[np.float64]
Field: TypeAlias = Array | str

_MAJOR_VERSIONS = ("0", "1")
_MOST_NODES, _MOST_EDGES, _DEEPEST = 10_000, 100_000, 8
_LONGEST_NAME = 100
# They say again what follows from the other fields, or nothing of what a node does.
SAID_AGAIN = ("input_type", "output_type")
_NOT_FIELDS = ("type", "metadata", *SAID_AGAIN)


@dataclass(frozen=True, eq=False)
class Node:
    """A node: its type and its fields, numbers as they stand (in float64) or words.

    Attributes:
        kind: Its type, as "Affine".
        fields: What the file says of it.
        metadata: Whether the file has metadata of it that are not ours.
        kept: Those that are, see `bridge.exchange.nir.metadata`.
    """

    kind: str
    fields: Mapping[str, Field]
    metadata: bool = False
    kept: Mapping[str, Field] = dataclass_field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes, or graphs, by their names, and edges between them."""

    nodes: Mapping[str, "Node | Graph"]
    edges: tuple[tuple[str, str], ...]
    metadata: bool = False
    kept: Mapping[str, Field] = dataclass_field(default_factory=dict)


def read_graph(path: Path) -> tuple[Graph, str]:
    """The graph of a NIR file, and the version of NIR that wrote it, "" where it says none.

    Raises:
        FormatError: missing, damaged, no NIR, of an unknown version, or with a broken node.
    """
    _check_start(path)
    if path.is_file():
        check_it_can_be_read(path, lambda: _read(path))
    return _read(path)


def _read(path: Path) -> tuple[Graph, str]:
    with foreign_file(path) as file:
        version = _version(file, path)
        root = own_part(file, "node", path)
        if not isinstance(root, h5py.Group):
            raise FormatError(f"{path}: no NIR file: it has no group node")
        read = _Reader(path).part(root, "", _DEEPEST)
    if isinstance(read, Node):
        read = Graph({read.kind.lower(): read}, ())
    if not read.nodes:
        raise FormatError(f"{path}: its graph has no nodes")
    return read, version


def _check_start(path: Path) -> None:
    """Raise FormatError for files that others call .nir, too, and say what they are."""
    if not path.is_file() or is_hdf5(path):
        return
    with path.open("rb") as file:
        start = file.read(100)
    if start.startswith(b"PK\x03\x04") or start[:1] == b"\x80":
        raise FormatError(
            f"{path}: a pickle of PyTorch under the name of NIR, which may run code as it is read, "
            "and is not read; nir.write(path, graph) writes a NIR file"
        )
    if start.startswith(b"version https://git-lfs"):
        raise FormatError(f"{path}: a pointer of Git LFS, not the file itself: run git lfs pull")
    raise FormatError(f"{path}: damaged, or no HDF5 file, which NIR files are")


def _version(file: h5py.File, path: Path) -> str:
    item = own_part(file, "version", path)
    if item is None:
        return ""
    version = _text(item, path)
    if version.split(".")[0] not in _MAJOR_VERSIONS:
        raise FormatError(
            f"{path}: NIR of version {shown(version)}; versions {' and '.join(_MAJOR_VERSIONS)} "
            "are read"
        )
    return version


class _Reader:
    """Reads nodes of one file, and counts them: hard links can make a small file endless."""

    def __init__(self, path: Path) -> None:
        self._path, self._left = path, _MOST_NODES

    def part(self, group: h5py.Group, name: str, depth: int) -> Node | Graph:
        """The node, or the graph, of a group."""
        self._left -= 1
        if self._left < 0 or depth == 0:
            raise FormatError(
                f"{self._path}: claims more than {_MOST_NODES:,} nodes, or deeper graphs than "
                f"{_DEEPEST}"
            )
        title = f"node {name}" if name else "its graph"
        item = own_part(group, "type", self._path)
        if item is None:
            raise FormatError(
                f"{self._path}: {title} has no type; its export may have failed half-way"
            )
        kind = _text(item, self._path)
        if kind == "NIRGraph":
            return self._graph(group, name, title, depth)
        return self._node(group, kind, title)

    def _graph(self, group: h5py.Group, name: str, title: str, depth: int) -> Graph:
        inside = own_part(group, "nodes", self._path)
        if not isinstance(inside, h5py.Group):
            raise FormatError(f"{self._path}: {title} has no nodes")
        nodes = {}
        for each in inside:
            part = own_part(inside, each, self._path)
            whole = f"{name}.{each}" if name else str(each)
            _check_name(str(each), title, self._path)
            if not isinstance(part, h5py.Group):
                raise FormatError(f"{self._path}: node {whole} is not a group of fields")
            nodes[str(each)] = self.part(part, whole, depth - 1)
        return Graph(nodes, self._edges(group, title), *self._metadata(group, title))

    def _edges(self, group: h5py.Group, title: str) -> tuple[tuple[str, str], ...]:
        item = own_part(group, "edges", self._path)
        if item is None:
            raise FormatError(f"{self._path}: {title} has no edges")
        if not isinstance(item, h5py.Dataset) or item.shape is None:
            raise FormatError(f"{self._path}: {title}: its edges are not an array of names")
        if item.size == 0:
            return ()
        pairs = len(item.shape) == 2 and item.shape[1] == 2 and item.dtype.kind in "SO"
        if not pairs or item.shape[0] > _MOST_EDGES or item.external or item.is_virtual:
            raise FormatError(
                f"{self._path}: {title}: its edges are not pairs of names (or more than "
                f"{_MOST_EDGES:,}), but {item.dtype} of shape {item.shape}"
            )
        # The same edge twice is one.
        edges = dict.fromkeys((text_of(a), text_of(b)) for a, b in item[()])
        for name in dict.fromkeys(name for edge in edges for name in edge):
            _check_name(name, f"{title}: edges", self._path)
        return tuple(edges)

    def _node(self, group: h5py.Group, kind: str, title: str) -> Node:
        fields: dict[str, Field] = {}
        for name in group:
            if name not in _NOT_FIELDS:
                fields[name] = self._field(group, name, title)
        for name in SAID_AGAIN:
            item = own_part(group, name, self._path)
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "iu":
                fields[name] = self._field(group, name, title)
        return Node(kind, fields, *self._metadata(group, title))

    def _metadata(self, group: h5py.Group, title: str) -> tuple[bool, dict[str, Field]]:
        """Whether there are any of others, and ours."""
        item = own_part(group, "metadata", self._path)
        if not isinstance(item, h5py.Group):
            return item is not None, {}
        ours = own_part(item, OURS, self._path)
        if not isinstance(ours, h5py.Group):
            return True, {}
        found = {name: self._field(ours, name, title) for name in KNOWN if name in ours}
        return len(item) > 1, found

    def _field(self, group: h5py.Group, name: str, title: str) -> Field:
        item = own_part(group, name, self._path)
        if not isinstance(item, h5py.Dataset):
            raise FormatError(f"{self._path}: {title}: {name} is a group, not a value")
        if item.dtype.kind in "SO" and item.shape == ():
            return _text(item, self._path)
        values = numbers(group, name, self._path, kinds="fiub")
        if not np.isfinite(values).all():
            raise FormatError(f"{self._path}: {title}: {name} holds NaN or infinite values")
        return values


def _check_name(name: str, title: str, path: Path) -> None:
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise FormatError(f"{path}: {title}: {shown(name)} is not a name that can be printed")


def _text(item: Any, path: Path) -> str:
    """A single text; FormatError where there is none."""
    single = isinstance(item, h5py.Dataset) and item.shape == () and item.dtype.kind in "SO"
    if not single or item.external or item.is_virtual:
        raise FormatError(f"{path}: {item.name} must be a text")
    return text_of(item[()])
