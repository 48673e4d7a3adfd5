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

from bridge.backends.constants import gates
from bridge.backends.lif_cell import LifCell
from bridge.spiking.filters import Direct, DoubleExponential
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.noise import bent, sixteen_bit_sums, unit_keys


def lag(projection: Projection) -> int:
    """Steps from a spike, or an input sample, to the first voltage it moves."""
    if projection.source == INPUT and isinstance(projection.filter, Direct):
        return 0
    return projection.delay_steps + (2 if isinstance(projection.filter, DoubleExponential) else 1)


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
    """

    steps: int
    noise: Literal["none", "given", "counted"]
    margins: bool
    dense: bool


class Synapses(nn.Module):
    """Filter state of one projection, (B, n_post) each.

    Attributes:
        current: The filtered current.
        rise: First state of a double exponential, which takes what arrived two steps before.
        columns: (n_pre, n_post) weights, where the block spreads the spikes itself.
    """

    current: Tensor
    rise: Tensor
    decay_constant: Tensor | None
    rise_constant: Tensor | None
    gain_constant: Tensor | None
    trial_gain: Tensor | None
    columns: Tensor | None

    def __init__(self, network: SpikingNetwork, projection: Projection, like: Tensor) -> None:
        super().__init__()
        constants = gates(projection.filter, network.dt_ms)
        names = [population.name for population in network.populations]
        self.target = names.index(projection.target)
        self.source = -1 if projection.source == INPUT else names.index(projection.source)
        self.lag, self.dt_s = lag(projection), constants.dt_s
        if constants.decay is not None:
            self.register_buffer("current", like.new_zeros((len(like), projection.shape[0])))
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
        return (self.source, self.target, self.lag, self.dt_s, *states, gained)

    def advance(self, arrived: Tensor, state: "_FilterState") -> Tensor:
        """Take what arrived, and return the current of the step."""
        if self.trial_gain is not None:
            arrived = arrived * self.trial_gain
        if self.decay_constant is None or self.gain_constant is None:
            return arrived
        if self.rise_constant is None:
            state.current = state.current * self.decay_constant + arrived * self.gain_constant
        else:
            state.rise = state.rise * self.rise_constant + arrived * self.gain_constant
            state.current = state.current * self.decay_constant + state.rise * self.dt_s
        return state.current


class _FilterState:
    """Filter state within a block, before it is written back."""

    def __init__(self, synapses: Synapses) -> None:
        if synapses.decay_constant is not None:
            self.current = synapses.current
        if synapses.rise_constant is not None:
            self.rise = synapses.rise


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

    def __init__(self, network: SpikingNetwork, number: int, start: Tensor) -> None:
        super().__init__()
        population = network.populations[number]
        self.span = network.span(population.name)
        self.cell = LifCell(population.neurons, network.dt_ms, start.dtype).to(start.device)
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

    def note_margin(self, v: Tensor) -> None:
        """Take the distances of (B, n) voltages from threshold, before any reset."""
        nearest = (v - self.sharp_threshold).abs().amin(dim=1)
        self.margin.copy_(torch.minimum(self.margin, nearest))

    def form(self) -> tuple[object, ...]:
        """What of it decides the code."""
        return (self.cell.euler, self.cell.refractory_steps, self.noisy)


class BlockStep(nn.Module):
    """`plan.steps` steps of a network in B trials; its buffers hold the state."""

    # Each is a ModuleList, so that torch knows what it holds.
    neurons: Sequence[Neurons]
    synapses: Sequence[Synapses]

    def __init__(self, network: SpikingNetwork, plan: Plan, start: Tensor, gain: Tensor) -> None:
        """Trials begin at voltages `start`, (B, N) mV; (B, 1) `gain` scales what arrives."""
        super().__init__()
        self.plan = plan
        self.neurons = cast(
            "Sequence[Neurons]",
            nn.ModuleList(
                Neurons(network, number, start) for number in range(len(network.populations))
            ),
        )
        synapses = nn.ModuleList(Synapses(network, p, start) for p in network.projections)
        self.synapses = cast("Sequence[Synapses]", synapses)
        for one, projection in zip(self.synapses, network.projections, strict=True):
            if one.source >= 0:
                one.trial_gain = gain
                one.columns = start.new_tensor(_columns(projection)) if plan.dense else None

    def form(self) -> list[object]:
        """What decides its code: blocks of one form share it, whatever their sizes."""
        parts = [one.form() for one in self.neurons], [one.form() for one in self.synapses]
        v = self.neurons[0].v
        return [asdict(self.plan), parts, str(v.dtype), v.device.type]

    def forward(
        self, first: Tensor, noise: Sequence[Tensor], arrivals: Sequence[Sequence[Tensor]]
    ) -> None:
        """Take the steps.

        Args:
            first: Number of the first step, int32, no axes.
            noise: Where it is given, (B, n) mV for each step and population in turn; where it is
                counted, (B, 1) `step_keys` for each step; else nothing.
            arrivals: For each projection and step, (B, n_post): W s of `lag` steps before, or
                W u. Where the block spreads the spikes itself, what will arrive in the next
                `lag` steps, brought up to date.
        """
        filters = [_FilterState(synapses) for synapses in self.synapses]
        states = [(neurons.v, neurons.free_from) for neurons in self.neurons]
        due = [list(steps) for steps in arrivals]
        codes = [torch.zeros_like(neurons.v) for neurons in self.neurons]
        for j in range(self.plan.steps):
            step, spikes = first + j, []
            currents = self._currents(filters, [steps[j] for steps in due])
            for p, (neurons, current) in enumerate(zip(self.neurons, currents, strict=True)):
                v = neurons.cell.integrate(current, self._noise(noise, j, p), states[p], step)
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

    def _currents(self, filters: "list[_FilterState]", arrived: list[Tensor]) -> list[Tensor]:
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
                    steps.append(spikes[synapses.source] @ synapses.columns)

    def _keep(
        self,
        filters: list[_FilterState],
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


def _columns(projection: Projection) -> NDArray[np.float64]:
    weights = projection.weights
    dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
    return np.ascontiguousarray(dense.T)
