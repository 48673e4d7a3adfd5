"""Neuron models and filters as trees for the HDF5 store: their words and numbers, whatever kind."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.hdf5 import Tree
from bridge.spiking.filters import KNOWN as FILTERS
from bridge.spiking.filters import Filter, known_filter
from bridge.spiking.neurons import KNOWN as MODELS
from bridge.spiking.neurons import NeuronModel, known_neurons
from bridge.spiking.parts import Part as Model
from bridge.spiking.values import shown


def neurons_to_tree(neurons: NeuronModel) -> Tree:
    """A neuron model, its kind and all that it holds."""
    known_neurons("neurons", neurons)
    return {"model": neurons.kind, **neurons.stored(), **_operations_to_tree(neurons)}


def neurons_from_tree(tree: Tree) -> NeuronModel:
    """The neuron model of a population's tree."""
    kind = tree["model"]
    if not isinstance(kind, str) or kind not in MODELS:
        raise FormatError(f"unknown neuron model {shown(kind)}; known are {', '.join(MODELS)}")
    neurons: NeuronModel = _part_from_tree(MODELS[kind], tree, tree["size"])
    return neurons


def filter_to_tree(filter_: Filter) -> Tree:
    """A filter."""
    known_filter("stored", filter_)
    stored = filter_.stored()
    # As in version 1 where it is the postsynaptic side's.
    if filter_.side == "post":
        del stored["side"]
    return {"kind": filter_.kind, **stored, **_operations_to_tree(filter_)}


def filter_from_tree(tree: Tree) -> Filter:
    """The filter of a tree."""
    kind = tree["kind"]
    if not isinstance(kind, str) or kind not in FILTERS:
        raise FormatError(f"unknown filter {shown(kind)}; known are {', '.join(FILTERS)}")
    filter_: Filter = _part_from_tree(FILTERS[kind], tree)
    return filter_


def _operations_to_tree(part: Model) -> Tree:
    """What a class of somebody's own does: a file that says its name alone would trust it."""
    return {"operations": part.operations()} if part.foreign else {}


def _part_from_tree(part: type[Model], tree: Tree, size: int | None = None) -> Any:
    """A neuron model or a filter: its numbers, one for each of `size` neurons, and its words."""
    numbers = {
        name: numbers_from_tree(tree, name, size)
        for name in part.named("each")
        if name in tree or name not in part.added()
    }
    words = {
        name: tree[name]
        for name in (*part.named("choice"), *part.named("steps"))
        # What is as it is by default need not be there.
        if name in tree or name not in part.by_default()
    }
    made = part(**numbers, **words)
    if made.foreign and tree.get("operations") != made.operations():
        raise FormatError(
            f"{made.kind}: {part.__name__} of this program takes other steps than the one that "
            "this file was made with"
        )
    return made


def numbers_from_tree(tree: Tree, name: str, size: int | None = None) -> NDArray[np.float64]:
    """A row of numbers, as many as `size` says (None: any).

    One number for all would let a small file claim any amount of memory.
    """
    shape = np.shape(tree[name])
    if len(shape) != 1 or (size is not None and shape != (size,)):
        raise FormatError(f"{name}: expected a number for each neuron, got shape {shape}")
    values: NDArray[np.float64] = tree[name]
    return values
