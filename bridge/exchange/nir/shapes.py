"""The shape of what arrives at each node: files state few of them, and some with a batch in it."""

from collections.abc import Callable, Mapping

import numpy as np

from bridge.exchange.nir.flat import Flat
from bridge.exchange.nir.maps import Shape, map_shape
from bridge.exchange.nir.nodes import CELLS, LINEAR, Place

_PARAMETERS = ("tau", "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in")
# How many dimensions nodes take, where their type says it.
_ALL = 32
_RANKS = {"Affine": 1, "Linear": 1, "Conv1d": 2, "Conv2d": 3, "SumPool2d": 3, "AvgPool2d": 3}


def shapes_of(graph: Flat, notes: list[str]) -> Mapping[str, Shape]:
    """What arrives at each node, by its name; of a root what it takes.

    Raises:
        FormatError: what arrives does not fit a node, or cannot be known.
    """
    return _Shapes(graph, notes).found()


class _Shapes:
    """Shapes as far as they are known."""

    def __init__(self, graph: Flat, notes: list[str]) -> None:
        self._graph, self._notes = graph, notes
        self._arriving: dict[str, Shape] = {}

    def found(self) -> Mapping[str, Shape]:
        """The shapes of all nodes, checked."""
        guesses: tuple[Callable[[Place], Shape | None], ...] = (
            _of_root,
            _of_parameters,
            _of_weight,
        )
        self._hand_on()
        for guess in guesses:
            for name, place in self._graph.nodes.items():
                root = not self._graph.sources(name)
                if name in self._arriving or (guess is _of_root and not root):
                    continue
                shape = guess(place)
                if shape is not None:
                    self._arriving[name] = self._without_batch(place) or shape
                    self._hand_on()
        for name, place in self._graph.nodes.items():
            if name not in self._arriving:
                raise place.error("the shape of what arrives at it is said nowhere")
        for place in self._graph.nodes.values():
            self._check(place)
        return self._arriving

    def _hand_on(self) -> None:
        """Let what is known pass along the edges until nothing changes."""
        left = list(self._arriving)
        while left:
            source = left.pop()
            for target in self._graph.targets(source):
                if target not in self._arriving:
                    self._arriving[target] = self._leaving(source)
                    left.append(target)

    def _leaving(self, name: str) -> Shape:
        place, shape = self._graph.nodes[name], self._arriving[name]
        if place.kind in LINEAR:
            return map_shape(place, shape)
        return _flattened(place, shape) if place.kind == "Flatten" else shape

    def _without_batch(self, place: Place) -> Shape | None:
        """The shape of an input without a batch or time, which its targets show."""
        if place.kind != "Input" or not place.has("shape"):
            return None
        shape = _said(place)
        rank = self._rank(place.name, set())
        if rank is None:
            rank = len(_core(shape))
        if rank >= len(shape):
            return shape
        self._notes.append(
            f"node {place.name} (Input): its shape {shape} is taken as {shape[-rank:]}; what "
            "stands before is batch or time"
        )
        return shape[-rank:]

    def _rank(self, name: str, seen: set[str]) -> int | None:
        """How many dimensions the nodes that a node leads to take; None: they do not say."""
        for target in self._graph.targets(name):
            place = self._graph.nodes[target]
            rank = _RANKS.get(place.kind)
            if place.kind == "Flatten":
                # It counts all dimensions that it is given.
                rank = place.numbers("input_type").size if place.has("input_type") else _ALL
            elif rank is None and place.kind in CELLS:
                own = _of_parameters(place)
                rank = None if own is None else len(own)
            elif rank is None and target not in seen:
                rank = self._rank(target, seen | {target})
            if rank is not None:
                return rank
        return None

    def _check(self, place: Place) -> None:
        """Raise FormatError unless all that arrives at a node is of the shape it takes."""
        shape = self._arriving[place.name]
        for source in self._graph.sources(place.name):
            got = self._leaving(source)
            if got != shape:
                raise place.error(
                    f"of shape {got} arrives from node {source}, and it takes {shape}"
                )
        said = _said(place) if place.has("shape") else None
        tail = said and said[-len(_core(shape)) :]
        if said is not None and tail != _core(shape) and self._graph.sources(place.name):
            raise place.error(f"its shape is {said}, and what arrives is of shape {shape}")


def _core(shape: Shape) -> Shape:
    """A shape without leading dimensions of one."""
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    return shape


def _said(place: Place) -> Shape:
    shape = place.whole("shape", 1)
    if not shape or int(np.prod(shape, dtype=float)) > 10**8:
        raise place.error(f"shape: {shape} is no shape that can be taken")
    return shape


def _of_root(place: Place) -> Shape | None:
    return _said(place) if place.has("shape") else None


def _of_parameters(place: Place) -> Shape | None:
    """The shape of a cell's numbers; None where one stands for all."""
    if place.kind not in CELLS:
        return None
    names = ("threshold",) if place.kind == "Threshold" else _PARAMETERS
    shapes = [place.numbers(name).shape for name in names if place.has(name)]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise place.error(f"its numbers are of shapes {sorted(set(shapes))}") from None
    return _core(shape) or None


def _of_weight(place: Place) -> Shape | None:
    """What a matrix takes."""
    if place.kind not in ("Affine", "Linear") or place.numbers("weight").ndim != 2:
        return None
    return (place.numbers("weight").shape[1],)


def _flattened(place: Place, shape: Shape) -> Shape:
    """The shape after Flatten, whose dimensions may count a batch."""
    said = place.numbers("input_type").size if place.has("input_type") else len(shape)
    batch = 1 if said == len(shape) + 1 else 0
    ends = []
    for field, default in (("start_dim", 1), ("end_dim", -1)):
        (at,) = place.whole(field, -8, 1) if place.has(field) else (default,)
        ends.append(at - batch if at >= 0 else at + len(shape))
    start, end = max(ends[0], 0), ends[1]
    if not start <= end < len(shape):
        if len(shape) == 1:
            return shape
        raise place.error(f"flattens dimensions {start} to {end}, and what arrives is of {shape}")
    return (*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :])
