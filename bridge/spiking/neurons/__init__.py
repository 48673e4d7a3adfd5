"""Neuron models, a file each: a file that is put here is a model that every backend runs.

`from bridge.spiking.neurons import Lif` finds each model by the name of its class.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from bridge.spiking.neurons.model import KNOWN, NeuronModel, NeuronTraces, known_neurons, traces

if TYPE_CHECKING:
    from bridge.spiking.neurons.lif import Lif
    from bridge.spiking.neurons.qif import Qif

__all__ = ["KNOWN", "Lif", "NeuronModel", "NeuronTraces", "Qif", "known_neurons", "traces"]

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")


def __getattr__(name: str) -> Any:
    for model in KNOWN.values():
        if model.__name__ == name:
            return model
    raise AttributeError(f"no neuron model {name!r}; known are {', '.join(sorted(KNOWN))}")
