"""A running batch of trials: its state, what drives it, how spikes travel, what was recorded."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, repeat
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.kept import Kept, Wanted
from bridge.backends.recorder import check_finite
from bridge.backends.snntorch.block_step import BlockStep, Plan, steps_of_block
from bridge.backends.snntorch.compiled_block import Advance
from bridge.backends.snntorch.events import (
    EventFinder,
    Events,
    InputRoute,
    InsideRoute,
    SpikeRoute,
    TrainRoute,
    events_of_blocks,
    joined_events,
)
from bridge.backends.snntorch.graded import ValueRoute
from bridge.backends.snntorch.traces import TraceRoute
from bridge.backends.stages import stages_of
from bridge.errors import SpecError
from bridge.spiking.drive import (
    Drive,
    FrozenNoise,
    NoiseStream,
    OwnNoise,
    SharedNoise,
    derived_seed,
)
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.noise import step_keys
from bridge.spiking.projection import Projection
from bridge.spiking.recording import Spikes

Route: TypeAlias = InputRoute | TrainRoute | SpikeRoute | ValueRoute | InsideRoute | TraceRoute


@dataclass(frozen=True)
class How:
    """Options of a run; `like` has its precision and device."""

    like: Tensor
    compiled: bool | None
    dense: bool | None
    wanted: Wanted


def _spread_inside(network: SpikingNetwork, drive: Drive, how: How) -> bool:
    """Whether spikes are spread by matrix products.

    Raises:
        SpecError: they are to be, and cannot: what acts within the step, or is a value, is not
            known before, spikes of neurons with delays of their own are sent one by one, and
            factored weights are not a matrix.
    """
    outside = any(
        part.within_step
        or part.own_delays
        or part.rank > 0
        or network.emits(part.source) == "value"
        for part in network.projections
        if not network.is_input(part.source)
    )
    if outside and how.dense:
        raise SpecError(
            "dense: not for networks that pass on values, or within the step, or with a delay for "
            "each neuron, or factored weights"
        )
    if outside:
        return False
    if how.dense is not None:
        return how.dense
    if how.like.dtype != torch.float32:
        # A matrix product sums in an order of its own.
        return False
    products = float(drive.n_trials) * network.size**2
    if how.like.device.type != "cpu":
        return network.size <= LARGEST_DENSE
    return products <= MOST_PRODUCTS


LARGEST_DENSE = 3000
MOST_PRODUCTS = 4e5


def _kind(network: SpikingNetwork, drive: Drive) -> Literal["none", "given", "counted"]:
    """How the noise of a run reaches its blocks."""
    if isinstance(drive.noise, FrozenNoise):
        return "given"
    if not network.noise_mv().any():
        return "none"
    return "counted" if isinstance(drive.noise, SharedNoise) else "given"


class Batch:
    """B trials side by side."""

    def __init__(self, network: SpikingNetwork, drive: Drive, how: How) -> None:
        self.network, self.drive, self.like = network, drive, how.like
        start = self.tensor(drive.initial_voltages_mv(network))
        # Where there is no gain it is 1, so that both kinds of run share their compiled code.
        gain = np.ones(drive.n_trials) if drive.recurrent_gain is None else drive.recurrent_gain
        dense = _spread_inside(network, drive, how)
        self.plan = Plan(
            # Within a block no step is seen.
            steps=1 if how.wanted.window else steps_of_block(network, dense=dense),
            noise=_kind(network, drive),
            margins=how.wanted.margins,
            dense=dense,
            stimulations=len(drive.stimulation),
        )
        chosen, gains = drive.chosen(network.size), self.tensor(gain[:, None])
        self.stages = [
            BlockStep(network, self.plan, start, gains, chosen, members)
            for members in stages_of(network)
        ]
        self.routes = [
            [self._route(projection) for projection in stage.projections] for stage in self.stages
        ]
        self.receivers = [self._receivers(stage) for stage in self.stages]
        everyone = [neurons for stage in self.stages for neurons in stage.neurons]
        self.neurons = sorted(everyone, key=lambda neurons: neurons.number)
        self.finders = [EventFinder(neurons) for neurons in self.neurons]
        self.noise, self.kicks = self._noise(), self._kicks()
        self.first = torch.zeros((), dtype=torch.int32, device=start.device)
        self._fired: list[list[Events | None]] = []
        self._codes: list[list[Tensor]] = []
        self._events: list[NDArray[np.int32]] = []
        self.kept = Kept(network, drive, how.wanted)

    def tensor(self, values: NDArray[np.float64]) -> Tensor:
        """A copy of `values` in the precision and on the device of this run."""
        return self.like.new_tensor(values)

    def _route(self, projection: Projection) -> "Route":
        given = (self.network, projection, self.drive, self.like)
        source = self.network.input_named(projection.source)
        if self.plan.dense and source is None:
            return InsideRoute(self.network, projection, self.drive.n_trials, self.like)
        arriving: InputRoute | TrainRoute | SpikeRoute | ValueRoute
        if source is not None:
            arriving = TrainRoute(*given, self.plan.steps) if source.spiking else InputRoute(*given)
        elif self.network.emits(projection.source) == "value":
            arriving = ValueRoute(*given)
        else:
            arriving = SpikeRoute(*given, self.plan.steps)
        if projection.filter.side == "pre":
            return TraceRoute(arriving, self.network, projection)
        return arriving

    def _receivers(self, stage: BlockStep) -> list[SpikeRoute | ValueRoute | TraceRoute]:
        """The routes that take what a stage emits."""
        outside = (InputRoute, TrainRoute, InsideRoute)
        everywhere = [each for routes in self.routes for each in routes]
        taking = [route for route in everywhere if not isinstance(route, outside)]
        return [route for route in taking if route.source in stage.place]

    def sample(self, number: int, advances: Sequence[Advance]) -> None:
        """All steps of one sample; `advances` take the steps of a block, stage by stage."""
        steps, block = self.network.sample_steps, self.plan.steps
        firsts = range(number * steps, (number + 1) * steps, block)
        shared = self.plan.noise != "given" or len(self.stages) == 1
        for first in firsts:
            noise, kicks = next(self.noise), next(self.kicks)
            fired: list[Events | None] = [None] * len(self.neurons)
            for place, (stage, advance) in enumerate(zip(self.stages, advances, strict=True)):
                arrivals = [route.arrivals(first, block) for route in self.routes[place]]
                own = noise if shared else self._noise_of(stage, noise)
                advance(self.first.fill_(first), own, kicks, arrivals)
                if not self.plan.dense:
                    self._hand_on(first, place, fired)
            if self.plan.dense:
                # Looked at only after the sample: a look at a GPU's memory stops its work.
                self._codes.append([neurons.fired.clone() for neurons in self.neurons])
            else:
                self._fired.append(fired)
            for neurons in self.neurons if first in self.kept.steps else ():
                self.kept.note_step(first, neurons.number, neurons.look)
        self._keep_spikes(np.asarray(firsts))
        self._check_finite(firsts[-1] + block - 1)
        for neurons in self.neurons:
            self.kept.note(number, neurons.number, neurons.look)

    def _check_finite(self, step: int) -> None:
        """Raise BackendError where a state is no longer a number."""
        for neurons in self.neurons:
            for name, values in neurons.states().items():
                # Looked at in place: a copy of a GPU's memory would be slow. A sum takes a third of
                # the time; it may overflow where all are finite, and is only a first look.
                if not math.isfinite(float(values.sum())) and not torch.isfinite(values).all():
                    population = self.network.populations[neurons.number]
                    check_finite(population, name, values.double().cpu().numpy(), step)

    def _hand_on(self, first: int, place: int, fired: list[Events | None]) -> None:
        """Find what a stage emitted in the block from step `first` on, and hand it on."""
        for number in self.stages[place].place:
            fired[number] = self.finders[number].events()
        for route in self.receivers[place]:
            route.take(first, fired, self.neurons)

    def _noise_of(self, stage: BlockStep, noise: list[Tensor]) -> list[Tensor]:
        """The noise of the populations of a stage, where it is given for all."""
        total = len(self.neurons)
        return [noise[j * total + number] for j in range(self.plan.steps) for number in stage.place]

    def _keep_spikes(self, firsts: NDArray[np.int64]) -> None:
        """Put the spikes of a sample into one array: thousands of small ones cost memory."""
        for p, neurons in enumerate(self.neurons):
            if self.plan.dense:
                block, mine = events_of_blocks(torch.stack([codes[p] for codes in self._codes]))
            else:
                block, mine = joined_events([fired[p] for fired in self._fired])
            for j in range(self.plan.steps):
                chosen = np.flatnonzero(mine.code & (1 << j))
                step, neuron = firsts[block[chosen]] + j, mine.neuron[chosen] + neurons.span.start
                packed = np.stack([mine.trial[chosen], step, neuron]).astype(np.int32)
                self._events.append(packed)
        self._fired.clear()
        self._codes.clear()

    def _noise(self) -> Iterator[list[Tensor]]:
        """What the block takes as noise, block after block."""
        if self.plan.noise == "none":
            return repeat([])
        if self.plan.noise == "counted":
            return self._keys()
        if isinstance(self.drive.noise, OwnNoise):
            return self._own_noise(self.drive.noise.seed)
        return self._frozen_noise()

    def _kicks(self) -> Iterator[list[Tensor]]:
        """What the block takes as kicks, block after block."""
        return self._stimulation() if self.plan.stimulations else repeat([])

    def _stimulation(self) -> Iterator[list[Tensor]]:
        """(B, 1) mV for each step of a block and each stimulation; those of a sample at once."""
        kicks, sample_steps = self.drive.kicks(), self.network.sample_steps
        for start in count(0, sample_steps):
            drawn = self.tensor(kicks.take(range(start, start + sample_steps))[..., None])
            for j in range(0, sample_steps, self.plan.steps):
                yield list(drawn[j : j + self.plan.steps].flatten(0, 1).unbind())

    def _keys(self) -> Iterator[list[Tensor]]:
        """(B, 1) keys of each step of a block; those of a sample are made at once."""
        place = self.like.device
        first, second = torch.from_numpy(self.drive.noise_keys().T.copy()).to(place)
        for start in count(0, self.network.sample_steps):
            stop = start + self.network.sample_steps
            steps = torch.arange(start, stop, dtype=torch.int32, device=place)
            rows = step_keys(steps[:, None], first, second)[:, :, None].unbind()
            for j in range(0, len(rows), self.plan.steps):
                yield list(rows[j : j + self.plan.steps])

    def _frozen_noise(self) -> Iterator[list[Tensor]]:
        stream = NoiseStream(self.network, self.drive)
        spans = [neurons.span for neurons in self.neurons]
        while True:
            block = stream.take(self.plan.steps)
            yield [self.tensor(step[:, span]) for step in block for span in spans]

    def _own_noise(self, seed: int) -> Iterator[list[Tensor]]:
        """From torch's generator, on the device."""
        place = self.like.device
        generator = torch.Generator(place).manual_seed(derived_seed(seed, self.drive.first_trial))
        sds = [neurons.noise_sd for neurons in self.neurons] * self.plan.steps
        buffers = [torch.empty_like(neurons.v) for neurons in self.neurons]
        buffers += [torch.empty_like(one) for one in buffers * (self.plan.steps - 1)]
        while True:
            for buffer, sd in zip(buffers, sds, strict=True):
                buffer.normal_(generator=generator).mul_(sd)
            yield buffers

    @property
    def margins_mv(self) -> NDArray[np.float64] | None:
        """(B,) least distances from threshold, mV."""
        if not self.plan.margins:
            return None
        nearest = torch.stack([neurons.margin for neurons in self.neurons])
        return nearest.amin(dim=0).double().cpu().numpy()

    def spikes(self) -> Spikes:
        """All events, sorted."""
        shape = (self.drive.n_trials, self.drive.n_steps(self.network), self.network.size)
        if not self._events:
            return Spikes.gather([], [], [], shape)
        trial, step, neuron = np.concatenate(self._events, axis=1)
        return Spikes.gather(trial, step, neuron, shape)
