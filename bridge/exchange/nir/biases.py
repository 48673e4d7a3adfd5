"""Biases in a sketch of a NIR graph, where they act: a node of a cell has none of its own."""

from collections.abc import Iterator

import numpy as np

from bridge.exchange.nir.chains import Link, matrix_node
from bridge.exchange.nir.file import Array
from bridge.exchange.nir.metadata import BIAS_ALONE, BIAS_PLACE, single
from bridge.exchange.nir.names import ONE
from bridge.exchange.nir.sketch import Part, Sketch
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.projection import Projection


def may_fold(network: SpikingNetwork) -> bool:
    """Whether a unit that always gives 1 does nothing but keep biases silent in the first step."""
    one = next((part for part in network.populations if part.name == ONE), None)
    if one is None or type(one.neurons) is not Linear or one.size != 1:
        return False
    into = [part for part in network.projections if part.target == ONE]
    names = {part.name: part for part in network.projections}
    return (
        float(np.asarray(one.neurons.bias)[0]) == 1.0
        and not into
        and not any(read.source == ONE for read in network.shown_states)
        and all(_is_bias(part, names) for part in network.projections if part.source == ONE)
    )


def _is_bias(part: Projection, names: dict[str, Projection]) -> bool:
    """Whether a projection from the unit is the bias of another one's weights."""
    of = names.get(part.name.removesuffix("_bias"))
    plain = part.filter.memoryless and not part.within_step and not part.longest_delay_steps
    if of is None or of is part or of.target != part.target:
        return False
    # Behind its weights there must be nothing that would filter a bias of theirs, too.
    return plain and (of.filter.memoryless or of.filter.side == "pre")


def silent_bias(sketch: Sketch, part: Projection) -> tuple[int, Array] | None:
    """The bias that a folded unit gives the weights of a projection, and its place."""
    for place, each in enumerate(sketch.network.projections):
        if sketch.folded and each.source == ONE and each.name == f"{part.name}_bias":
            return place, each.column(0)
    return None


def with_bias(link: Link, bias: Array, silent: tuple[int, Array] | None) -> Link:
    """Weights with a bias of their own, or with that of a folded unit."""
    if silent is not None:
        place, bias = silent
        link.kept[BIAS_PLACE] = single(place)
    if not np.any(bias):
        return link
    return Link("Affine", {**link.fields, "bias": bias}, link.kept)


def biased(sketch: Sketch, name: str, number: int, bias: Array, ends: list[list[str]]) -> None:
    """Let the bias of a population come from weights before it."""
    if ends and not np.any(bias):
        return
    for key in _carriers(sketch, ends):
        part = sketch.parts[key]
        fields = {**part.link.fields, "bias": bias}
        sketch.parts[key] = Part(Link("Affine", fields, part.link.kept), part.title, part.rank)
        return
    bias_alone(sketch, name, number, bias)


def bias_alone(sketch: Sketch, name: str, number: int, bias: Array) -> None:
    """A bias that hangs on an input, with weights of 0."""
    source = some_input(sketch)
    weights = matrix_node(name, np.zeros((bias.size, sketch.size(source))))
    key = f"{name}.bias"
    hang_on(sketch, key, Link("Affine", {**weights.fields, "bias": bias}), number)
    sketch.edges.append((key, name))


def hang_on(sketch: Sketch, key: str, link: Link, number: int) -> None:
    """Weights of 0 behind an input."""
    link.kept[BIAS_ALONE] = "yes"
    sketch.add(key, link, (number, -1.0), key.replace(".", "_"))
    sketch.edges.append((some_input(sketch), key))
    sketch.added.append(key.split(".")[0])


def _carriers(sketch: Sketch, ends: list[list[str]]) -> Iterator[str]:
    """Weights that lead to a population at once, those that close a loop last."""
    found = [keys[-1] for keys in ends if keys and sketch.parts[keys[-1]].link.weighs]
    closing = {source for source, _ in sketch.back}
    yield from (key for key in found if key not in closing)
    if not sketch.folded:
        yield from (key for key in found if key in closing)


def some_input(sketch: Sketch) -> str:
    """An input that a bias may hang on; a new one of one channel, where there is none."""
    for each in sketch.network.inputs:
        return each.name
    key = "no input"
    if key not in sketch.parts:
        link = Link("Input", {"shape": np.array([1])}, {BIAS_ALONE: "yes"})
        sketch.add(key, link, (-1.0, 0.0), "none")
    return key
