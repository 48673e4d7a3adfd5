"""Which nodes there are in NIR 1.0.8, and which fields each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bridge.errors import FormatError
from bridge.exchange.nir.file import SAID_AGAIN, Array, Field, Node
from bridge.spiking.values import shown

_CONVOLUTION = ("weight", "stride", "padding", "dilation", "groups")
_POOL = ("kernel_size", "stride", "padding")
_SPIKES = ("v_reset",)

# The fields that each must have, and those it may have.
_FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Input": ((), ("shape",)),
    "Output": ((), ("shape",)),
    "Affine": (("weight",), ("bias",)),
    "Linear": (("weight",), ()),
    "Scale": (("scale",), ()),
    "Conv1d": (_CONVOLUTION, ("bias", "input_shape")),
    "Conv2d": (_CONVOLUTION, ("bias", "input_shape")),
    "SumPool2d": (_POOL, ()),
    "AvgPool2d": (_POOL, ()),
    "Flatten": ((), ("start_dim", "end_dim")),
    "Delay": (("delay",), ()),
    "Threshold": (("threshold",), ()),
    "I": (("r",), ()),
    "LI": (("tau", "r", "v_leak"), ()),
    "IF": (("r", "v_threshold"), _SPIKES),
    "LIF": (("tau", "r", "v_leak", "v_threshold"), _SPIKES),
    "CubaLI": (("tau_mem", "tau_syn", "r", "v_leak"), ("w_in",)),
    "CubaLIF": (("tau_mem", "tau_syn", "r", "v_leak", "v_threshold"), ("w_in", *_SPIKES)),
}
CELLS = frozenset({"I", "LI", "IF", "LIF", "CubaLI", "CubaLIF", "Threshold"})
"""What keeps a state, or fires: these become populations."""
LINEAR = frozenset({"Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"})
"""What multiplies: these become weights, or units that sum where others multiply further."""
PASSING = frozenset({"Input", "Output", "Flatten"})
"""What passes on the numbers it gets, in their order."""


@dataclass(frozen=True, eq=False)
class Place:
    """A node with the words by which errors name it.

    Attributes:
        name: Its name, with those of the graphs it lies in.
        node: The node.
        file: Name of the file.
    """

    name: str
    node: Node
    file: str

    @property
    def kind(self) -> str:
        """Its type."""
        return self.node.kind

    def error(self, sentence: str) -> FormatError:
        """An error that names the node and its type."""
        return FormatError(f"{self.file}: node {self.name} ({self.kind}): {sentence}")

    @property
    def kept(self) -> Mapping[str, Field]:
        """What we kept in its metadata, see `bridge.exchange.nir.metadata`."""
        return self.node.kept

    def has(self, field: str) -> bool:
        """Whether the file says something of a field."""
        return field in self.node.fields

    def numbers(self, field: str) -> Array:
        """A field that must be numbers."""
        value = self.node.fields[field]
        if isinstance(value, str):
            raise self.error(f"{field}: expected numbers, got {shown(value)}")
        return value

    def whole(self, field: str, least: int, size: int | None = None) -> tuple[int, ...]:
        """Whole numbers; one alone stands for `size` of them."""
        values: Array = self.numbers(field).reshape(-1)
        if size is not None and values.size == 1:
            values = np.repeat(values, size)
        fits = size is None or values.size == size
        if not fits or np.any(values != np.floor(values)) or np.any(values < least):
            count = "" if size is None else f"{size} "
            raise self.error(
                f"{field}: expected {count}whole numbers of at least {least}, got "
                f"{shown(values.tolist())}"
            )
        if np.any(values > 2**31):
            raise self.error(f"{field}: {values.max():g} is too large")
        return tuple(int(value) for value in values)


def checked(name: str, node: Node, file: str) -> Place:
    """A node, if it is of a type that is known, and has its fields and no others.

    Raises:
        FormatError: it is not so.
    """
    place = Place(name, node, file)
    if node.kind not in _FIELDS:
        raise FormatError(
            f"{file}: node {name} is of type {shown(node.kind)}, which is not known; known are "
            f"{', '.join(_FIELDS)} and NIRGraph"
        )
    needed, more = _FIELDS[node.kind]
    for field in needed:
        if field not in node.fields:
            raise place.error(f"{field} is missing")
    for field in node.fields:
        if field not in (*needed, *more, *SAID_AGAIN):
            raise place.error(f"has a field {shown(field)}, which is not known and not passed over")
    return place
