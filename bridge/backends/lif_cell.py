"""The LIF population of the description as an snnTorch neuron: `LifCell`, differentiable."""

import numpy as np
import torch
from snntorch import SpikingNeuron
from torch import Tensor

from bridge.backends.constants import membrane
from bridge.spiking.neurons import Lif

State = tuple[Tensor, Tensor]


class LifCell(SpikingNeuron):  # type: ignore[misc]
    """One membrane step of n LIF neurons in B trials, with refractory counts and noise.

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

    def __init__(
        self,
        neurons: Lif,
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
        self.euler = constants.euler
        self.refractory_steps = neurons.refractory_steps
        self.initial_refractory_steps = neurons.initial_refractory_steps
        for name in ("factor", "bias", "reset"):
            self.register_buffer(name, torch.tensor(getattr(constants, name), dtype=dtype))

    def start(self, v: Tensor) -> State:
        """The state of a trial that begins at voltages v, (B, n) mV."""
        return v, torch.full_like(v, self.initial_refractory_steps)

    def integrate(self, current: Tensor, noise_mv: Tensor | None, state: State) -> State:
        """Membrane step where not refractory, then noise, everywhere; (B, n) each."""
        v, refractory = state
        active = (refractory == 0).to(v.dtype)
        if self.euler:
            # Multiplying by 0 or 1 rounds nothing, and is faster in compiled code than a choice.
            v = v + (current - v) * self.factor * active
        else:
            stepped = current + (v - current) * self.factor
            v = stepped * active + v * (1 - active)
        if noise_mv is not None:
            v = v + noise_mv
        return v, (refractory - 1).clamp_min(0)

    def spike(self, v: Tensor) -> Tensor:
        """1 where v is at or above threshold, else 0, in the dtype of v (surrogates give float32)."""
        return self.fire(v).to(v.dtype)

    def after_spike(self, spikes: Tensor, state: State) -> State:
        """Reset the voltage and start the refractory count where a neuron spiked."""
        v, refractory = state
        silent = 1 - spikes
        v = v * silent + self.reset * spikes
        return v, refractory * silent.detach() + self.refractory_steps * spikes.detach()

    def forward(
        self, current: Tensor, state: State, noise_mv: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """One whole step: integrate, spike, reset.

        Args:
            current: (B, n) bias and synaptic current, mV.
            state: Voltages (B, n) in mV, and refractory counts (B, n).
            noise_mv: (B, n) added to the voltages, mV.

        Returns:
            (B, n) spikes, and the next state.
        """
        state = self.integrate(current, noise_mv, state)
        spikes = self.spike(state[0])
        return spikes, self.after_spike(spikes, state)


def just_below(threshold: Tensor) -> Tensor:
    """The largest number below each threshold: snnTorch fires strictly above, the contract at it.

    Subnormal numbers are avoided, since they count as zero where denormals are flushed.
    """
    below = torch.nextafter(threshold, torch.full_like(threshold, -np.inf))
    tiny = torch.finfo(threshold.dtype).tiny
    return torch.where(below.abs() < tiny, torch.full_like(below, -tiny), below)
