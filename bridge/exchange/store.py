"""`save` and `load`: every description and result as one HDF5 file.

A file states its kind and the version of the format, not of the package. A reader of an old
version is never edited, only added to.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bridge.arguments import before_path, file_path, flag
from bridge.errors import BridgeError, FormatError, SpecError
from bridge.exchange import shipped
from bridge.exchange.conversions import (
    conversion_from_tree,
    conversion_to_tree,
    search_version,
)
from bridge.exchange.hdf5 import FORMAT, Tree, read_tree, write_tree
from bridge.exchange.rate_networks import rate_from_tree, rate_to_tree, rate_version
from bridge.exchange.runs import (
    drive_from_tree,
    drive_to_tree,
    recording_from_tree,
    recording_to_tree,
    run_version,
)
from bridge.exchange.spiking_networks import (
    network_from_tree,
    network_to_tree,
    network_version,
)
from bridge.exchange.target_fits import fit_from_tree, fit_to_tree
from bridge.exchange.trained_networks import trained_from_tree, trained_to_tree, trained_version
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.scale_search import Conversion
from bridge.methods.src.trained import TrainedNetwork
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.spiking.values import shown

Stored = RateNetwork | SpikingNetwork | Conversion | TargetFit | TrainedNetwork | Drive | Recording


def save(thing: Stored, path: str | Path, *, force: bool = False) -> Path:
    """Write a description or a result to an HDF5 file, whole or not at all.

    Args:
        thing: A RateNetwork, SpikingNetwork, Conversion, TargetFit, Drive or Recording.
        path: Where to; its folder must exist.
        force: Replace a file that is there.

    Raises:
        SpecError: it is nothing that can be saved.
        OutputError: the file exists, or cannot be written.
    """
    thing, file = before_path(thing, path, tuple(cls for cls, _, _ in _KINDS.values()))
    flag("force", force)
    for cls, to_tree, _ in _KINDS.values():
        # Not what inherits from it: a file would not say how that differs.
        if type(thing) is cls:
            write_tree(file, {**_header(thing), **to_tree(thing)}, overwrite=force)
            return file
    raise SpecError(f"cannot save {type(thing).__name__}; known kinds are {', '.join(_KINDS)}")


def format_version(thing: Stored) -> int:
    """The version a thing is written in: the oldest that says all of it.

    Version 2 adds QIF neurons, filters of the presynaptic side, cell types and stimulation, most of
    which a reader of version 1 would pass over in silence. What uses none of them stays readable
    by every program that reads version 1. Version 3 adds what the trials of a drive or a recording
    are of, and what a recording was shown. Version 4 adds every neuron model and filter beyond
    those, and projections that act within the step. Version 5 adds delays of presynaptic neurons,
    factored weights, initial states of filters, projections that no gain scales, linear units,
    several inputs under names, spikes as input, readouts that are states of populations, searches
    that know the numbers of a task, how much neurons fire, or the output error alone, curves of
    other kinds of neurons in a conversion, what a recording holds of the values that populations
    pass on and of a window of steps, rate networks of form h or tanh, with a bias, a start or
    clipping, fits to rate dynamics, networks that were trained as spiking networks, and of Spiking
    Recurrent Cells what their gate reads and what of them counts as a spike.
    """
    if isinstance(thing, TargetFit):
        return 5
    if isinstance(thing, Conversion):
        parts = format_version(thing.network), format_version(thing.rate)
        return max(*parts, search_version(thing.search), 5 if thing.others else 1)
    if isinstance(thing, Drive | Recording):
        return run_version(thing)
    if isinstance(thing, SpikingNetwork):
        return network_version(thing)
    if isinstance(thing, TrainedNetwork):
        return trained_version(thing)
    return rate_version(thing)


def load(path: str | Path) -> Stored:
    """Read what `save` wrote: a network, Conversion, TargetFit, Drive, Recording and so on.

    Args:
        path: The file, or the name of a network that ships with the package: "go_nogo_n200", a
            rate network, or "go_nogo_n200_lif", its conversion. A file of such a name goes first.

    Raises:
        FormatError: the file is missing, damaged, foreign, too new, or holds what makes no sense.
    """
    tree = read_tree(shipped.found(file_path(path)))
    version = tree.get("format_version")
    if type(version) is not int or version not in _READERS:
        told = version if isinstance(version, str) else shown(version)
        known = ", ".join(map(str, sorted(_READERS)))
        raise FormatError(f"{path}: format version {told}; this spikebridge reads {known}")
    return _READERS[version](path, tree)


def _read(path: str | Path, tree: Tree) -> Stored:
    """The newest version, and the versions before, which are parts of it."""
    kind = tree.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise FormatError(f"{path}: unknown kind {shown(kind)}; known are {', '.join(_KINDS)}")
    _, to_tree, from_tree = _KINDS[kind]
    try:
        thing: Stored = from_tree(tree)
    except BridgeError as error:
        raise FormatError(f"{path}: {error}") from None
    except MemoryError:
        raise FormatError(f"{path}: claims more than fits into memory") from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"{path}: a {kind} file with missing or misplaced parts ({error})"
        ) from None
    strange = _strange(tree, {**_header(thing), **to_tree(thing)})
    if strange is not None:
        raise FormatError(f"{path}: holds {strange}, which no {kind} file holds so")
    return thing


def _header(thing: Stored) -> Tree:
    kind = next(kind for kind, (cls, _, _) in _KINDS.items() if type(thing) is cls)
    return {"format": FORMAT, "format_version": format_version(thing), "kind": kind}


def _strange(tree: Tree, known: Tree, above: str = "") -> str | None:
    """The first part of a tree that is not in a tree that is known, or is of another nature.

    What is passed over may be what matters: a part whose name is misspelt would count as absent.
    """
    for name, value in tree.items():
        place = f"{above}{name}"
        if name not in known or _nature(value) is not _nature(known[name]):
            return place
        if isinstance(value, dict):
            deeper = _strange(value, known[name], f"{place}/")
            if deeper is not None:
                return deeper
    return None


def _nature(value: object) -> type:
    """Group, array, text or number."""
    return next((kind for kind in (dict, np.ndarray, str) if isinstance(value, kind)), float)


_KINDS: dict[str, tuple[type, Callable[[Any], Tree], Callable[[Tree], Any]]] = {
    "rate_network": (RateNetwork, rate_to_tree, rate_from_tree),
    "spiking_network": (SpikingNetwork, network_to_tree, network_from_tree),
    "conversion": (Conversion, conversion_to_tree, conversion_from_tree),
    "target_fit": (TargetFit, fit_to_tree, fit_from_tree),
    "trained_network": (TrainedNetwork, trained_to_tree, trained_from_tree),
    "drive": (Drive, drive_to_tree, drive_from_tree),
    "recording": (Recording, recording_to_tree, recording_from_tree),
}

_READERS: dict[int, Callable[[str | Path, Tree], Stored]] = dict.fromkeys(range(1, 6), _read)
