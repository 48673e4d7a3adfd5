"""Drives and recordings as trees for the HDF5 store."""

import json
from collections.abc import Callable, Mapping

import numpy as np

from bridge.errors import FormatError
from bridge.exchange.hdf5 import Tree
from bridge.exchange.spiking_networks import dump_provenance, in_order, numbered
from bridge.spiking.arrays import counted
from bridge.spiking.drive import NOISES, Drive, FrozenNoise, Noise, OwnNoise, SharedNoise
from bridge.spiking.recording import Recording, Spikes, Window
from bridge.spiking.stimulation import Stimulation
from bridge.spiking.values import known_model, shown

# 1 was NumPy's Philox generator; 2 is `bridge.spiking.noise`.
_NOISE_VERSION = 2


def drive_to_tree(drive: Drive) -> Tree:
    """A drive."""
    noise = drive.noise
    tree: Tree = {
        "inputs": drive.inputs,
        "noise": type(known_model("noise", noise, NOISES)).__name__,
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
    return tree | _trains_to_tree("spikes", drive.spikes) | _conditions_to_tree(drive)


def _trains_to_tree(name: str, spikes: Mapping[str, Spikes]) -> Tree:
    """Spikes by the names of inputs; nothing where there are none."""
    return {name: {each: dict(vars(train)) for each, train in spikes.items()}} if spikes else {}


def _trains_from_tree(name: str, tree: Tree) -> dict[str, Spikes]:
    return {each: Spikes(**train) for each, train in tree.get(name, {}).items()}


def run_version(thing: Drive | Recording) -> int:
    """The oldest version whose readers know all that it holds."""
    trains = thing.spikes if isinstance(thing, Drive) else thing.input_spikes
    kept = isinstance(thing, Recording) and (thing.values is not None or thing.window is not None)
    if trains or kept:
        return 5
    shown_too = isinstance(thing, Recording) and thing.inputs is not None
    if shown_too or _conditions_to_tree(thing):
        return 3
    return 2 if isinstance(thing, Drive) and thing.stimulation else 1


def _conditions_to_tree(thing: Drive | Recording) -> Tree:
    """Labels and names of the conditions, task and seed, in a group of their own; or nothing."""
    if thing.labels is None and not thing.task and thing.seed is None:
        return {}
    kept: Tree = {"task": thing.task}
    if thing.labels is not None:
        kept |= {"labels": thing.labels, "conditions": json.dumps(list(thing.conditions))}
    if thing.seed is not None:
        kept["seed"] = thing.seed
    return {"trials": kept}


def _conditions_from_tree(tree: Tree) -> Tree:
    """The fields that `_conditions_to_tree` kept."""
    kept = tree.get("trials", {})
    return {
        "labels": kept.get("labels"),
        "conditions": json.loads(kept.get("conditions", "[]")),
        "task": kept.get("task", ""),
        "seed": kept.get("seed"),
    }


def _stimulation_to_tree(stimulation: Stimulation) -> Tree:
    return {name: value for name, value in vars(stimulation).items() if value is not None}


def _stimulation_from_tree(tree: Tree) -> Stimulation:
    names = ("start_step", "stop_step", "neurons", "amplitude_mv", "probability")
    return Stimulation(**{name: tree[name] for name in names}, seed=tree.get("seed"))


def drive_from_tree(tree: Tree) -> Drive:
    """The drive of a tree."""
    kinds: dict[str, Callable[[], Noise]] = {
        "FrozenNoise": lambda: FrozenNoise(values_mv=tree["noise_mv"]),
        "SharedNoise": lambda: SharedNoise(seed=tree["seed"]),
        "OwnNoise": lambda: OwnNoise(seed=tree["seed"]),
    }
    if not isinstance(tree["noise"], str) or tree["noise"] not in kinds:
        raise FormatError(f"unknown noise {shown(tree['noise'])}; known are {', '.join(kinds)}")
    if tree["noise"] == "SharedNoise" and tree.get("noise_version") != _NOISE_VERSION:
        raise FormatError(
            "its shared noise is that of another version of spikebridge, which this one cannot draw"
        )
    if "noise_version" in tree:
        counted("noise_version", tree["noise_version"], least=1, most=_NOISE_VERSION)
    return Drive(
        inputs=tree["inputs"],
        noise=kinds[tree["noise"]](),
        v_initial_mv=tree.get("v_initial_mv"),
        recurrent_gain=tree.get("recurrent_gain"),
        first_trial=tree["first_trial"],
        trial_numbers=tree.get("trial_numbers"),
        stimulation=tuple(map(_stimulation_from_tree, in_order(tree.get("stimulation", {})))),
        spikes=_trains_from_tree("spikes", tree),
        **_conditions_from_tree(tree),
    )


def recording_to_tree(recording: Recording) -> Tree:
    """A recording."""
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
    for name in ("inputs", "voltages_mv", "margins_mv"):
        if getattr(recording, name) is not None:
            tree[name] = getattr(recording, name)
    if recording.values is not None:
        tree["values"] = dict(recording.values)
    if recording.window is not None:
        tree["window"] = _window_to_tree(recording.window)
    shown_too = _trains_to_tree("input_spikes", recording.input_spikes)
    return tree | shown_too | _conditions_to_tree(recording)


def _window_to_tree(window: Window) -> Tree:
    return {
        "start_step": window.start_step,
        "states": {name: dict(of) for name, of in window.states.items()},
        "values": dict(window.values),
    }


def _window_from_tree(tree: Tree) -> Window:
    return Window(start_step=tree["start_step"], states=tree["states"], values=tree["values"])


def recording_from_tree(tree: Tree) -> Recording:
    """The recording of a tree."""
    names = json.loads(tree["population_names"])
    if not isinstance(names, list) or len(set(names)) < len(names):
        raise FormatError("population_names: expected a list of names, each once")
    return Recording(
        spikes=Spikes(**tree["spikes"]),
        readouts=tree["readouts"],
        dt_ms=tree["dt_ms"],
        sample_ms=tree["sample_ms"],
        populations=dict(zip(names, tree["population_sizes"].tolist(), strict=True)),
        inputs=tree.get("inputs"),
        voltages_mv=tree.get("voltages_mv"),
        margins_mv=tree.get("margins_mv"),
        values=tree.get("values"),
        window=_window_from_tree(tree["window"]) if "window" in tree else None,
        provenance=json.loads(tree["provenance"]),
        input_spikes=_trains_from_tree("input_spikes", tree),
        **_conditions_from_tree(tree),
    )
