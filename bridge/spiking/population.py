"""A population: neurons of one model under one name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import cell_types, counted, per_neuron
from bridge.spiking.essentials import brief, clipped, names, told
from bridge.spiking.initial_voltage import INITIAL_VOLTAGES, InitialVoltage
from bridge.spiking.limits import MOST_NEURONS
from bridge.spiking.neurons import NeuronModel, known_neurons
from bridge.spiking.values import known_model, shown, text


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """`size` neurons of one model under one name.

    Attributes:
        name: Unique among the populations of a network.
        size: Number of neurons N.
        neurons: Their model; single numbers are spread over the N neurons.
        initial_voltage: Where the voltage starts in each trial.
        noise_mv: S.d. of the independent normal noise added to the voltage once a step, mV; one
            number or (N,). It acts in refractory steps too and is not scaled with the step.
        cell_types: (N,) names of the kinds of neurons, as PYR, PV and SOM; None: they have none.
        initial_states: Where states of the model other than the voltage start, by name; one number
            or (N,). Those that are not named start as the model says.
    """

    name: str
    size: int
    neurons: NeuronModel
    initial_voltage: InitialVoltage
    noise_mv: ArrayLike = 0.0
    cell_types: tuple[str, ...] | None = None
    initial_states: Mapping[str, ArrayLike] = field(default_factory=dict)

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
        object.__setattr__(self, "initial_states", self._initial_states())

    def _initial_states(self) -> Mapping[str, NDArray[np.float64]]:
        if not isinstance(self.initial_states, Mapping):
            raise SpecError(f"{self.name}: initial_states: expected numbers by the names of states")
        free = [name for name in self.neurons.states if name != self.neurons.voltage]
        for name in self.initial_states:
            if name not in free:
                known = f"has {', '.join(free)}" if free else "has none apart from the voltage"
                raise SpecError(
                    f"{self.name}: initial_states: no state {shown(name)}; "
                    f"{self.neurons.title} {known}"
                )
        return MappingProxyType(
            {
                name: per_neuron(f"{self.name}: initial state {name}", value, self.size)
                for name, value in self.initial_states.items()
            }
        )

    def start(self, v: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Every state, (B, n) each, at the start of trials whose voltages are (B, n) `v`."""
        starts = {name: np.full(v.shape, value) for name, value in self.neurons.states.items()}
        given = {name: np.tile(value, (len(v), 1)) for name, value in self.initial_states.items()}
        return starts | given | {self.neurons.voltage: v.copy()}
