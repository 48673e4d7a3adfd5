"""From block to block, event by event: what spikes bring to other neurons, and what the input does.

Cost follows the spikes and their synapses, not N x N. Sums run in ascending order of the
presynaptic neuron, as the reference's do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.delay_line import DelayLine
from bridge.backends.snntorch.block_step import Neurons
from bridge.backends.snntorch.sums import input_sum, mark, spread
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Spikes of one population in a block, by trial, then neuron: (E,) each.

    Attributes:
        trial: Trials.
        neuron: Neurons, numbered within the population.
        code: Sum of 2^j over the steps j of the block in which the neuron fired.
    """

    trial: Indices
    neuron: Indices
    code: NDArray[np.int16]

    def of_step(self, j: int) -> tuple[Indices, Indices] | None:
        """Trials and neurons of the spikes in step j of the block; None where there are none."""
        chosen = (self.code & (1 << j)).nonzero()[0]
        return (self.trial[chosen], self.neuron[chosen]) if chosen.size else None


class EventFinder:
    """Finds the spikes that a population fired in the last block."""

    def __init__(self, neurons: Neurons) -> None:
        self.neurons = neurons
        self.elsewhere = neurons.fired.device.type != "cpu"
        if not self.elsewhere:
            # These look at the block's own memory.
            self.fired, self.busy = neurons.fired.numpy(), neurons.busy.numpy()

    def events(self) -> Events | None:
        """The spikes; None where the population was silent."""
        if self.elsewhere:
            return events_there(self.neurons.fired)
        busy = self.busy.nonzero()[0]
        if not busy.size:
            return None
        # Most trials are silent in a block: only the others are searched neuron by neuron.
        part = self.fired[busy].ravel()
        where = _nonzero(part)
        trial, neuron = np.divmod(where, self.fired.shape[1])
        return Events(busy[trial], neuron, part[where].astype(np.int16))


def events_there(fired: Tensor) -> Events | None:
    """The same, found where (B, n) codes lie: only spikes leave the device."""
    _, found = events_of_blocks(fired[None])
    return found if found.trial.size else None


def joined_events(blocks: Sequence[Events | None]) -> tuple[Indices, Events]:
    """The events of blocks one after another, and the number of the block of each."""
    there = [(number, mine) for number, mine in enumerate(blocks) if mine is not None]
    if not there:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, Events(nothing, nothing, nothing.astype(np.int16))
    block = np.repeat([number for number, _ in there], [mine.trial.size for _, mine in there])
    parts = [(mine.trial, mine.neuron, mine.code) for _, mine in there]
    trial, neuron, code = (np.concatenate(part) for part in zip(*parts, strict=True))
    return block, Events(trial, neuron, code)


def events_of_blocks(codes: Tensor) -> tuple[Indices, Events]:
    """The same from (blocks, B, n) codes on any device."""
    where = codes.nonzero()
    code = codes[tuple(where.unbind(1))].cpu().numpy().astype(np.int16)
    block, trial, neuron = where.cpu().numpy().T
    return block, Events(trial, neuron, code)


def _nonzero(values: NDArray[np.floating]) -> Indices:
    """Where values, none of them a negative zero, differ from 0; looked at by eight bytes."""
    if values.itemsize == 8 or values.nbytes % 8:
        single: Indices = values.view(f"int{8 * values.itemsize}").nonzero()[0]
        return single
    pairs: Indices = 2 * values.view(np.int64).nonzero()[0]
    first, second = values[pairs] != 0, values[pairs + 1] != 0
    where: Indices = pairs + second
    if (first & second).any():
        where = np.sort(np.concatenate([pairs[first], pairs[second] + 1]))
    return where


class InputRoute:
    """What arrives over a projection from an analog input, W u; u on the presynaptic side."""

    def __init__(
        self, network: SpikingNetwork, projection: Projection, drive: Drive, like: Tensor
    ) -> None:
        self.network = network
        self.inputs = drive.inputs[:, :, network.channels(projection.source)]
        self.like, self.lag, self.trials = like, network.lag_steps(projection), drive.n_trials
        presynaptic = projection.filter.side == "pre"
        self.weighted = like.new_tensor if presynaptic else input_sum(projection.weights, like)
        self.before = like.new_zeros((drive.n_trials, _width(projection)))
        self.sample, self.current = -1, self.before
        self.way = delay_line(projection, drive.n_steps(network))
        self.u: Array | None = None

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        at = self._at if self.way is None else self._late_at
        return [at(step - self.lag) for step in range(first, first + steps)]

    def _at(self, step: int) -> Tensor:
        if step < 0:
            return self.before
        sample = self.network.input_sample(step, len(self.inputs))
        if sample != self.sample:
            u = self.inputs[sample]
            if self.sample < 0 or not np.array_equal(u, self.inputs[self.sample]):
                self._arrive(u)
            self.sample = sample
        return self.current

    def _late_at(self, step: int) -> Tensor:
        """As `_at`, of channels some of which are later than the others."""
        if step >= 0 and self.way is not None:
            u = self.way.arriving(self.inputs[self.network.input_sample(step, len(self.inputs))])
            if u is not self.u:
                self._arrive(u)
            self.u = u
        return self.current

    def _arrive(self, u: Array) -> None:
        self.current = self.weighted(u)


class SpikeRoute:
    """What arrives over a projection between populations, W s of `lag` steps before.

    On the presynaptic side s itself.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        projection: Projection,
        drive: Drive,
        like: Tensor,
        steps: int,
    ) -> None:
        names = [population.name for population in network.populations]
        self.source, self.lag = names.index(projection.source), network.lag_steps(projection)
        self.like, self.trials = like, drive.n_trials
        self.due: dict[int, tuple[Indices, Indices]] = {}
        self.parts: dict[int, list[tuple[Indices, Indices]]] = {}
        self.later = projection.delays - projection.shortest_delay_steps
        self.alike = not projection.own_delays
        self.arriving = _Arriving(projection, like, (drive.n_trials, steps))

    def take(self, first: int, fired: Sequence[Events | None], _neurons: Sequence[Neurons]) -> None:
        """Remember the spikes of the block that began at step `first`."""
        mine = fired[self.source]
        if mine is None:
            return
        for j in range(len(self.arriving.arrived)):
            spikes = mine.of_step(j)
            if spikes is None:
                continue
            if self.alike:
                self.due[first + j + self.lag] = spikes
            else:
                self._send(first + j + self.lag, *spikes)

    def _send(self, step: int, trial: Indices, neuron: Indices) -> None:
        """Let spikes arrive at a step; those of neurons that are later than others, later."""
        late = step + self.later[neuron]
        for when in np.unique(late).tolist():
            chosen = late == when
            self.parts.setdefault(when, []).append((trial[chosen], neuron[chosen]))

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        for step in range(first, first + steps) if self.parts else ():
            if (parts := self.parts.pop(step, None)) is not None:
                self.due[step] = _in_order(parts)
        return self.arriving.of([self.due.pop(first + j, None) for j in range(steps)])


class TrainRoute:
    """What arrives over a projection from an input that emits spikes, which all are given.

    On the presynaptic side the spikes themselves.
    """

    def __init__(
        self,
        network: SpikingNetwork,
        projection: Projection,
        drive: Drive,
        like: Tensor,
        steps: int,
    ) -> None:
        spikes = drive.spikes[projection.source]
        lag = network.filter_lag_steps(projection)
        step = spikes.step + projection.delays[spikes.neuron] + lag
        order = np.lexsort((spikes.neuron, spikes.trial, step))
        self.like, self.trials = like, drive.n_trials
        self.step = step[order]
        self.trial = spikes.trial[order].astype(np.int64)
        self.unit = spikes.neuron[order].astype(np.int64)
        self.arriving = _Arriving(projection, like, (drive.n_trials, steps))

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        edges = np.searchsorted(self.step, np.arange(first, first + steps + 1))
        parts = [slice(edges[j], edges[j + 1]) for j in range(steps)]
        return self.arriving.of(
            [
                (self.trial[part], self.unit[part]) if part.stop > part.start else None
                for part in parts
            ]
        )


class _Arriving:
    """What spikes bring in each step of a block, in arrays that are used again."""

    def __init__(self, projection: Projection, like: Tensor, extent: tuple[int, int]) -> None:
        """`extent`: trials, and steps of a block."""
        trials, steps = extent
        shape = (trials, _width(projection))
        self.arrived = [like.new_zeros(shape) for _ in range(steps)]
        self.touched = [False] * steps
        self.spread = mark if projection.filter.side == "pre" else spread(projection.weights, like)

    def of(self, spikes: Sequence[tuple[Indices, Indices] | None]) -> list[Tensor]:
        """(B, n) for each step, of the trials and neurons that arrive in it."""
        for j, mine in enumerate(spikes):
            if self.touched[j]:
                self.arrived[j].zero_()
            self.touched[j] = mine is not None
            if mine is not None:
                self.spread(*mine, self.arrived[j])
        return self.arrived


def _in_order(parts: Sequence[tuple[Indices, Indices]]) -> tuple[Indices, Indices]:
    """Spikes (trial, neuron) of several steps as those of one: by trial, then neuron."""
    if len(parts) == 1:
        return parts[0]
    trial, neuron = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((neuron, trial))
    return trial[order], neuron[order]


def delay_line(projection: Projection, steps: int) -> DelayLine | None:
    """What makes some presynaptic neurons later than the earliest; None where none is."""
    if not projection.own_delays:
        return None
    return DelayLine(projection.delays - projection.shortest_delay_steps, steps)


class InsideRoute:
    """A projection whose spikes the block spreads itself: what will arrive in the next steps."""

    def __init__(
        self, network: SpikingNetwork, projection: Projection, trials: int, like: Tensor
    ) -> None:
        shape = (trials, _width(projection))
        self.due = [like.new_zeros(shape) for _ in range(network.lag_steps(projection))]

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n) for each of the next `lag` steps; the block brings it up to date."""
        return self.due


def _width(projection: Projection) -> int:
    """Over how many neurons its filter runs."""
    return projection.shape[1 if projection.filter.side == "pre" else 0]
