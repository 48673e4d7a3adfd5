"""A population of the description as an snnTorch neuron: `NeuronCell`, differentiable."""

import numpy as np
import torch
from snntorch import SpikingNeuron
from torch import Tensor

from bridge.backends.constants import membrane
from bridge.spiking.neurons import LARGEST_MV, NeuronModel

State = tuple[Tensor, Tensor]


class NeuronCell(SpikingNeuron):  # type: ignore[misc]
    """One membrane step of n LIF or QIF neurons in B trials, with refractory counts and noise.

    None of snnTorch's own neurons has a refractory period or a resting voltage of its own. The
    order of operations is that of `bridge.backends.reference`, one rounding each, so that float64
    gives the same voltages bit for bit. The state is handed in and out, since
    `snntorch.utils.reset` does not know neurons from elsewhere.

    Args:
        neurons: The population's model.
        dt_ms: Time step, ms.
        dtype: Precision of the constants: Python numbers would silently become float32.
        spike_grad: Surrogate gradient of the spike; None: snnTorch's default (arctangent).
    """

    threshold: Tensor
    factor: Tensor
    bias: Tensor
    reset: Tensor

    def __init__(
        self,
        neurons: NeuronModel,
        dt_ms: float,
        dtype: torch.dtype = torch.float64,
        spike_grad: object = None,
    ) -> None:
        constants = membrane(neurons, dt_ms)
        super().__init__(
            threshold=just_below(torch.tensor(constants.threshold, dtype=dtype)),
            reset_mechanism="none",
            spike_grad=spike_grad,
        )
        # snnTorch keeps every neuron it ever made alive in this list; nothing here reads it.
        SpikingNeuron.instances.remove(self)
        self.step = constants.step
        self.refractory_steps = neurons.refractory_steps
        self.initial_refractory_steps = neurons.initial_refractory_steps
        for name in ("factor", "bias", "reset"):
            self.register_buffer(name, torch.tensor(getattr(constants, name), dtype=dtype))

    def start(self, v: Tensor) -> State:
        """The state of trials that begin at voltages v, (B, n) mV."""
        return v, torch.full_like(v, self.initial_refractory_steps)

    def integrate(
        self, current: Tensor, noise_mv: Tensor | None, state: State, step: int | Tensor
    ) -> Tensor:
        """(B, n) voltages after the membrane step where not refractory, then noise, everywhere."""
        v, free_from = state
        # Multiplying by 0 or 1 rounds nothing, and keeps the step differentiable.
        active = (free_from <= step).to(v.dtype)
        if self.step == "euler":
            v = v + (current - v) * self.factor * active
        elif self.step == "exact":
            stepped = current + (v - current) * self.factor
            v = stepped * active + v * (1 - active)
        else:
            bounded = v.clamp(-LARGEST_MV, LARGEST_MV)
            v = v + (bounded * bounded + current) * self.factor * active
        return v if noise_mv is None else v + noise_mv

    def spike(self, v: Tensor) -> Tensor:
        """1 where v is at or above threshold, else 0, in the dtype of v."""
        # Surrogate gradients give float32.
        spikes: Tensor = self.fire(v)
        return spikes.to(v.dtype)

    def forward(
        self, current: Tensor, state: State, step: int, noise_mv: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """One whole step: integrate, spike, reset.

        Args:
            current: (B, n) bias and synaptic current, mV.
            state: Voltages (B, n) in mV, and the step from which each neuron is free to move.
            step: Number of this step.
            noise_mv: (B, n) added to the voltages, mV.

        Returns:
            (B, n) spikes, and the next state.
        """
        v = self.integrate(current, noise_mv, state, step)
        spikes = self.spike(v)
        return spikes, self.after_spikes(spikes, (v, state[1]), step)

    def after_spikes(self, spikes: Tensor, state: State, step: int | Tensor) -> State:
        """Reset and the next free step where (B, n) `spikes` is 1, the same state where 0."""
        v, free_from = state
        silent = 1 - spikes
        blocked = step + (1 + self.refractory_steps)
        free_from = free_from * silent.detach() + blocked * spikes.detach()
        return v * silent + self.reset * spikes, free_from


def just_below(threshold: Tensor) -> Tensor:
    """The largest number below each threshold: snnTorch fires strictly above, the contract at it.

    Subnormal numbers are avoided, since they count as zero where denormals are flushed.
    """
    below = torch.nextafter(threshold, torch.full_like(threshold, -np.inf))
    tiny = torch.finfo(threshold.dtype).tiny
    return torch.where(below.abs() < tiny, torch.full_like(below, -tiny), below)
