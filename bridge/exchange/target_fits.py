"""Fits to rate dynamics as trees for the HDF5 store: a network, its learning, a checkpoint."""

from dataclasses import fields
from typing import Any

from bridge.exchange.hdf5 import Tree
from bridge.exchange.rate_networks import rate_from_tree, rate_to_tree
from bridge.exchange.spiking_networks import network_from_tree, network_to_tree
from bridge.methods.rate_targets.checkpoint import FitCheckpoint
from bridge.methods.rate_targets.result import TargetFit
from bridge.tasks import Trials

_ARRAYS = ("learning_errors", "errors")
_OPTIONAL = ("start_mv", "shifts_ms", "right")
_TRIAL = ("inputs", "targets", "labels")
_CHECKPOINT = tuple(part.name for part in fields(FitCheckpoint))


def fit_to_tree(fit: TargetFit) -> Tree:
    """A fit with its checkpoint, if it has one."""
    tree: Tree = {name: getattr(fit, name) for name in _ARRAYS}
    tree |= {"network": network_to_tree(fit.network), "rate_hz": fit.rate_hz}
    if fit.teacher is not None:
        tree["teacher"] = rate_to_tree(fit.teacher)
    if fit.trial is not None:
        tree["trial"] = {name: getattr(fit.trial, name) for name in _TRIAL}
    for name in _OPTIONAL:
        if getattr(fit, name) is not None:
            tree[name] = getattr(fit, name)
    if fit.checkpoint is not None:
        tree["checkpoint"] = {name: getattr(fit.checkpoint, name) for name in _CHECKPOINT}
    return tree


def fit_from_tree(tree: Tree) -> TargetFit:
    """The fit of a tree."""
    kept = tree.get("checkpoint")
    optional: dict[str, Any] = {name: tree.get(name) for name in _OPTIONAL}
    return TargetFit(
        network=network_from_tree(tree["network"]),
        **{name: tree[name] for name in _ARRAYS},
        **optional,
        trial=_trial_from_tree(tree["trial"]) if "trial" in tree else None,
        rate_hz=tree["rate_hz"],
        teacher=rate_from_tree(tree["teacher"]) if "teacher" in tree else None,
        checkpoint=None
        if kept is None
        else FitCheckpoint(**{name: kept[name] for name in _CHECKPOINT}),
    )


def _trial_from_tree(tree: Tree) -> Trials:
    return Trials(**{name: tree[name] for name in _TRIAL})
