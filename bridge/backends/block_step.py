"""A block of steps of everything that touches every neuron of every trial, as one PyTorch module.

A spike cannot move a voltage before the `lag` of its projection, two steps for a double
exponential without delay. So many steps can be taken at once, in one pass over memory: filters,
currents, membranes, noise, threshold and reset, all element by element over (B, n) arrays. What
spikes bring to other neurons is worked out between the blocks (`bridge.backends.events`) or, as
a matrix product, inside.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.backends.neuron_cell import NeuronCell
from bridge.backends.synapses import FilterState, Synapses, lag, weight_columns
from bridge.spiking.network import INPUT, SpikingNetwork
from bridge.spiking.noise import bent, sixteen_bit_sums, unit_keys

Array = NDArray[np.float64]


def steps_of_block(network: SpikingNetwork, *, dense: bool) -> int:
    """How many steps are taken at once; it divides the steps of a sample.

    Unless spikes are spread inside the block, no more than before the first of them must be known.
    """
    lags = [] if dense else [lag(p) for p in network.projections if p.source != INPUT]
    most = min([*lags, MOST_STEPS])
    return max(n for n in range(1, most + 1) if network.sample_steps % n == 0)


MOST_STEPS = 10


@dataclass(frozen=True)
class Plan:
    """What decides the code of a block, beside the network.

    Attributes:
        steps: Steps of a block.
        noise: "none"; "given": handed in as numbers; "counted": `SharedNoise`, computed here from
            the keys of the steps.
        margins: Keep the least distance of the voltages from threshold.
        dense: Spikes are spread inside the block, by matrix products.
        stimulations: How many push neurons.
    """

    steps: int
    noise: Literal["none", "given", "counted"]
    margins: bool
    dense: bool
    stimulations: int


class Neurons(nn.Module):
    """State of one population, (B, n) each.

    Attributes:
        v: Voltages, mV.
        free_from: Step from which each neuron is free to move.
        fired: Sum of 2^j over the steps j of the block in which a neuron fired.
        busy: (B,) the largest of these in each trial: 0 where it was silent.
        margin: (B,) least distance from threshold so far, mV.
    """

    v: Tensor
    free_from: Tensor
    fired: Tensor
    busy: Tensor
    margin: Tensor
    sharp_threshold: Tensor
    unit: Tensor
    noise_sd: Tensor

    def __init__(self, network: SpikingNetwork, number: int, start: Tensor, chosen: Array) -> None:
        """`chosen` is (M, N): 1 where a stimulation pushes a neuron, else 0."""
        super().__init__()
        population = network.populations[number]
        self.span = network.span(population.name)
        self.cell = NeuronCell(population.neurons, network.dt_ms, start.dtype).to(start.device)
        v, free_from = self.cell.start(start[:, self.span].clone())
        units = torch.arange(self.span.start, self.span.stop, dtype=torch.int32)
        self.noisy = bool(np.any(population.noise_mv))
        for name, value in {
            "v": v,
            "free_from": free_from,
            "fired": torch.zeros_like(v),
            "busy": v.new_zeros(len(v)),
            "margin": v.new_full((len(v),), torch.inf),
            "sharp_threshold": v.new_tensor(population.neurons.v_threshold_mv),
            "unit": unit_keys(units).to(start.device),
            "noise_sd": v.new_tensor(population.noise_mv),
        }.items():
            self.register_buffer(name, value)
        self.stimulated = np.flatnonzero(chosen[:, self.span].any(axis=1)).tolist()
        for m in self.stimulated:
            self.register_buffer(f"chosen_{m}", v.new_tensor(chosen[m, self.span]))

    def pushed(self, v: Tensor, kicks: Sequence[Tensor]) -> Tensor:
        """Voltages after the (B, 1) kicks of each stimulation in turn, mV."""
        for m in self.stimulated:
            v = v + kicks[m] * self.get_buffer(f"chosen_{m}")
        return v

    def note_margin(self, v: Tensor) -> None:
        """Take the distances of (B, n) voltages from threshold, before any reset."""
        nearest = (v - self.sharp_threshold).abs().amin(dim=1)
        self.margin.copy_(torch.minimum(self.margin, nearest))

    def form(self) -> tuple[object, ...]:
        """What of it decides the code."""
        return (self.cell.step, self.cell.refractory_steps, self.noisy, self.stimulated)


class BlockStep(nn.Module):
    """`plan.steps` steps of a network in B trials; its buffers hold the state."""

    # Each is a ModuleList, so that torch knows what it holds.
    neurons: Sequence[Neurons]
    synapses: Sequence[Synapses]

    def __init__(
        self, network: SpikingNetwork, plan: Plan, start: Tensor, gain: Tensor, chosen: Array
    ) -> None:
        """Make the block of a run at its first step.

        Args:
            network: What is run.
            plan: How.
            start: (B, N) voltages at the start, mV.
            gain: (B, 1) factor on what arrives from populations.
            chosen: (M, N) 1 where a stimulation pushes a neuron, else 0.
        """
        super().__init__()
        self.plan = plan
        self.neurons = cast(
            "Sequence[Neurons]",
            nn.ModuleList(
                Neurons(network, number, start, chosen)
                for number in range(len(network.populations))
            ),
        )
        synapses = nn.ModuleList(
            Synapses(network, p, start, inside=plan.dense and p.source != INPUT)
            for p in network.projections
        )
        self.synapses = cast("Sequence[Synapses]", synapses)
        for one, projection in zip(self.synapses, network.projections, strict=True):
            if one.source >= 0:
                one.trial_gain = gain
                one.columns = start.new_tensor(weight_columns(projection)) if plan.dense else None

    def form(self) -> list[object]:
        """What decides its code: blocks of one form share it, whatever their sizes."""
        parts = [one.form() for one in self.neurons], [one.form() for one in self.synapses]
        v = self.neurons[0].v
        return [asdict(self.plan), parts, str(v.dtype), v.device.type]

    def forward(
        self,
        first: Tensor,
        noise: Sequence[Tensor],
        kicks: Sequence[Tensor],
        arrivals: Sequence[Sequence[Tensor]],
    ) -> None:
        """Take the steps.

        Args:
            first: Number of the first step, int32, no axes.
            noise: Where it is given, (B, n) mV for each step and population in turn; where it is
                counted, (B, 1) `step_keys` for each step; else nothing.
            kicks: (B, 1) mV for each step and stimulation in turn.
            arrivals: For each projection and step, (B, n_post): W s of `lag` steps before, or
                W u, or, on the presynaptic side, the sum of the filtered. Where the block spreads
                the spikes itself, what will arrive in the next `lag` steps, brought up to date.
        """
        filters = [FilterState(synapses) for synapses in self.synapses]
        states = [(neurons.v, neurons.free_from) for neurons in self.neurons]
        due = [list(steps) for steps in arrivals]
        codes = [torch.zeros_like(neurons.v) for neurons in self.neurons]
        for j in range(self.plan.steps):
            step, spikes = first + j, []
            currents = self._currents(filters, [steps[j] for steps in due])
            for p, (neurons, current) in enumerate(zip(self.neurons, currents, strict=True)):
                v = neurons.cell.integrate(current, self._noise(noise, j, p), states[p], step)
                v = neurons.pushed(v, kicks[j * self.plan.stimulations :])
                # Numbers, not bools: inductor vectorises these.
                fired = (v > neurons.cell.threshold).to(v.dtype)
                if self.plan.margins:
                    neurons.note_margin(v)
                states[p] = neurons.cell.after_spikes(fired, (v, states[p][1]), step)
                codes[p] = codes[p] + fired * 2.0**j
                spikes.append(fired)
            self._spread(spikes, due)
        self._keep(filters, states, codes)
        for kept, steps in zip(arrivals, due, strict=True):
            for old, new in zip(kept, steps[self.plan.steps :], strict=False):
                old.copy_(new)

    def _currents(self, filters: list[FilterState], arrived: list[Tensor]) -> list[Tensor]:
        """(B, n) current of each population, summed in the order of the projections."""
        currents: list[Tensor] = [neurons.cell.bias for neurons in self.neurons]
        for synapses, state, arrivals in zip(self.synapses, filters, arrived, strict=True):
            current = synapses.advance(arrivals, state)
            currents[synapses.target] = currents[synapses.target] + current
        return currents

    def _noise(self, noise: Sequence[Tensor], j: int, p: int) -> Tensor | None:
        """(B, n) noise of a population in step j of the block, mV."""
        neurons = self.neurons[p]
        if self.plan.noise == "given":
            return noise[j * len(self.neurons) + p]
        if self.plan.noise == "none" or not neurons.noisy:
            return None
        sums = sixteen_bit_sums(neurons.unit, noise[j]).to(neurons.v.dtype)
        drawn: Tensor = bent(sums) * neurons.noise_sd
        return drawn

    def _spread(self, spikes: list[Tensor], due: list[list[Tensor]]) -> None:
        if self.plan.dense:
            for synapses, steps in zip(self.synapses, due, strict=True):
                if synapses.columns is not None:
                    fired = spikes[synapses.source]
                    steps.append(fired if synapses.presynaptic else fired @ synapses.columns)

    def _keep(
        self,
        filters: list[FilterState],
        states: list[tuple[Tensor, Tensor]],
        codes: list[Tensor],
    ) -> None:
        """Write the state back, only now: each array is read once and written once."""
        for synapses, state in zip(self.synapses, filters, strict=True):
            if synapses.decay_constant is not None:
                synapses.current.copy_(state.current)
            if synapses.rise_constant is not None:
                synapses.rise.copy_(state.rise)
        for neurons, (v, free_from), fired in zip(self.neurons, states, codes, strict=True):
            neurons.v.copy_(v)
            neurons.free_from.copy_(free_from)
            neurons.fired.copy_(fired)
            neurons.busy.copy_(fired.amax(dim=1))
