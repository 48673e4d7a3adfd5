"""A block of steps of everything that touches every neuron of every trial, as one PyTorch module.

A spike cannot move a voltage before the `lag` of its projection, two steps for a double
exponential without delay. So many steps can be taken at once, in one pass over memory: filters,
currents, membranes, noise, threshold and reset, all element by element over (B, n) arrays. What
spikes bring to other neurons is worked out between the blocks (`bridge.backends.snntorch.events`)
or, as a matrix product, inside. Where projections act within the step, each stage of populations
has a block of its own, one stage after the other.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.backends.kept import EMITTED
from bridge.backends.snntorch.neuron_cell import NeuronCell
from bridge.backends.snntorch.sums import weight_columns
from bridge.backends.snntorch.synapses import Synapses
from bridge.backends.stages import stages_of
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import traces
from bridge.spiking.noise import bent, sixteen_bit_sums, unit_keys
from bridge.spiking.weights import Factored

Array = NDArray[np.float64]


def steps_of_block(network: SpikingNetwork, *, dense: bool) -> int:
    """How many steps are taken at once; it divides the steps of a sample.

    Unless spikes are spread inside the block, no more than before the first of them must be known
    to a population that is not of a later stage.
    """
    place = {
        network.populations[number].name: stage
        for stage, members in enumerate(stages_of(network))
        for number in members
    }
    lags = [
        network.lag_steps(part)
        for part in network.projections
        if part.source in place and not dense and place[part.source] >= place[part.target]
    ]
    most = min([*lags, MOST_STEPS])
    return max(n for n in range(1, most + 1) if network.sample_steps % n == 0)


MOST_STEPS = 10


@dataclass(frozen=True)
class Plan:
    """What decides the code of a block, in addition to the network.

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
    """State of one population; every state of its model is (B, n).

    Attributes:
        free_from: Step from which each neuron is free to move.
        fired: Sum of 2^j over the steps j of the block in which a neuron fired.
        busy: (B,) the largest of these in each trial: 0 where it was silent.
        margin: (B,) least distance from threshold so far, mV.
        values: (steps, B, n) what was passed on in each step of the block, where it is values.
    """

    free_from: Tensor
    fired: Tensor
    busy: Tensor
    margin: Tensor
    values: Tensor
    sharp_threshold: Tensor
    unit: Tensor
    noise_sd: Tensor

    def __init__(
        self, network: SpikingNetwork, number: int, start: Tensor, chosen: Array, steps: int
    ) -> None:
        """`chosen` is (M, N): 1 where a stimulation pushes a neuron, else 0."""
        super().__init__()
        population = network.populations[number]
        self.number, self.model = number, population.neurons
        self.span = network.span(population.name)
        self.cell = NeuronCell(population.neurons, population.size, network.dt_ms, start.dtype).to(
            start.device
        )
        initial = {
            name: start.new_tensor(value) for name, value in population.initial_states.items()
        }
        states, free_from = self.cell.start(start[:, self.span].clone(), initial)
        units = torch.arange(self.span.start, self.span.stop, dtype=torch.int32)
        self.noisy = bool(np.any(population.noise_mv))
        v = states[self.model.voltage]
        self.graded = self.model.emits == "value"
        constants = population.neurons.constants_of(population.size, network.dt_ms)
        for name, value in {
            **{f"state_{name}": value for name, value in states.items()},
            "free_from": free_from,
            "fired": torch.zeros_like(v),
            "busy": v.new_zeros(len(v)),
            "margin": v.new_full((len(v),), torch.inf),
            **({"values": v.new_zeros((steps, *v.shape))} if self.graded else {}),
            "sharp_threshold": v.new_tensor(
                constants.get("threshold", np.full(population.size, np.inf))
            ),
            "unit": unit_keys(units).to(start.device),
            "noise_sd": v.new_tensor(population.noise_mv),
        }.items():
            self.register_buffer(name, value)
        self.stimulated = np.flatnonzero(chosen[:, self.span].any(axis=1)).tolist()
        for m in self.stimulated:
            self.register_buffer(f"chosen_{m}", v.new_tensor(chosen[m, self.span]))

    @property
    def v(self) -> Tensor:
        """(B, n) voltages, mV."""
        v: Tensor = getattr(self, f"state_{self.model.voltage}")
        return v

    def states(self) -> dict[str, Tensor]:
        """Every state of the model, by name."""
        return {name: getattr(self, f"state_{name}") for name in self.model.states}

    def look(self, name: str) -> Array:
        """(B, n) a state as it is now, or what was passed on in the last step."""
        seen = self.values[-1] if name == EMITTED else getattr(self, f"state_{name}")
        numbers: Array = seen.double().cpu().numpy()
        return numbers

    def keep(self, states: dict[str, Tensor], free_from: Tensor, fired: Tensor) -> None:
        """Write the state at the end of a block back."""
        for name, value in states.items():
            getattr(self, f"state_{name}").copy_(value)
        self.free_from.copy_(free_from)
        self.fired.copy_(fired)
        self.busy.copy_(fired.amax(dim=1))

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
        traced = traces(self.model)
        does = [part.digest() for part in (traced.step, traced.reset, traced.emitted)]
        model = (self.model.kind, *does, self.model.refractory_steps, self.model.gated)
        return (*model, self.model.fires, self.noisy, self.stimulated)


class BlockStep(nn.Module):
    """`plan.steps` steps of the populations of a stage in B trials; its buffers hold the state."""

    # Each is a ModuleList, so that torch knows what it holds.
    neurons: Sequence[Neurons]
    synapses: Sequence[Synapses]

    def __init__(
        self,
        network: SpikingNetwork,
        plan: Plan,
        start: Tensor,
        gain: Tensor,
        chosen: Array,
        members: Sequence[int],
    ) -> None:
        """Make the block of a run at its first step.

        Args:
            network: What is run.
            plan: How.
            start: (B, N) voltages at the start, mV.
            gain: (B, 1) factor on what arrives from populations.
            chosen: (M, N) 1 where a stimulation pushes a neuron, else 0.
            members: Numbers of the populations of this stage.
        """
        super().__init__()
        self.plan = plan
        self.place = {number: place for place, number in enumerate(members)}
        neurons = nn.ModuleList(
            Neurons(network, number, start, chosen, plan.steps) for number in members
        )
        self.neurons = cast("Sequence[Neurons]", neurons)
        names = [network.populations[number].name for number in members]
        self.projections = [part for part in network.projections if part.target in names]
        synapses = nn.ModuleList(
            Synapses(network, p, start, inside=plan.dense and not network.is_input(p.source))
            for p in self.projections
        )
        self.synapses = cast("Sequence[Synapses]", synapses)
        for one, projection in zip(self.synapses, self.projections, strict=True):
            if one.source >= 0:
                one.trial_gain = gain if projection.scaled else None
                if plan.dense and not isinstance(projection.weights, Factored):
                    one.columns = start.new_tensor(weight_columns(projection.weights))

    def form(self) -> list[object]:
        """What decides its code: blocks of one form share it, whatever their sizes."""
        parts = [one.form() for one in self.neurons], [one.form() for one in self.synapses]
        v = self.neurons[0].v
        return [asdict(self.plan), list(self.place), parts, str(v.dtype), v.device.type]

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
        filters = [synapses.states() for synapses in self.synapses]
        states = [(neurons.states(), neurons.free_from) for neurons in self.neurons]
        due = [list(steps) for steps in arrivals]
        codes = [torch.zeros_like(neurons.v) for neurons in self.neurons]
        for j in range(self.plan.steps):
            step, spikes = first + j, []
            currents = self._currents(filters, [steps[j] for steps in due], step)
            for p, (neurons, current) in enumerate(zip(self.neurons, currents, strict=True)):
                cell, voltage = neurons.cell, neurons.model.voltage
                now = cell.integrate(current, self._noise(noise, j, p), states[p], step)
                now[voltage] = neurons.pushed(now[voltage], kicks[j * self.plan.stimulations :])
                # Numbers, not bools: inductor vectorises these.
                fired = (now[voltage] > cell.threshold).to(current.dtype)
                if self.plan.margins:
                    neurons.note_margin(now[voltage])
                if neurons.graded:
                    neurons.values[j].copy_(cell.emitted(now, fired))
                states[p] = cell.after_spikes(fired, (now, states[p][1]), step)
                codes[p] = codes[p] + fired * 2.0**j
                spikes.append(fired)
            self._spread(spikes, due)
        # Only now: each array is read once and written once.
        for synapses, kept in zip(self.synapses, filters, strict=True):
            synapses.keep(kept)
        for neurons, (now, free_from), fired in zip(self.neurons, states, codes, strict=True):
            neurons.keep(now, free_from, fired)
        for given, steps in zip(arrivals, due, strict=True):
            for old, new in zip(given, steps[self.plan.steps :], strict=False):
                old.copy_(new)

    def _currents(
        self, filters: list[dict[str, Tensor]], arrived: list[Tensor], step: Tensor
    ) -> list[Tensor]:
        """(B, n) current of each population, summed in the order of the projections."""
        currents: list[Tensor] = [neurons.cell.bias for neurons in self.neurons]
        for synapses, state, arrivals in zip(self.synapses, filters, arrived, strict=True):
            current = synapses.advance(arrivals, state, step)
            place = self.place[synapses.target]
            currents[place] = currents[place] + current
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
                    fired = spikes[self.place[synapses.source]]
                    steps.append(fired if synapses.presynaptic else fired @ synapses.columns)
