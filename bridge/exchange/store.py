"""`save` and `load`: every description and result as one HDF5 file.

A file states its kind and the version of the format, not of the package. A reader of an old
version is never edited, only added to.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bridge.arguments import before_path, file_path, flag
from bridge.errors import BridgeError, FormatError
from bridge.exchange.hdf5 import FORMAT, Tree, read_tree, write_tree
from bridge.exchange.networks import (
    in_order,
    network_from_tree,
    network_needs_version_2,
    network_to_tree,
    numbered,
    rate_from_tree,
    rate_needs_version_2,
    rate_to_tree,
)
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, FrozenNoise, Noise, OwnNoise, SharedNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording, Spikes
from bridge.spiking.stimulation import Stimulation

Stored = RateNetwork | SpikingNetwork | Conversion | Drive | Recording


def save(thing: Stored, path: str | Path, *, force: bool = False) -> Path:
    """Write a description or a result to an HDF5 file, whole or not at all.

    Args:
        thing: A RateNetwork, SpikingNetwork, Conversion, Drive or Recording.
        path: Where to; its folder must exist.
        force: Replace a file that is there.

    Raises:
        SpecError: it is nothing that can be saved.
        OutputError: the file exists, or cannot be written.
    """
    thing, file = before_path(thing, path, tuple(cls for cls, _, _ in _KINDS.values()))
    flag("force", force)
    kind, to_tree = next(
        (kind, to_tree) for kind, (cls, to_tree, _) in _KINDS.items() if isinstance(thing, cls)
    )
    tree = {"format": FORMAT, "format_version": format_version(thing), "kind": kind}
    write_tree(file, {**tree, **to_tree(thing)}, overwrite=force)
    return file


def format_version(thing: Stored) -> int:
    """The version a thing is written in: the oldest that says all of it.

    Version 2 adds QIF neurons, filters of the presynaptic side, cell types and stimulation, most of
    which a reader of version 1 would pass over in silence. What uses none of them stays readable
    by every program that reads version 1.
    """
    if isinstance(thing, Conversion):
        return max(format_version(thing.network), format_version(thing.rate))
    newer = (
        (isinstance(thing, SpikingNetwork) and network_needs_version_2(thing))
        or (isinstance(thing, RateNetwork) and rate_needs_version_2(thing))
        or (isinstance(thing, Drive) and bool(thing.stimulation))
    )
    return 2 if newer else 1


def load(path: str | Path) -> Stored:
    """Read what `save` wrote: a RateNetwork, SpikingNetwork, Conversion, Drive or Recording.

    Raises:
        FormatError: the file is missing, damaged, foreign, too new, or holds what makes no sense.
    """
    tree = read_tree(file_path(path))
    version = tree.get("format_version")
    if version not in _READERS:
        raise FormatError(
            f"{path}: format version {version}; this spikebridge reads "
            f"{', '.join(map(str, _READERS))}"
        )
    return _READERS[version](path, tree)


def _read(path: str | Path, tree: Tree) -> Stored:
    """Version 2, and version 1, which is a part of it."""
    kind = tree.get("kind")
    if kind not in _KINDS:
        raise FormatError(f"{path}: unknown kind {kind!r}; known are {', '.join(_KINDS)}")
    try:
        thing: Stored = _KINDS[kind][2](tree)
    except BridgeError as error:
        raise FormatError(f"{path}: {error}") from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"{path}: a {kind} file with missing or misplaced parts ({error})"
        ) from None
    return thing


def _conversion_to_tree(conversion: Conversion) -> Tree:
    search = conversion.search
    return {
        "network": network_to_tree(conversion.network),
        "rate": rate_to_tree(conversion.rate),
        "search": {
            "inverse_scales": search.inverse_scales,
            "correct": search.correct,
            "tested": search.tested,
            "trials": search.trials,
            "best": search.best,
            "seed": search.seed,
            "backend": search.backend,
            "seconds": search.seconds,
        },
    }


def _conversion_from_tree(tree: Tree) -> Conversion:
    return Conversion(
        network=network_from_tree(tree["network"]),
        rate=rate_from_tree(tree["rate"]),
        search=ScaleSearch(**tree["search"]),
    )


# 1 was NumPy's Philox generator; 2 is `bridge.spiking.noise`.
_NOISE_VERSION = 2


def _drive_to_tree(drive: Drive) -> Tree:
    noise = drive.noise
    tree: Tree = {
        "inputs": drive.inputs,
        "noise": type(noise).__name__,
        "first_trial": drive.first_trial,
    }
    if isinstance(noise, FrozenNoise):
        tree["noise_mv"] = noise.values_mv
    else:
        tree["seed"] = noise.seed
        tree["noise_version"] = _NOISE_VERSION
    for name in ("v_initial_mv", "recurrent_gain", "trial_numbers"):
        if getattr(drive, name) is not None:
            tree[name] = getattr(drive, name)
    if drive.stimulation:
        tree["stimulation"] = numbered(drive.stimulation, _stimulation_to_tree)
    return tree


def _stimulation_to_tree(stimulation: Stimulation) -> Tree:
    return {name: value for name, value in vars(stimulation).items() if value is not None}


def _stimulation_from_tree(tree: Tree) -> Stimulation:
    names = ("start_step", "stop_step", "neurons", "amplitude_mv", "probability")
    return Stimulation(**{name: tree[name] for name in names}, seed=tree.get("seed"))


def _drive_from_tree(tree: Tree) -> Drive:
    kinds: dict[str, Callable[[], Noise]] = {
        "FrozenNoise": lambda: FrozenNoise(values_mv=tree["noise_mv"]),
        "SharedNoise": lambda: SharedNoise(seed=tree["seed"]),
        "OwnNoise": lambda: OwnNoise(seed=tree["seed"]),
    }
    if tree["noise"] not in kinds:
        raise FormatError(f"unknown noise {tree['noise']!r}")
    if tree["noise"] == "SharedNoise" and tree.get("noise_version") != _NOISE_VERSION:
        raise FormatError(
            "its shared noise is that of another version of spikebridge, which this one cannot draw"
        )
    return Drive(
        inputs=tree["inputs"],
        noise=kinds[tree["noise"]](),
        v_initial_mv=tree.get("v_initial_mv"),
        recurrent_gain=tree.get("recurrent_gain"),
        first_trial=tree["first_trial"],
        trial_numbers=tree.get("trial_numbers"),
        stimulation=tuple(map(_stimulation_from_tree, in_order(tree.get("stimulation", {})))),
    )


def _recording_to_tree(recording: Recording) -> Tree:
    spikes = recording.spikes
    tree: Tree = {
        "dt_ms": recording.dt_ms,
        "sample_ms": recording.sample_ms,
        "provenance": dump_provenance(recording.provenance),
        "spikes": {name: getattr(spikes, name) for name in ("trial", "step", "neuron")}
        | {name: getattr(spikes, name) for name in ("n_trials", "n_steps", "n_neurons")},
        "readouts": dict(recording.readouts),
        "population_names": json.dumps(list(recording.populations)),
        "population_sizes": np.array(list(recording.populations.values()), dtype=np.int64),
    }
    for name in ("voltages_mv", "margins_mv"):
        if getattr(recording, name) is not None:
            tree[name] = getattr(recording, name)
    return tree


def _recording_from_tree(tree: Tree) -> Recording:
    names = json.loads(tree["population_names"])
    return Recording(
        spikes=Spikes(**tree["spikes"]),
        readouts=tree["readouts"],
        dt_ms=tree["dt_ms"],
        sample_ms=tree["sample_ms"],
        populations=dict(zip(names, tree["population_sizes"].tolist(), strict=True)),
        voltages_mv=tree.get("voltages_mv"),
        margins_mv=tree.get("margins_mv"),
        provenance=json.loads(tree["provenance"]),
    )


def dump_provenance(provenance: Mapping[str, Any]) -> str:
    """Provenance as JSON text, its keys in order."""
    return json.dumps(dict(provenance), sort_keys=True, default=str)


_KINDS: dict[str, tuple[type, Callable[[Any], Tree], Callable[[Tree], Any]]] = {
    "rate_network": (RateNetwork, rate_to_tree, rate_from_tree),
    "spiking_network": (SpikingNetwork, network_to_tree, network_from_tree),
    "conversion": (Conversion, _conversion_to_tree, _conversion_from_tree),
    "drive": (Drive, _drive_to_tree, _drive_from_tree),
    "recording": (Recording, _recording_to_tree, _recording_from_tree),
}

_READERS: dict[object, Callable[[str | Path, Tree], Stored]] = {1: _read, 2: _read}
