"""Spiking networks as trees for the HDF5 store."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import FormatError
from bridge.exchange.hdf5 import Tree
from bridge.exchange.models import (
    filter_from_tree,
    filter_to_tree,
    neurons_from_tree,
    neurons_to_tree,
    numbers_from_tree,
)
from bridge.exchange.weights import weights_from_tree, weights_to_tree
from bridge.spiking.arrays import counted
from bridge.spiking.initial_voltage import (
    INITIAL_VOLTAGES,
    InitialVoltage,
    NormalVoltage,
    UniformVoltage,
)
from bridge.spiking.inputs import Input, is_plain
from bridge.spiking.network import Channel, Readout, SpikingNetwork, StateReadout
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.values import known_model, shown

Part = TypeVar("Part")


def network_to_tree(network: SpikingNetwork) -> Tree:
    """A spiking network; populations, projections and readouts are groups in their order."""
    return {
        "dt_ms": network.dt_ms,
        "input_size": network.input_size,
        "sample_steps": network.sample_steps,
        "sample_offset_steps": network.sample_offset_steps,
        "task": network.task,
        "provenance": dump_provenance(network.provenance),
        "populations": numbered(network.populations, _population_to_tree),
        "projections": numbered(network.projections, _projection_to_tree),
        "readouts": numbered(network.readouts, _readout_to_tree),
        **_inputs_to_tree(network),
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
        populations=tuple(map(_population_from_tree, in_order(tree["populations"]))),
        projections=tuple(map(_projection_from_tree, in_order(tree["projections"]))),
        readouts=tuple(map(_readout_from_tree, in_order(tree["readouts"]))),
        inputs=tuple(map(_input_from_tree, in_order(tree.get("inputs", {})))),
    )


def _inputs_to_tree(network: SpikingNetwork) -> Tree:
    """The inputs; of one that old files know, the number of its channels is all there is."""
    if is_plain(network.inputs):
        return {}
    return {"inputs": numbered(network.inputs, lambda part: dict(vars(part)))}


def _input_from_tree(tree: Tree) -> Input:
    return Input(name=tree["name"], size=tree["size"], emits=tree["emits"])


def network_version(network: SpikingNetwork) -> int:
    """The oldest version whose readers know all that it holds."""
    versions = [1 if is_plain(network.inputs) else 5]
    for population in network.populations:
        versions.append(4 if population.initial_states else 1)
        versions += [population.neurons.needs_version(), 1 if population.cell_types is None else 2]
    for projection in network.projections:
        versions += [projection.filter.needs_version(), 2 if projection.filter.side == "pre" else 1]
        versions.append(4 if projection.within_step or _delayed_input(projection) else 1)
        newer = projection.own_delays or projection.rank or not projection.scaled
        versions.append(5 if newer or projection.initial_states else 1)
    versions.append(5 if network.shown_states else 1)
    for readout in network.decoded:
        versions += [channel.filter.needs_version() for channel in readout.channels]
        versions += [5 for channel in readout.channels if channel.initial_states]
    return max(versions)


def _delayed_input(projection: Projection) -> bool:
    return projection.source == INPUT and projection.longest_delay_steps > 0


def cell_types_to_tree(types: tuple[str, ...] | None) -> Tree:
    """Names of the kinds, and for each neuron the number of its own among them."""
    if types is None:
        return {}
    names = sorted(set(types))
    numbers = np.array([names.index(name) for name in types], dtype=np.int32)
    return {"cell_types": numbers, "cell_type_names": json.dumps(names)}


def cell_types_from_tree(tree: Tree) -> tuple[str, ...] | None:
    """What `cell_types_to_tree` kept."""
    if "cell_types" not in tree:
        return None
    names, numbers = json.loads(tree["cell_type_names"]), tree["cell_types"]
    in_range = numbers.size and numbers.min() >= 0 and numbers.max() < len(names)
    if not isinstance(names, list) or numbers.dtype.kind not in "iu" or not in_range:
        raise FormatError("cell_types: expected numbers of the names in cell_type_names")
    return tuple(names[number] for number in numbers.tolist())


def dump_provenance(provenance: Mapping[str, Any]) -> str:
    """Provenance as JSON text, its keys in order."""
    return json.dumps(dict(provenance), sort_keys=True, default=str)


def numbered(parts: Sequence[Part], to_tree: Callable[[Part], Tree]) -> Tree:
    """Parts as groups that are named by their number."""
    return {f"{number:03d}": to_tree(part) for number, part in enumerate(parts)}


def in_order(tree: Tree) -> list[Tree]:
    """The groups of `numbered`, in their order."""
    return [tree[name] for name in sorted(tree)]


def _population_to_tree(population: Population) -> Tree:
    neurons, initial = population.neurons, population.initial_voltage
    known_model("initial voltage", initial, INITIAL_VOLTAGES)
    start = {"initial_voltage": type(initial).__name__}
    return {
        "name": population.name,
        "size": population.size,
        "noise_mv": np.asarray(population.noise_mv),
        **cell_types_to_tree(population.cell_types),
        **_initial_states_to_tree(population.initial_states),
        **neurons_to_tree(neurons),
        **start,
        **vars(initial),
    }


def _initial_states_to_tree(states: Mapping[str, ArrayLike]) -> Tree:
    return {"initial_states": dict(states)} if states else {}


def _initial_states_from_tree(tree: Tree) -> Tree:
    kept: Tree = tree.get("initial_states", {})
    return {name: numbers_from_tree(kept, name) for name in kept}


def _population_from_tree(tree: Tree) -> Population:
    kind = tree["initial_voltage"]
    if kind == "UniformVoltage":
        initial: InitialVoltage = UniformVoltage(low_mv=tree["low_mv"], high_mv=tree["high_mv"])
    elif kind == "NormalVoltage":
        initial = NormalVoltage(mean_mv=tree["mean_mv"], sd_mv=tree["sd_mv"])
    else:
        raise FormatError(f"unknown initial voltage {shown(kind)}")
    return Population(
        name=tree["name"],
        size=tree["size"],
        noise_mv=numbers_from_tree(tree, "noise_mv", tree["size"]),
        neurons=neurons_from_tree(tree),
        initial_voltage=initial,
        cell_types=cell_types_from_tree(tree),
        initial_states=tree.get("initial_states", {}),
    )


def _projection_to_tree(projection: Projection) -> Tree:
    return {
        "name": projection.name,
        "source": projection.source,
        "target": projection.target,
        "delay_steps": projection.delay_steps,
        "filter": filter_to_tree(projection.filter),
        **({"within_step": 1} if projection.within_step else {}),
        **({} if projection.scaled else {"scaled": 0}),
        **_initial_states_to_tree(projection.initial_states),
        "weights": weights_to_tree(projection.weights),
    }


def _projection_from_tree(tree: Tree) -> Projection:
    return Projection(
        name=tree["name"],
        source=tree["source"],
        target=tree["target"],
        delay_steps=tree["delay_steps"],
        filter=filter_from_tree(tree["filter"]),
        weights=weights_from_tree(tree["weights"]),
        within_step=tree.get("within_step", 0) == 1,
        scaled=_yes(tree, "scaled"),
        initial_states=_initial_states_from_tree(tree),
    )


def _yes(tree: Tree, name: str) -> bool:
    """Whether a word is 1, as it is by default, or 0."""
    return counted(name, tree.get(name, 1), most=1) == 1


def _readout_to_tree(readout: Readout | StateReadout) -> Tree:
    if isinstance(readout, StateReadout):
        state = {} if readout.state is None else {"state": readout.state}
        return {"name": readout.name, "source": readout.source, **state}
    return {
        "name": readout.name,
        "bias": np.asarray(readout.bias),
        "channels": numbered(readout.channels, _channel_to_tree),
    }


def _channel_to_tree(channel: Channel) -> Tree:
    return {
        "source": channel.source,
        "weights": channel.weights,
        "filter": filter_to_tree(channel.filter),
        **_initial_states_to_tree(channel.initial_states),
    }


def _readout_from_tree(tree: Tree) -> Readout | StateReadout:
    if "source" in tree:
        return StateReadout(name=tree["name"], source=tree["source"], state=tree.get("state"))
    channels = tuple(
        Channel(
            source=part["source"],
            weights=part["weights"],
            filter=filter_from_tree(part["filter"]),
            initial_states=_initial_states_from_tree(part),
        )
        for part in in_order(tree["channels"])
    )
    return Readout(name=tree["name"], bias=tree["bias"], channels=channels)
