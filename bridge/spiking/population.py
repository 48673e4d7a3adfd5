"""A population: neurons of one model under one name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.arrays import cell_types, counted, per_neuron
from bridge.spiking.essentials import brief, clipped, names, told
from bridge.spiking.initial_voltage import INITIAL_VOLTAGES, InitialVoltage
from bridge.spiking.limits import MOST_NEURONS
from bridge.spiking.neurons import NeuronModel, known_neurons
from bridge.spiking.values import known_model, text


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """`size` neurons of one model under one name.

    Attributes:
        name: Unique among the populations of a network.
        size: Number of neurons N.
        neurons: Their model; single numbers are spread over the N neurons.
        initial_voltage: Where the voltage starts in each trial.
        noise_mv: S.d. of the independent normal noise added to the voltage once a step, in
            refractory steps too and not scaled with the step, mV; one number or (N,).
        cell_types: (N) names of the kinds of neurons, as PYR, PV and SOM; None: they have none.
    """

    name: str
    size: int
    neurons: NeuronModel
    initial_voltage: InitialVoltage
    noise_mv: ArrayLike = 0.0
    cell_types: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        kinds = names(sorted(set(self.cell_types or ())))
        kinds = kinds and f"cell types {kinds}"
        model = type(self.neurons).__name__
        noise = f"noise {brief(self.noise_mv)} mV" if np.any(self.noise_mv) else ""
        return told(self, f"{clipped(self.name, 60)}: {self.size:,} {model}", kinds, noise)

    def __post_init__(self) -> None:
        text("population: name", self.name)
        size = counted(f"{self.name}: size", self.size, least=1, most=MOST_NEURONS)
        object.__setattr__(self, "size", size)
        known_neurons(f"{self.name}: neurons", self.neurons)
        known_model(f"{self.name}: initial voltage", self.initial_voltage, INITIAL_VOLTAGES)
        object.__setattr__(self, "neurons", self.neurons.sized(self.size))
        noise = per_neuron(f"{self.name}: noise_mv", self.noise_mv, self.size)
        if np.any(noise < 0):
            raise SpecError(f"{self.name}: noise_mv must not be negative, got {noise.min()}")
        object.__setattr__(self, "noise_mv", noise)
        object.__setattr__(self, "cell_types", cell_types(self.cell_types, self.size))
