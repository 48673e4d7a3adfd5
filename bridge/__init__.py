"""spikebridge: a rate network trained in PyTorch, as spikes, the same in Brian2 and in snnTorch."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from bridge import plot
    from bridge.backends import simulate
    from bridge.compare.agreement import Agreement
    from bridge.compare.gate import compare
    from bridge.compare.recordings import compare_recordings
    from bridge.compare.report.page import report
    from bridge.errors import BridgeError
    from bridge.exchange.drives import load_drive
    from bridge.exchange.formats import export_network, import_network
    from bridge.exchange.recordings import export_recording, load_recording
    from bridge.exchange.store import load, save
    from bridge.exchange.target_arrays import load_targets
    from bridge.exchange.torch_modules import from_torch
    from bridge.methods.conversion import convert
    from bridge.methods.integrate_and_fire import map_integrate_and_fire
    from bridge.methods.lesion import lesion
    from bridge.methods.nbrc import nbrc_network
    from bridge.methods.one_to_one import map_one_to_one
    from bridge.methods.rate_targets.dale import with_dales_law
    from bridge.methods.rate_targets.explained import variance_explained
    from bridge.methods.rate_targets.fit import fit_targets
    from bridge.methods.rate_targets.rate_units import fit_rate_units
    from bridge.methods.rate_targets.result import TargetFit
    from bridge.methods.readout import refit_readout
    from bridge.methods.scale_search import Conversion
    from bridge.methods.scoring import score
    from bridge.methods.side_by_side import convert_each
    from bridge.methods.src.trained import TrainedNetwork
    from bridge.methods.src.training import train_src
    from bridge.rate.network import RateNetwork
    from bridge.rate.training import train, train_many
    from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, SharedNoise
    from bridge.spiking.filters import Direct, DoubleExponential, Exponential
    from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
    from bridge.spiking.inputs import Input
    from bridge.spiking.network import SpikingNetwork
    from bridge.spiking.neurons import Lif, Qif
    from bridge.spiking.population import Population
    from bridge.spiking.projection import Projection
    from bridge.spiking.random_weights import random_weights
    from bridge.spiking.readouts import Channel, Readout, StateReadout
    from bridge.spiking.recording import Recording
    from bridge.spiking.trains import poisson_drive, regular_drive
    from bridge.tasks import (
        FunctionTask,
        Measure,
        Trials,
        load_task_file,
        nmse,
        register_task,
        task,
    )

# Where each public name lives: it is imported when first asked for, so that `import bridge` is
# quick and loads neither torch nor a simulator.
_HOMES = {
    "Agreement": "bridge.compare.agreement",
    "BridgeError": "bridge.errors",
    "Channel": "bridge.spiking.readouts",
    "Conversion": "bridge.methods.scale_search",
    "Direct": "bridge.spiking.filters",
    "DoubleExponential": "bridge.spiking.filters",
    "Drive": "bridge.spiking.drive",
    "Exponential": "bridge.spiking.filters",
    "FrozenNoise": "bridge.spiking.drive",
    "FunctionTask": "bridge.tasks",
    "Input": "bridge.spiking.inputs",
    "Lif": "bridge.spiking.neurons",
    "Measure": "bridge.tasks",
    "NormalVoltage": "bridge.spiking.initial_voltage",
    "OwnNoise": "bridge.spiking.drive",
    "Population": "bridge.spiking.population",
    "Projection": "bridge.spiking.projection",
    "Qif": "bridge.spiking.neurons",
    "RateNetwork": "bridge.rate.network",
    "Readout": "bridge.spiking.readouts",
    "Recording": "bridge.spiking.recording",
    "SharedNoise": "bridge.spiking.drive",
    "SpikingNetwork": "bridge.spiking.network",
    "StateReadout": "bridge.spiking.readouts",
    "TargetFit": "bridge.methods.rate_targets.result",
    "TrainedNetwork": "bridge.methods.src.trained",
    "Trials": "bridge.tasks",
    "UniformVoltage": "bridge.spiking.initial_voltage",
    "compare": "bridge.compare.gate",
    "compare_recordings": "bridge.compare.recordings",
    "convert": "bridge.methods.conversion",
    "convert_each": "bridge.methods.side_by_side",
    "export_network": "bridge.exchange.formats",
    "export_recording": "bridge.exchange.recordings",
    "fit_rate_units": "bridge.methods.rate_targets.rate_units",
    "fit_targets": "bridge.methods.rate_targets.fit",
    "from_torch": "bridge.exchange.torch_modules",
    "import_network": "bridge.exchange.formats",
    "lesion": "bridge.methods.lesion",
    "load": "bridge.exchange.store",
    "load_drive": "bridge.exchange.drives",
    "load_recording": "bridge.exchange.recordings",
    "load_targets": "bridge.exchange.target_arrays",
    "load_task_file": "bridge.tasks",
    "map_integrate_and_fire": "bridge.methods.integrate_and_fire",
    "map_one_to_one": "bridge.methods.one_to_one",
    "nbrc_network": "bridge.methods.nbrc",
    "nmse": "bridge.tasks",
    "poisson_drive": "bridge.spiking.trains",
    "random_weights": "bridge.spiking.random_weights",
    "refit_readout": "bridge.methods.readout",
    "register_task": "bridge.tasks",
    "regular_drive": "bridge.spiking.trains",
    "report": "bridge.compare.report.page",
    "save": "bridge.exchange.store",
    "score": "bridge.methods.scoring",
    "simulate": "bridge.backends",
    "task": "bridge.tasks",
    "train": "bridge.rate.training",
    "train_many": "bridge.rate.training",
    "train_src": "bridge.methods.src.training",
    "variance_explained": "bridge.methods.rate_targets.explained",
    "with_dales_law": "bridge.methods.rate_targets.dale",
}

__all__ = [
    "Agreement",
    "BridgeError",
    "Channel",
    "Conversion",
    "Direct",
    "DoubleExponential",
    "Drive",
    "Exponential",
    "FrozenNoise",
    "FunctionTask",
    "Input",
    "Lif",
    "Measure",
    "NormalVoltage",
    "OwnNoise",
    "Population",
    "Projection",
    "Qif",
    "RateNetwork",
    "Readout",
    "Recording",
    "SharedNoise",
    "SpikingNetwork",
    "StateReadout",
    "TargetFit",
    "TrainedNetwork",
    "Trials",
    "UniformVoltage",
    "compare",
    "compare_recordings",
    "convert",
    "convert_each",
    "export_network",
    "export_recording",
    "fit_rate_units",
    "fit_targets",
    "from_torch",
    "import_network",
    "lesion",
    "load",
    "load_drive",
    "load_recording",
    "load_targets",
    "load_task_file",
    "map_integrate_and_fire",
    "map_one_to_one",
    "nbrc_network",
    "nmse",
    "plot",
    "poisson_drive",
    "random_weights",
    "refit_readout",
    "register_task",
    "regular_drive",
    "report",
    "save",
    "score",
    "simulate",
    "task",
    "train",
    "train_many",
    "train_src",
    "variance_explained",
    "with_dales_law",
]


# The function `bridge.compare` shares its name with the package it lives in. A package binds its
# name in its parent when it is first imported: done here, and undone, so that it cannot hide the
# function later.
import_module("bridge.compare")
del globals()["compare"]


def __getattr__(name: str) -> Any:
    if name == "plot":
        return import_module("bridge.plot")
    if name == "__version__":
        # Written once, in `setup.cfg`; what is installed tells it.
        return import_module("bridge.versions").version("spikebridge")
    if name not in _HOMES:
        raise AttributeError(f"module 'bridge' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
