"""One projection of a running batch as a PyTorch module: its filter, its delays, its weights."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.backends.snntorch.operations import TorchOperations
from bridge.spiking.filters import filter_trace
from bridge.spiking.filters.direct import Direct
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]
States = dict[str, Tensor]


class Synapses(nn.Module):
    """Filter state of one projection, (B, n_post) each, or (B, n_pre) on the presynaptic side.

    Where the spikes are not spread `inside` the block, the presynaptic side is filtered and summed
    between the blocks (`bridge.backends.snntorch.traces`): here the projection is a direct one.

    What arrives comes `lag` steps late, when it first changes the output: its states are then
    brought up to date one after the other, each from the one that was before it.

    Attributes:
        columns: (n_pre, n_post) weights, where the block spreads the spikes itself.
        owner: Number of the population whose neurons the state is of, -1 for those of an input.
    """

    trial_gain: Tensor | None
    columns: Tensor | None

    def __init__(
        self, network: SpikingNetwork, projection: Projection, like: Tensor, *, inside: bool
    ) -> None:
        super().__init__()
        presynaptic = projection.filter.side == "pre"
        self.inside, self.presynaptic = inside, presynaptic and inside
        self.filter = Direct() if presynaptic and not inside else projection.filter
        names = [population.name for population in network.populations]
        self.target = names.index(projection.target)
        from_input = network.is_input(projection.source)
        self.source = -1 if from_input else names.index(projection.source)
        self.owner = self.source if self.presynaptic else self.target
        self.lag = network.lag_steps(projection)
        traced = filter_trace(self.filter)
        self._rows = [(row, traced.decay.only(*row)) for row in traced.rows]
        self._digest = traced.decay.digest()
        width = projection.shape[1 if self.presynaptic else 0]
        constants = self.filter.constants_of(width, network.dt_ms)
        self._constants = {f"constant.{name}": f"constant_{name}" for name in constants}
        self._states = {name: f"state_{name}" for name in self.filter.states}
        self._starts = bool(projection.initial_states) and not self.filter.memoryless
        self._first = network.filter_lag_steps(projection)
        for name in self.filter.states:
            start = like.new_tensor(projection.initial_states.get(name, np.zeros(width)))
            self.register_buffer(f"state_{name}", start.expand(len(like), width).clone())
        for name, value in constants.items():
            self.register_buffer(f"constant_{name}", like.new_tensor(value))
        self.register_buffer("trial_gain", None)
        self.register_buffer("columns", None)

    def form(self) -> tuple[object, ...]:
        """What of it decides the code."""
        gained = self.trial_gain is not None
        states = (self._digest, self.filter.states)
        started = (self._starts, self._first) if self._starts else ()
        # Elsewhere than inside the block delays are values.
        lag = self.lag if self.inside else 0
        return (self.source, self.target, lag, *states, gained, self.presynaptic, *started)

    def states(self) -> States:
        """The states of the filter, by name."""
        # Not by `get_buffer`, which takes long where it is called in every block.
        return {name: self._known(buffer) for name, buffer in self._states.items()}

    def _known(self, buffer: str) -> Tensor:
        tensor = self._buffers[buffer]
        if tensor is None:
            raise KeyError(buffer)
        return tensor

    def keep(self, states: States) -> None:
        """Write the states back."""
        for name, value in states.items():
            self._known(self._states[name]).copy_(value)

    def advance(self, arrived: Tensor, states: States, step: int | Tensor) -> Tensor:
        """Take what arrived, and return the current of the step of that number."""
        if self.presynaptic and self.columns is not None:
            return self._scaled(self.filtered(arrived, states, step) @ self.columns)
        return self.filtered(self._scaled(arrived), states, step)

    def _scaled(self, arrived: Tensor) -> Tensor:
        return arrived if self.trial_gain is None else arrived * self.trial_gain

    def filtered(self, arrived: Tensor, states: States, step: int | Tensor) -> Tensor:
        """Take what arrived into the states, and return what the filter gives in this step."""
        if self.filter.memoryless:
            return arrived
        ops, entry = TorchOperations(arrived), self.filter.states[0]
        known: dict[str, Any] = {
            name: self._buffers[buffer] for name, buffer in self._constants.items()
        }
        for place, (row, decay) in enumerate(self._rows):
            before = {name: states[name] for name in row} if self._starts else {}
            for name, value in states.items():
                known[f"state.{name}"] = value
            states.update(decay.evaluate(ops, known))
            if entry in row:
                states[entry] = states[entry] + arrived * known["constant.gain"]
            if before:
                self._hold(before, states, step, self._first - place)
        return states[self.filter.output]

    def _hold(self, before: States, states: States, step: int | Tensor, first: int) -> None:
        """Let a row whose states are given begin only in the step `first`.

        Up to then there is nothing to catch up with: the states are those of the first step.
        """
        for name, old in before.items():
            going = torch.as_tensor(step >= first).to(old.dtype)
            # Numbers, by which multiplying rounds nothing, and which inductor vectorises.
            states[name] = states[name] * going + old * (1 - going)
