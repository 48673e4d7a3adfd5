"""Rate networks as trees for the HDF5 store."""

import json
from typing import Any

from bridge.exchange.hdf5 import Tree
from bridge.exchange.spiking_networks import (
    cell_types_from_tree,
    cell_types_to_tree,
    dump_provenance,
)
from bridge.rate.learning import Checkpoint, History
from bridge.rate.network import RateNetwork

_RATE_ARRAYS = ("recurrent", "w_in", "w_out", "b_out", "tau_ms")
# Written where they are not as by default.
_UNIT_FIELDS = ("form", "bias", "initial_state", "highest_rate")
_RATE_VALUES = ("activation", "dt_ms", "noise_sd", "initial_sd", "task")


def rate_to_tree(rate: RateNetwork) -> Tree:
    """A rate network with its history and its checkpoint, if it has them."""
    tree: Tree = {name: getattr(rate, name) for name in _RATE_ARRAYS}
    tree |= {name: getattr(rate, name) for name in _RATE_VALUES}
    tree["provenance"] = dump_provenance(rate.provenance)
    if rate.excitatory is not None:
        tree["excitatory"] = rate.excitatory
    tree |= cell_types_to_tree(rate.cell_types)
    tree |= {name: getattr(rate, name) for name in rate.told_units()}
    return tree | learning_to_tree(rate.history, rate.checkpoint)


def rate_from_tree(tree: Tree) -> RateNetwork:
    """The rate network of a tree."""
    return RateNetwork(
        **{name: tree[name] for name in (*_RATE_ARRAYS, *_RATE_VALUES)},
        excitatory=tree.get("excitatory"),
        cell_types=cell_types_from_tree(tree),
        **{name: tree[name] for name in _UNIT_FIELDS if name in tree},
        **learning_from_tree(tree),
        provenance=json.loads(tree["provenance"]),
    )


def learning_to_tree(history: History | None, checkpoint: Checkpoint | None) -> Tree:
    """What training left with a network, as far as there is any."""
    tree: Tree = {}
    if history is not None:
        names = ("update", "loss", "accuracy")
        tree["history"] = {name: getattr(history, name) for name in names}
    if checkpoint is not None:
        parts = ("parameters", "moment1", "moment2")
        tree["checkpoint"] = {"updates": checkpoint.updates} | {
            part: dict(getattr(checkpoint, part)) for part in parts
        }
    return tree


def learning_from_tree(tree: Tree) -> dict[str, Any]:
    """History and checkpoint as fields of a network."""
    return {
        "history": History(**tree["history"]) if "history" in tree else None,
        "checkpoint": Checkpoint(**tree["checkpoint"]) if "checkpoint" in tree else None,
    }


def rate_version(rate: RateNetwork) -> int:
    """The oldest version whose readers would pass over nothing of it."""
    if rate.told_units() or rate.activation == "tanh":
        return 5
    return 1 if rate.cell_types is None else 2
