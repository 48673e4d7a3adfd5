"""A population in the reference: its states, and what the contract of a step does to them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.kept import EMITTED
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.operations import NUMPY
from bridge.spiking.population import Population

Array = NDArray[np.float64]


class Neurons:
    """State of one population in all trials; arrays are (B, n).

    Attributes:
        state: Every state of the model, by name.
        spikes: Who fired in this step.
        emitted: What was passed on in this step: spikes as 0 and 1, or values.
        constant: The model's constants, (n,) each.
        refractory: Steps that each neuron still skips.
    """

    def __init__(self, network: SpikingNetwork, population: Population, v: Array) -> None:
        self.span = network.span(population.name)
        self.name = population.name
        self.model = population.neurons
        constants = self.model.constants_of(population.size, network.dt_ms)
        self.bias, self.threshold = constants["bias"], constants.get("threshold")
        self.constant = SimpleNamespace(**constants)
        self.state = population.start(v[:, self.span])
        self.spikes: NDArray[np.bool_] = np.zeros(self.v.shape, dtype=bool)
        self.emitted: NDArray[Any] | None = None
        self.refractory = np.full(self.v.shape, self.model.initial_refractory_steps)

    @property
    def v(self) -> Array:
        """(B, n) what is recorded as the voltage."""
        v: Array = self.state[self.model.voltage]
        return v

    def look(self, name: str) -> Array:
        """(B, n) a state as it is now, or what is passed on in this step."""
        seen: Array = np.asarray(self.emitted if name == EMITTED else self.state[name])
        return seen

    def push(self, amount_mv: Array) -> None:
        """Add to the voltages."""
        self.state[self.model.voltage] = self.v + amount_mv

    def stepped(self, current: Array, state: dict[str, Array] | None = None) -> dict[str, Any]:
        """The states after the model's step, of all as if none were refractory.

        Of the states of this moment, or of another.
        """
        begin = SimpleNamespace(**(self.state if state is None else state))
        return self.model.step(NUMPY, begin, self.constant, current)

    def fresh(self) -> dict[str, Any]:
        """What a spike would set anew, of all as if each fired."""
        return self.model.reset(NUMPY, SimpleNamespace(**self.state), self.constant)

    def advance(self, current: Array, noise_mv: Array | None) -> None:
        """The model's step where not refractory, then noise, everywhere."""
        stepped = self.stepped(current)
        if self.model.gated:
            active = self.refractory == 0
            stepped = {
                name: np.where(active, stepped[name], old) for name, old in self.state.items()
            }
            self.refractory = np.where(active, 0, self.refractory - 1)
        self.state = stepped
        if noise_mv is not None:
            self.push(noise_mv[:, self.span])

    def fire(self) -> None:
        """Who spikes, and what is passed on."""
        if self.threshold is not None:
            met = np.greater if self.model.strictly else np.greater_equal
            self.spikes = met(self.v, self.threshold)
        if self.model.emits == "value":
            values = self.model.emitted(NUMPY, SimpleNamespace(**self.state), self.constant)
            self.emitted = values["value"]
        elif self.model.emits == "spikes":
            self.emitted = self.spikes

    def reset(self) -> None:
        """Reset and refractory count where a neuron spiked."""
        if not self.model.fires:
            return
        for name, value in self.fresh().items():
            self.state[name] = np.where(self.spikes, value, self.state[name])
        if self.model.gated:
            steps = self.model.refractory_steps
            self.refractory = np.where(self.spikes, steps, self.refractory)
