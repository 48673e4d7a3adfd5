"""A population of the description as an snnTorch neuron: `NeuronCell`, differentiable."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from snntorch import SpikingNeuron
from torch import Tensor

from bridge.backends.snntorch.operations import TorchOperations
from bridge.spiking.neurons import NeuronModel, traces

States = dict[str, Tensor]
State = tuple[States, Tensor]


class NeuronCell(SpikingNeuron):  # type: ignore[misc]
    """One step of n neurons of a model in B trials, with refractory counts and noise.

    None of snnTorch's own neurons has a refractory period or a resting voltage of its own. The
    step is the model's own text, so that float64 gives the reference's voltages bit for bit. The
    state is handed in and out, since `snntorch.utils.reset` does not know neurons from elsewhere.

    Args:
        neurons: The population's model, sized.
        size: Number of neurons n.
        dt_ms: Time step, ms.
        dtype: Precision of the constants: Python numbers would silently become float32.
        spike_grad: Surrogate gradient of the spike; None: snnTorch's default (arctangent).
    """

    threshold: Tensor

    def __init__(
        self,
        neurons: NeuronModel,
        size: int,
        dt_ms: float,
        dtype: torch.dtype = torch.float64,
        spike_grad: object = None,
    ) -> None:
        constants = {
            name: torch.tensor(value, dtype=dtype)
            for name, value in neurons.constants_of(size, dt_ms).items()
        }
        threshold = constants.get("threshold", torch.tensor(torch.inf, dtype=dtype))
        super().__init__(
            threshold=threshold if neurons.strictly else just_below(threshold),
            reset_mechanism="none",
            spike_grad=spike_grad,
        )
        # snnTorch keeps every neuron it ever made alive in this list; nothing here reads it.
        SpikingNeuron.instances.remove(self)
        # Functions like exp are other operations in float32.
        self.model, self._change = neurons, traces(neurons, str(dtype).split(".")[-1]).change
        self._constants = {name: f"constant_{name}" for name in constants}
        for name, value in constants.items():
            self.register_buffer(f"constant_{name}", value)

    @property
    def bias(self) -> Tensor:
        """(n,) where the sum of the current begins."""
        bias: Tensor = self.get_buffer("constant_bias")
        return bias

    def constant(self) -> SimpleNamespace:
        """The model's constants, (n,) each."""
        # Not by `get_buffer`, which takes long where it is called in every step.
        return SimpleNamespace(
            **{name: self._buffers[buffer] for name, buffer in self._constants.items()}
        )

    def start(self, v: Tensor, initial: Mapping[str, Tensor] | None = None) -> State:
        """The state of trials that begin at voltages v, (B, n) mV, and at `initial` states."""
        states = {name: torch.full_like(v, value) for name, value in self.model.states.items()}
        states |= {name: value.expand_as(v).clone() for name, value in (initial or {}).items()}
        states[self.model.voltage] = v
        return states, torch.full_like(v, self.model.initial_refractory_steps)

    def integrate(
        self, current: Tensor, noise_mv: Tensor | None, state: State, step: int | Tensor
    ) -> States:
        """The states after the model's step where not refractory, then noise, everywhere."""
        states, free_from = state
        # Numbers, by which multiplying rounds nothing, and which inductor vectorises.
        free = (free_from <= step).to(current.dtype) if self.model.gated else None
        stepped = self._stepped(current, states, free)
        if noise_mv is not None:
            stepped[self.model.voltage] = stepped[self.model.voltage] + noise_mv
        return stepped

    def _stepped(self, current: Tensor, states: States, free: Tensor | None) -> States:
        """The states after the model's step, where (B, n) `free` is 1; None: everywhere."""
        ops, constant = TorchOperations(current), self.constant()
        if free is not None and self._change is not None:
            known: dict[str, Tensor] = {"current": current}
            for name in self._constants:
                known[f"constant.{name}"] = getattr(constant, name)
            for name, value in states.items():
                known[f"state.{name}"] = value
            change = self._change.evaluate(ops, known)["change"]
            return {name: value + change * free for name, value in states.items()}
        stepped = self.model.step(ops, SimpleNamespace(**states), constant, current)
        if current.dim() < 2:
            # Without a projection the current is the bias, (n,), and may be a state as it is.
            stepped = {name: value.expand_as(states[name]) for name, value in stepped.items()}
        if free is None:
            return stepped
        held = 1 - free
        return {name: stepped[name] * free + old * held for name, old in states.items()}

    def spike(self, v: Tensor) -> Tensor:
        """1 where v is at its threshold, else 0, in the dtype of v."""
        # Surrogate gradients give float32.
        spikes: Tensor = self.fire(v)
        return spikes.to(v.dtype)

    def emitted(self, states: States, spikes: Tensor) -> Tensor:
        """(B, n) what is passed on: the spikes, or the model's values."""
        if self.model.emits != "value":
            return spikes
        value: Tensor = self.model.emitted(
            TorchOperations(spikes), SimpleNamespace(**states), self.constant()
        )["value"]
        return value

    def forward(
        self, current: Tensor, state: State, step: int, noise_mv: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """One whole step: integrate, spike, reset.

        Args:
            current: (B, n) bias and synaptic current, mV.
            state: Every state (B, n), and the step from which each neuron is free to move.
            step: Number of this step.
            noise_mv: (B, n) added to the voltages, mV.

        Returns:
            (B, n) what is emitted, and the next state.
        """
        states = self.integrate(current, noise_mv, state, step)
        spikes = self.spike(states[self.model.voltage])
        emitted = self.emitted(states, spikes)
        return emitted, self.after_spikes(spikes, (states, state[1]), step)

    def after_spikes(self, spikes: Tensor, state: State, step: int | Tensor) -> State:
        """Reset and the next free step where (B, n) `spikes` is 1, the same state where 0."""
        states, free_from = state
        fresh: dict[str, Any] = self.model.reset(
            TorchOperations(spikes), SimpleNamespace(**states), self.constant()
        )
        silent = 1 - spikes
        states = states | {
            name: states[name] * silent + value * spikes for name, value in fresh.items()
        }
        if self.model.gated:
            blocked = step + (1 + self.model.refractory_steps)
            free_from = free_from * silent.detach() + blocked * spikes.detach()
        return states, free_from


def just_below(threshold: Tensor) -> Tensor:
    """The largest number below each threshold: snnTorch fires strictly above, the contract at it.

    Subnormal numbers are avoided, since they count as zero where denormals are flushed.
    """
    below = torch.nextafter(threshold, torch.full_like(threshold, -np.inf))
    tiny = torch.finfo(threshold.dtype).tiny
    return torch.where(below.abs() < tiny, torch.full_like(below, -tiny), below)
