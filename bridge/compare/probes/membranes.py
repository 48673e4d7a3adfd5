"""What probes need to know of a neuron model, asked of the model itself."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.neurons import NeuronModel
from bridge.spiking.operations import NUMPY
from bridge.spiking.population import Population

Array = NDArray[np.float64]


class Membrane:
    """The neurons of a population, each as it is just after a spike.

    Attributes:
        constant: The model's constants, (n,) each.
        state: Every state after a reset from threshold, (n,) each.
        threshold: Where they fire, (n,).
        left: What a step leaves of a leaky voltage's distance from its current; None for others.
    """

    def __init__(self, neurons: NeuronModel, size: int, dt_ms: float) -> None:
        self.model = neurons
        constants = neurons.constants_of(size, dt_ms)
        self.constant = SimpleNamespace(**constants)
        self.threshold, self.bias = constants["threshold"], constants["bias"]
        self.left = neurons.leaves(dt_ms)
        state: dict[str, Any] = {
            name: np.full(size, value) for name, value in neurons.states.items()
        }
        state[neurons.voltage] = np.array(self.threshold)
        fresh = neurons.reset(NUMPY, SimpleNamespace(**state), self.constant)
        self.state = state | {name: np.broadcast_to(v, size) for name, v in fresh.items()}

    @property
    def reset(self) -> Array:
        """(n,) voltage after a spike at threshold, mV."""
        v: Array = self.state[self.model.voltage]
        return v

    def stepped(self, state: dict[str, Any], current: Array) -> dict[str, Any]:
        """Every state a step later, under (n,) current, bias included."""
        return self.model.step(NUMPY, SimpleNamespace(**state), self.constant, current)

    def gain(self) -> Array:
        """(n,) mV by which a current of 1 more moves a voltage in a step from reset."""
        if self.left is not None:
            return np.asarray(1.0 - self.left)
        none = self.stepped(self.state, np.zeros_like(self.threshold))
        one = self.stepped(self.state, np.ones_like(self.threshold))
        return np.asarray(one[self.model.voltage] - none[self.model.voltage])

    def fired(self, state: dict[str, Any]) -> NDArray[np.bool_]:
        """Whether the voltages are at threshold."""
        v = state[self.model.voltage]
        return np.asarray(v > self.threshold if self.model.strictly else v >= self.threshold)


def membrane(part: Population, dt_ms: float) -> Membrane:
    """The membrane of a population that fires."""
    return Membrane(part.neurons, part.size, dt_ms)
