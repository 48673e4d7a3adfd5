"""Fits to rate dynamics as trees for the HDF5 store: a network, its learning, a checkpoint."""

from dataclasses import fields

from bridge.exchange.hdf5 import Tree
from bridge.exchange.spiking_networks import network_from_tree, network_to_tree
from bridge.methods.rate_targets.checkpoint import FitCheckpoint
from bridge.methods.rate_targets.result import TargetFit
from bridge.tasks import Trials

_ARRAYS = ("start_mv", "learning_errors", "errors")
_TRIAL = ("inputs", "targets", "labels")
_CHECKPOINT = tuple(part.name for part in fields(FitCheckpoint))


def fit_to_tree(fit: TargetFit) -> Tree:
    """A fit with its checkpoint, if it has one."""
    tree: Tree = {name: getattr(fit, name) for name in _ARRAYS}
    tree |= {"network": network_to_tree(fit.network), "rate_hz": fit.rate_hz}
    tree["trial"] = {name: getattr(fit.trial, name) for name in _TRIAL}
    if fit.shifts_ms is not None:
        tree["shifts_ms"] = fit.shifts_ms
    if fit.checkpoint is not None:
        tree["checkpoint"] = {name: getattr(fit.checkpoint, name) for name in _CHECKPOINT}
    return tree


def fit_from_tree(tree: Tree) -> TargetFit:
    """The fit of a tree."""
    kept = tree.get("checkpoint")
    return TargetFit(
        network=network_from_tree(tree["network"]),
        **{name: tree[name] for name in _ARRAYS},
        trial=Trials(**{name: tree["trial"][name] for name in _TRIAL}),
        rate_hz=tree["rate_hz"],
        shifts_ms=tree.get("shifts_ms"),
        checkpoint=None
        if kept is None
        else FitCheckpoint(**{name: kept[name] for name in _CHECKPOINT}),
    )
