"""Rate and spiking networks as trees for the HDF5 store."""

import json
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from scipy import sparse

from bridge.errors import FormatError
from bridge.exchange.hdf5 import Tree
from bridge.rate.network import Checkpoint, History, RateNetwork
from bridge.spiking.arrays import counted
from bridge.spiking.filters import Direct, DoubleExponential, Exponential, Filter
from bridge.spiking.network import Channel, Projection, Readout, SpikingNetwork
from bridge.spiking.neurons import (
    LIF_ARRAYS,
    InitialVoltage,
    Lif,
    NormalVoltage,
    Population,
    UniformVoltage,
)

Part = TypeVar("Part")

_RATE_ARRAYS = ("recurrent", "w_in", "w_out", "b_out", "tau_ms")
_RATE_VALUES = ("activation", "dt_ms", "noise_sd", "initial_sd", "task")


def rate_to_tree(rate: RateNetwork) -> Tree:
    """A rate network with its history and its checkpoint, if it has them."""
    tree: Tree = {name: getattr(rate, name) for name in _RATE_ARRAYS}
    tree |= {name: getattr(rate, name) for name in _RATE_VALUES}
    tree["provenance"] = json.dumps(dict(rate.provenance), sort_keys=True, default=str)
    if rate.excitatory is not None:
        tree["excitatory"] = rate.excitatory
    if rate.history is not None:
        names = ("update", "loss", "accuracy")
        tree["history"] = {name: getattr(rate.history, name) for name in names}
    if rate.checkpoint is not None:
        parts = ("parameters", "moment1", "moment2")
        tree["checkpoint"] = {"updates": rate.checkpoint.updates} | {
            part: dict(getattr(rate.checkpoint, part)) for part in parts
        }
    return tree


def rate_from_tree(tree: Tree) -> RateNetwork:
    """The rate network of a tree."""
    return RateNetwork(
        **{name: tree[name] for name in (*_RATE_ARRAYS, *_RATE_VALUES)},
        excitatory=tree.get("excitatory"),
        history=History(**tree["history"]) if "history" in tree else None,
        checkpoint=Checkpoint(**tree["checkpoint"]) if "checkpoint" in tree else None,
        provenance=json.loads(tree["provenance"]),
    )


def network_to_tree(network: SpikingNetwork) -> Tree:
    """A spiking network; populations, projections and readouts are groups in their order."""
    return {
        "dt_ms": network.dt_ms,
        "input_size": network.input_size,
        "sample_steps": network.sample_steps,
        "sample_offset_steps": network.sample_offset_steps,
        "task": network.task,
        "provenance": json.dumps(dict(network.provenance), sort_keys=True, default=str),
        "populations": _numbered(network.populations, _population_to_tree),
        "projections": _numbered(network.projections, _projection_to_tree),
        "readouts": _numbered(network.readouts, _readout_to_tree),
    }


def network_from_tree(tree: Tree) -> SpikingNetwork:
    """The spiking network of a tree."""
    return SpikingNetwork(
        dt_ms=tree["dt_ms"],
        input_size=tree["input_size"],
        sample_steps=tree["sample_steps"],
        sample_offset_steps=tree["sample_offset_steps"],
        task=tree["task"],
        provenance=json.loads(tree["provenance"]),
        populations=tuple(map(_population_from_tree, _in_order(tree["populations"]))),
        projections=tuple(map(_projection_from_tree, _in_order(tree["projections"]))),
        readouts=tuple(map(_readout_from_tree, _in_order(tree["readouts"]))),
    )


def _numbered(parts: Sequence[Part], to_tree: Callable[[Part], Tree]) -> Tree:
    return {f"{number:03d}": to_tree(part) for number, part in enumerate(parts)}


def _in_order(tree: Tree) -> list[Tree]:
    return [tree[name] for name in sorted(tree)]


def _population_to_tree(population: Population) -> Tree:
    neurons, initial = population.neurons, population.initial_voltage
    start = {"initial_voltage": type(initial).__name__}
    return {
        "name": population.name,
        "size": population.size,
        "noise_mv": np.asarray(population.noise_mv),
        "model": "lif",
        "membrane_step": neurons.membrane_step,
        "refractory_steps": neurons.refractory_steps,
        "initial_refractory_steps": neurons.initial_refractory_steps,
        **{name: np.asarray(getattr(neurons, name)) for name in LIF_ARRAYS},
        **start,
        **vars(initial),
    }


def _population_from_tree(tree: Tree) -> Population:
    if tree["model"] != "lif":
        raise FormatError(f"unknown neuron model {tree['model']!r}; known is lif")
    kind = tree["initial_voltage"]
    if kind == "UniformVoltage":
        initial: InitialVoltage = UniformVoltage(low_mv=tree["low_mv"], high_mv=tree["high_mv"])
    elif kind == "NormalVoltage":
        initial = NormalVoltage(mean_mv=tree["mean_mv"], sd_mv=tree["sd_mv"])
    else:
        raise FormatError(f"unknown initial voltage {kind!r}")
    names = (*LIF_ARRAYS, "membrane_step", "refractory_steps", "initial_refractory_steps")
    return Population(
        name=tree["name"],
        size=tree["size"],
        noise_mv=tree["noise_mv"],
        neurons=Lif(**{name: tree[name] for name in names}),
        initial_voltage=initial,
    )


def _projection_to_tree(projection: Projection) -> Tree:
    weights = projection.weights
    if isinstance(weights, np.ndarray):
        kept: Tree = {"weights": weights}
    else:
        kept = {
            "weights": {
                "data": weights.data,
                "indices": weights.indices.astype(np.int64),
                "indptr": weights.indptr.astype(np.int64),
                "post": projection.shape[0],
                "pre": projection.shape[1],
            }
        }
    return {
        "name": projection.name,
        "source": projection.source,
        "target": projection.target,
        "delay_steps": projection.delay_steps,
        "filter": _filter_to_tree(projection.filter),
        **kept,
    }


def _projection_from_tree(tree: Tree) -> Projection:
    weights = tree["weights"]
    if isinstance(weights, dict):
        weights = _sparse_from_tree(weights)
    return Projection(
        name=tree["name"],
        source=tree["source"],
        target=tree["target"],
        delay_steps=tree["delay_steps"],
        filter=_filter_from_tree(tree["filter"]),
        weights=weights,
    )


def _sparse_from_tree(tree: Tree) -> sparse.csc_array:
    data, indices, indptr = (tree[name] for name in ("data", "indices", "indptr"))
    post, pre = counted("post", tree["post"]), counted("pre", tree["pre"])
    sound = (
        indices.dtype.kind == indptr.dtype.kind == "i"
        and indptr.shape == (pre + 1,)
        and data.shape == indices.shape == (indptr[-1],)
        and indptr[0] == 0
        and np.all(np.diff(indptr) >= 0)
        and (indices.size == 0 or 0 <= indices.min() <= indices.max() < post)
    )
    if not sound:
        raise FormatError("sparse weights whose indices do not fit their shape")
    return sparse.csc_array((data, indices, indptr), shape=(post, pre))


def _readout_to_tree(readout: Readout) -> Tree:
    return {
        "name": readout.name,
        "bias": np.asarray(readout.bias),
        "channels": _numbered(readout.channels, _channel_to_tree),
    }


def _channel_to_tree(channel: Channel) -> Tree:
    return {
        "source": channel.source,
        "weights": channel.weights,
        "filter": _filter_to_tree(channel.filter),
    }


def _readout_from_tree(tree: Tree) -> Readout:
    channels = tuple(
        Channel(
            source=part["source"], weights=part["weights"], filter=_filter_from_tree(part["filter"])
        )
        for part in _in_order(tree["channels"])
    )
    return Readout(name=tree["name"], bias=tree["bias"], channels=channels)


def _filter_to_tree(filter_: Filter) -> Tree:
    arrays = {k: np.asarray(v) for k, v in vars(filter_).items() if k.startswith("tau")}
    if isinstance(filter_, Exponential):
        return {"kind": "exponential", "normalisation": filter_.normalisation, **arrays}
    return {"kind": "direct" if isinstance(filter_, Direct) else "double_exponential", **arrays}


def _filter_from_tree(tree: Tree) -> Filter:
    kind = tree["kind"]
    if kind == "direct":
        return Direct()
    if kind == "exponential":
        return Exponential(tau_ms=tree["tau_ms"], normalisation=tree["normalisation"])
    if kind == "double_exponential":
        return DoubleExponential(tau_rise_ms=tree["tau_rise_ms"], tau_decay_ms=tree["tau_decay_ms"])
    raise FormatError(f"unknown filter {kind!r}")
