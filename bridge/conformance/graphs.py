"""Small NIR graphs as they are written by hand: nodes by name, edges as "a b", and their files."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bridge.exchange.nir.file import Array, Graph, Node
from bridge.exchange.nir.writing import nir_bytes

Part: TypeAlias = Node | Graph


def graph(nodes: Mapping[str, Part], *chains: str) -> Graph:
    """A graph; a chain "a b c" is the edges from a to b and from b to c."""
    pairs = (pair for chain in chains for pair in pairwise(chain.split()))
    return Graph(nodes, tuple(pairs))


def write(path: Path, whole: Graph) -> None:
    """Write a graph as a NIR file, field by field as it stands."""
    path.write_bytes(nir_bytes(whole))


def node(kind: str, fields: Mapping[str, Any]) -> Node:
    """A node; words stay words, all else becomes arrays."""
    made = {
        name: value if isinstance(value, str) else np.asarray(value)
        for name, value in fields.items()
    }
    return Node(kind, made)


def ports(shape: Iterable[int], kind: str) -> Node:
    """An Input or an Output of numbers of a shape."""
    return node(kind, {"shape": list(shape)})


def numbers(seed: int, *shape: int, low: float = -1.0, high: float = 1.0) -> Array:
    """Random numbers in 1/64, which every precision holds as they are."""
    rng = np.random.default_rng(seed)
    return rng.integers(round(low * 64), round(high * 64), shape, endpoint=True) / 64.0


def affine(weight: Array, bias: Array | float = 0.0) -> Node:
    """W x + b, W being (post, pre)."""
    spread = np.broadcast_to(np.asarray(bias, dtype=float), weight.shape[:1]).copy()
    return node("Affine", {"weight": weight, "bias": spread})


def lif(shape: int | tuple[int, ...], **changed: Any) -> Node:
    """LIF neurons as most importers take them: r = 1, no leak potential, no v_reset, which means 0.

    What is given replaces single fields: a number for all neurons, an array as it is.
    """
    fields = {"tau": 2e-3, "r": 1.0, "v_leak": 0.0, "v_threshold": 0.5}
    return _neurons("LIF", shape, fields | changed)


def cuba_lif(shape: int | tuple[int, ...], **changed: Any) -> Node:
    """CubaLIF neurons with the gains that exporters give them at 0.1 ms, the quotients tau / dt."""
    fields = {"tau_mem": 1e-3, "tau_syn": 5e-4, "r": 10.0, "w_in": 5.0}
    more = {"v_leak": 0.0, "v_threshold": 8.0}
    return _neurons("CubaLIF", shape, fields | more | changed)


def if_(shape: int | tuple[int, ...], **changed: Any) -> Node:
    """IF neurons that sum their input as it is at 0.1 ms."""
    return _neurons("IF", shape, {"r": 1e4, "v_threshold": 2.0} | changed)


def _neurons(kind: str, shape: int | tuple[int, ...], fields: Mapping[str, Any]) -> Node:
    spread = {
        name: value if isinstance(value, np.ndarray) else np.full(shape, float(value))
        for name, value in fields.items()
    }
    return node(kind, spread)


def convolution(weight: Array, input_shape: tuple[int, int] | None, **changed: Any) -> Node:
    """A Conv2d of stride 1, without padding; weights are (out, in of a group, rows, columns)."""
    fields: dict[str, Any] = {"weight": weight, "bias": np.zeros(len(weight)), "groups": 1}
    if input_shape is not None:
        fields["input_shape"] = input_shape
    pairs = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    return node("Conv2d", fields | pairs | changed)


def pool(kind: str, padding: tuple[int, int] = (0, 0)) -> Node:
    """A pool of 2 x 2."""
    pairs = {"kernel_size": (2, 2), "stride": (2, 2), "padding": padding}
    return node(kind, pairs)
