"""The part of a step that touches every neuron of every trial, as one PyTorch module.

Everything here is element by element over (B, n) arrays and compiles into one pass over memory.
What depends on where spikes are (arrivals, resets) stays outside, in `bridge.backends.snntorch`.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from bridge.backends.constants import gates
from bridge.backends.lif_cell import LifCell
from bridge.spiking.filters import Direct
from bridge.spiking.network import INPUT, Projection, SpikingNetwork


class Synapses(nn.Module):
    """Filter state of one projection, (B, n_post) each.

    Attributes:
        arrived: What arrived in the step before: W s, or W u for the input.
        current: The filtered current.
    """

    arrived: Tensor
    current: Tensor
    rise: Tensor
    decay_constant: Tensor | None
    rise_constant: Tensor | None
    gain_constant: Tensor | None
    trial_gain: Tensor | None

    def __init__(self, network: SpikingNetwork, projection: Projection, like: Tensor) -> None:
        super().__init__()
        constants = gates(projection.filter, network.dt_ms)
        names = [population.name for population in network.populations]
        self.target = names.index(projection.target)
        self.dt_s = constants.dt_s
        self.at_once = projection.source == INPUT and isinstance(projection.filter, Direct)
        shape = (len(like), projection.shape[0])
        for name in ("arrived", "current", "rise"):
            self.register_buffer(name, like.new_zeros(shape))
        for name in ("decay", "rise", "gain"):
            values = getattr(constants, name)
            kept = None if values is None else like.new_tensor(values)
            self.register_buffer(f"{name}_constant", kept)
        self.register_buffer("trial_gain", None)

    def advance(self) -> Tensor:
        """Decay, take what arrived, and return the current of the step."""
        arrived = self.arrived if self.trial_gain is None else self.arrived * self.trial_gain
        if self.decay_constant is None or self.gain_constant is None:
            return arrived
        current = self.current * self.decay_constant
        if self.rise_constant is None:
            current = current + arrived * self.gain_constant
        else:
            current = current + self.rise * self.dt_s
            self.rise.copy_(self.rise * self.rise_constant + arrived * self.gain_constant)
        self.current.copy_(current)
        return current


class Neurons(nn.Module):
    """State of one population, (B, n) each.

    Attributes:
        v: Voltages, mV.
        free_from: Step from which each neuron is free to move.
        fired: 1 where a neuron is at or above threshold in this step, else 0.
    """

    v: Tensor
    free_from: Tensor
    fired: Tensor

    def __init__(self, cell: LifCell, span: slice, start: Tensor) -> None:
        super().__init__()
        self.cell, self.span = cell, span
        v, free_from = cell.start(start[:, span].clone())
        self.register_buffer("v", v)
        self.register_buffer("free_from", free_from)
        self.register_buffer("fired", torch.zeros_like(v))


class DenseStep(nn.Module):
    """Filters of the step before, then currents, membranes and threshold of this one."""

    # Each is a ModuleList, so that torch knows what it holds.
    neurons: Sequence[Neurons]
    synapses: Sequence[Synapses]

    def __init__(self, network: SpikingNetwork, start: Tensor, gain: Tensor | None) -> None:
        """Trials begin at voltages `start`, (B, N) mV; (B, 1) `gain` scales what arrives."""
        super().__init__()
        neurons, filters = nn.ModuleList(), nn.ModuleList()
        for population in network.populations:
            cell = LifCell(population.neurons, network.dt_ms, start.dtype).to(start.device)
            neurons.append(Neurons(cell, network.span(population.name), start))
        for projection in network.projections:
            synapses = Synapses(network, projection, start)
            synapses.trial_gain = None if projection.source == INPUT else gain
            filters.append(synapses)
        self.neurons = cast("Sequence[Neurons]", neurons)
        self.synapses = cast("Sequence[Synapses]", filters)

    def forward(self, step: Tensor, noise_mv: Tensor | None) -> None:
        """One step; `step` is its number as a tensor, `noise_mv` (B, N)."""
        currents: list[Tensor] = [neurons.cell.bias for neurons in self.neurons]
        for synapses in self.synapses:
            current = synapses.arrived if synapses.at_once else synapses.advance()
            currents[synapses.target] = currents[synapses.target] + current
        for neurons, current in zip(self.neurons, currents, strict=True):
            noise = None if noise_mv is None else noise_mv[:, neurons.span]
            state = (neurons.v, neurons.free_from)
            v = neurons.cell.integrate(current, noise, state, step)
            neurons.v.copy_(v)
            # Numbers, not bools: inductor vectorises these.
            neurons.fired.copy_((v > neurons.cell.threshold).to(v.dtype))


def worth_compiling(trials: int, steps: int, size: int) -> bool:
    """Whether a run is so long that compiling, tens of seconds when new, pays."""
    return float(trials) * steps * size > COMPILE_ABOVE


COMPILE_ABOVE = 5e8
