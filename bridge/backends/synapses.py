"""One projection of a running batch as a PyTorch module: its filter, its delays, its weights."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.backends.constants import gates
from bridge.spiking.filters import Direct, DoubleExponential
from bridge.spiking.network import INPUT, Projection, SpikingNetwork

Array = NDArray[np.float64]


def lag(projection: Projection) -> int:
    """Steps from a spike, or an input sample, to the first voltage it moves."""
    if projection.source == INPUT and isinstance(projection.filter, Direct):
        return 0
    return projection.delay_steps + (2 if isinstance(projection.filter, DoubleExponential) else 1)


class Synapses(nn.Module):
    """Filter state of one projection, (B, n_post) each, or (B, n_pre) on the presynaptic side.

    Where the spikes are not spread `inside` the block, the presynaptic side is filtered and summed
    between the blocks (`bridge.backends.traces`): here the projection is a direct one.

    Attributes:
        current: The filtered current; on the presynaptic side the filtered spikes.
        rise: First state of a double exponential, which takes what arrived two steps before.
        columns: (n_pre, n_post) weights, where the block spreads the spikes itself.
        owner: Number of the population whose neurons the state is of, -1 for input channels.
    """

    current: Tensor
    rise: Tensor
    decay_constant: Tensor | None
    rise_constant: Tensor | None
    gain_constant: Tensor | None
    trial_gain: Tensor | None
    columns: Tensor | None

    def __init__(
        self, network: SpikingNetwork, projection: Projection, like: Tensor, *, inside: bool
    ) -> None:
        super().__init__()
        presynaptic = projection.filter.side == "pre"
        self.presynaptic = presynaptic and inside
        filter_ = Direct() if presynaptic and not inside else projection.filter
        constants = gates(filter_, network.dt_ms)
        names = [population.name for population in network.populations]
        self.target = names.index(projection.target)
        self.source = -1 if projection.source == INPUT else names.index(projection.source)
        self.owner = self.source if self.presynaptic else self.target
        self.lag, self.dt_s = lag(projection), constants.dt_s
        if constants.decay is not None:
            width = projection.shape[1 if self.presynaptic else 0]
            self.register_buffer("current", like.new_zeros((len(like), width)))
        if constants.rise is not None:
            self.register_buffer("rise", torch.zeros_like(self.current))
        for name in ("decay", "rise", "gain"):
            values = getattr(constants, name)
            kept = None if values is None else like.new_tensor(values)
            self.register_buffer(f"{name}_constant", kept)
        self.register_buffer("trial_gain", None)
        self.register_buffer("columns", None)

    def form(self) -> tuple[object, ...]:
        """What of it decides the code."""
        states = [self.decay_constant is not None, self.rise_constant is not None]
        gained = self.trial_gain is not None
        return (self.source, self.target, self.lag, self.dt_s, *states, gained, self.presynaptic)

    def advance(self, arrived: Tensor, state: "FilterState") -> Tensor:
        """Take what arrived, and return the current of the step."""
        if self.presynaptic and self.columns is not None:
            return self._scaled(self.filtered(arrived, state) @ self.columns)
        return self.filtered(self._scaled(arrived), state)

    def _scaled(self, arrived: Tensor) -> Tensor:
        return arrived if self.trial_gain is None else arrived * self.trial_gain

    def filtered(self, arrived: Tensor, state: "FilterState") -> Tensor:
        """Take what arrived into the filter, and return what it gives in this step."""
        if self.decay_constant is None or self.gain_constant is None:
            return arrived
        if self.rise_constant is None:
            state.current = state.current * self.decay_constant + arrived * self.gain_constant
        else:
            state.rise = state.rise * self.rise_constant + arrived * self.gain_constant
            state.current = state.current * self.decay_constant + state.rise * self.dt_s
        return state.current


class FilterState:
    """Filter state within a block, before it is written back."""

    def __init__(self, synapses: Synapses) -> None:
        if synapses.decay_constant is not None:
            self.current = synapses.current
        if synapses.rise_constant is not None:
            self.rise = synapses.rise


def weight_columns(projection: Projection) -> Array:
    """(n_pre, n_post) weights."""
    weights = projection.weights
    dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
    return np.ascontiguousarray(dense.T)
