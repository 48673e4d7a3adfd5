"""snnTorch: many trials and many scale factors in one tensor program, on CPU or CUDA.

float64 on the CPU repeats the reference's operations and gives its spikes bit for bit; float32 is
twice as fast and agrees in distribution only.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count, islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.constants import gates, input_current
from bridge.backends.lif_cell import LifCell
from bridge.backends.recorder import recording
from bridge.errors import BackendError, SpecError
from bridge.spiking.drive import Drive, NoiseStream, OwnNoise, derived_seed
from bridge.spiking.filters import Direct
from bridge.spiking.network import INPUT, Population, Projection, SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

if TYPE_CHECKING:
    from collections.abc import Iterator

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    dtype: str = "float64",
    device: str = "cpu",
    voltages: bool = False,
    margins: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials as one batch.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is drawn by torch on the device.
        dtype: "float64" or "float32".
        device: "cpu", "cuda" or "cuda:N".
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        on_progress: Called with the fraction done after each sample.
    """
    drive.check(network)
    place = torch_device(device)
    if dtype not in DTYPES:
        raise SpecError(f"unknown dtype {dtype!r}; known are {', '.join(DTYPES)}")
    # Without this a silent float32 network creeps: its filters decay into denormal numbers.
    torch.set_flush_denormal(dtype == "float32")
    try:
        with torch.no_grad(), _threads_for(drive.n_trials * network.size):
            run = _Run(network, drive, DTYPES[dtype], place, voltages=voltages, margins=margins)
            for sample in range(np.shape(drive.inputs)[0]):
                run.advance(sample)
                if on_progress is not None:
                    on_progress((sample + 1) / np.shape(drive.inputs)[0])
            return recording(network, drive, run, backend="snntorch", dtype=dtype, device=device)
    finally:
        torch.set_flush_denormal(False)


def torch_device(name: str) -> torch.device:
    """The device of that name, if torch has it here."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SpecError(f"unknown device {name!r}; use cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise SpecError(f"unknown device {name!r}; use cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BackendError(f"device {name!r} was asked for, but torch sees no such CUDA device here")
    return device


@contextmanager
def _threads_for(cells: int) -> "Iterator[None]":
    """One thread for small batches: more only wait for each other there."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if cells < 500_000 else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Run:
    """A running batch: state of all populations and projections, and what was recorded."""

    def __init__(
        self,
        network: SpikingNetwork,
        drive: Drive,
        dtype: torch.dtype,
        device: torch.device,
        *,
        voltages: bool,
        margins: bool,
    ) -> None:
        self.network, self.drive, self.dtype, self.device = network, drive, dtype, device
        start = self.tensor(drive.initial_voltages_mv(network))
        self.populations = [_Neurons(self, population, start) for population in network.populations]
        self.projections = [_Synapses(self, projection) for projection in network.projections]
        self.noise = _own_noise(self) if isinstance(drive.noise, OwnNoise) else _shared_noise(self)
        self._fired: list[tuple[int, int, Tensor]] = []
        self._events: list[NDArray[np.int32]] = []
        self._voltages: list[NDArray[np.float64]] | None = [] if voltages else None
        self._margins = None
        if margins:
            self._margins = torch.full((drive.n_trials,), np.inf, dtype=dtype, device=device)

    def tensor(self, values: NDArray[np.float64]) -> Tensor:
        """A copy of `values` in the precision and on the device of this run."""
        return torch.tensor(values, dtype=self.dtype, device=self.device)

    def advance(self, sample: int) -> None:
        """All steps of one sample."""
        steps = self.network.sample_steps
        noise = self.noise(steps)
        for tick in range(steps):
            step = sample * steps + tick
            for neurons in self.populations:
                neurons.current = neurons.cell.bias
            for synapses in self.projections:
                synapses.add_current(self.populations, step)
            xi = next(noise)
            for neurons in self.populations:
                neurons.integrate(xi, step)
            if self._margins is not None:
                self._note_margins(self._margins)
            for neurons in self.populations:
                neurons.fire(step)
            for synapses in self.projections:
                synapses.take(self.populations, step)
            self._note_spikes(step)
        self._keep_spikes()
        if self._voltages is not None:
            state = torch.cat([neurons.state[0] for neurons in self.populations], dim=1)
            self._voltages.append(state.double().cpu().numpy())

    def _note_margins(self, margins: Tensor) -> None:
        for neurons in self.populations:
            distance = (neurons.state[0] - neurons.threshold).abs()
            torch.minimum(margins, distance.amin(dim=1), out=margins)

    def _note_spikes(self, step: int) -> None:
        for neurons in self.populations:
            if neurons.events.numel():
                self._fired.append((step, neurons.span.start, neurons.events))

    def _keep_spikes(self) -> None:
        """Pack the spikes of a sample: thousands of small tensors would tear memory to pieces."""
        if not self._fired:
            return
        events = torch.cat([fired for _, _, fired in self._fired]).cpu().numpy()
        counts = [len(fired) for _, _, fired in self._fired]
        packed = np.empty((3, len(events)), dtype=np.int32)
        packed[0] = events[:, 0]
        packed[1] = np.repeat([step for step, _, _ in self._fired], counts)
        packed[2] = events[:, 1] + np.repeat([start for _, start, _ in self._fired], counts)
        self._events.append(packed)
        self._fired.clear()

    @property
    def voltages_mv(self) -> NDArray[np.float64] | None:
        """(T, B, N) voltages at the end of each sample, mV."""
        return None if self._voltages is None else np.stack(self._voltages)

    @property
    def margins_mv(self) -> NDArray[np.float64] | None:
        """(B,) least distances from threshold, mV."""
        return None if self._margins is None else self._margins.double().cpu().numpy()

    def spikes(self) -> Spikes:
        """All events, sorted."""
        shape = (self.drive.n_trials, self.drive.n_steps(self.network), self.network.size)
        if not self._events:
            return Spikes.gather([], [], [], shape)
        trial, step, neuron = np.concatenate(self._events, axis=1)
        return Spikes.gather(trial, step, neuron, shape)


def _shared_noise(run: _Run) -> "Callable[[int], Iterator[Tensor | None]]":
    stream = NoiseStream(run.network, run.drive)

    def blocks(n_steps: int) -> "Iterator[Tensor | None]":
        block = None if stream.silent else run.tensor(stream.take(n_steps))
        for step in range(n_steps):
            yield None if block is None else block[step]

    return blocks


def _own_noise(run: _Run) -> "Callable[[int], Iterator[Tensor | None]]":
    """Noise from torch's generator on the device.

    torch draws normal numbers on one thread: on the CPU the next step's are drawn while this
    step's are used.
    """
    if not isinstance(run.drive.noise, OwnNoise):
        raise BackendError("own noise needs a seed")
    generator = torch.Generator(run.device)
    generator.manual_seed(derived_seed(run.drive.noise.seed, run.drive.first_trial))
    sd_mv = run.network.noise_mv()
    highest = float(sd_mv.max())
    each = None if np.all(sd_mv == highest) else run.tensor(sd_mv / max(highest, 1e-300))
    pair = [run.tensor(np.zeros((run.drive.n_trials, run.network.size))) for _ in range(2)]

    def draw(buffer: Tensor) -> Tensor:
        buffer.normal_(0.0, highest, generator=generator)
        return buffer if each is None else buffer.mul_(each)

    if highest == 0:
        return lambda n_steps: iter([None] * n_steps)
    drawn = (
        _drawn_ahead(draw, pair) if run.device.type == "cpu" else (draw(pair[0]) for _ in count())
    )
    return lambda n_steps: islice(drawn, n_steps)


def _drawn_ahead(draw: Callable[[Tensor], Tensor], pair: list[Tensor]) -> "Iterator[Tensor]":
    """`draw` into two buffers in turn, one ahead of what is asked for, on another thread."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw, pair[0])
        for turn in count(1):
            ready = ahead.result()
            ahead = pool.submit(draw, pair[turn % 2])
            yield ready


class _Neurons:
    """One population: its snnTorch cell, its state, and the spikes of the step."""

    def __init__(self, run: _Run, population: Population, start: Tensor) -> None:
        self.span = run.network.span(population.name)
        self.cell = LifCell(population.neurons, run.network.dt_ms, run.dtype).to(run.device)
        self.state = self.cell.start(start[:, self.span].clone())
        self.threshold = run.tensor(np.asarray(population.neurons.v_threshold_mv))
        self.current: Tensor = self.cell.bias
        self.fired = torch.zeros_like(self.state[0])
        self.events = torch.empty((0, 2), dtype=torch.long, device=run.device)

    def integrate(self, noise_mv: Tensor | None, step: int) -> None:
        """Membrane step and noise."""
        part = None if noise_mv is None else noise_mv[:, self.span]
        v = self.cell.integrate(self.current, part, self.state, step)
        self.state = (v, self.state[1])

    def fire(self, step: int) -> None:
        """Spikes of the step as events (trial, neuron) in ascending order, and their reset.

        What `LifCell.forward` does to all neurons with a gradient is done here only where a
        spike is.
        """
        v, free_from = self.state
        self.events = torch.gt(v, self.cell.threshold, out=self.fired).nonzero()
        if self.events.numel():
            trial, neuron = self.events.unbind(1)
            v[trial, neuron] = self.cell.reset[neuron]
            free_from[trial, neuron] = float(step + 1 + self.cell.refractory_steps)


class _Synapses:
    """State of one projection; arrays are (B, n_post)."""

    def __init__(self, run: _Run, projection: Projection) -> None:
        names = [population.name for population in run.network.populations]
        self.run, self.projection = run, projection
        self.source = -1 if projection.source == INPUT else names.index(projection.source)
        self.target = names.index(projection.target)
        constants = gates(projection.filter, run.network.dt_ms)
        self.dt_s = constants.dt_s
        self.decay, self.rise_decay, self.gain = (
            None if constant is None else run.tensor(constant)
            for constant in (constants.decay, constants.rise, constants.gain)
        )
        shape = (run.drive.n_trials, projection.shape[0])
        self.current = torch.zeros(shape, dtype=run.dtype, device=run.device)
        self.rise, self.scratch = torch.zeros_like(self.current), torch.zeros_like(self.current)
        self.arrived = torch.zeros_like(self.current)
        self.from_input: Tensor | None = None
        self.sample = -1
        gain = run.drive.recurrent_gain
        self.trial_gain = None
        if gain is not None and self.source >= 0:
            self.trial_gain = run.tensor(np.asarray(gain)[:, None])
        self.delayed: deque[Tensor] = deque()
        self._spread = _spread(run, projection) if self.source >= 0 else None

    def add_current(self, populations: list[_Neurons], step: int) -> None:
        """Add what this projection drives its target with in this step."""
        if self.source < 0 and isinstance(self.projection.filter, Direct):
            self.current = self._input(step)
        target = populations[self.target]
        target.current = target.current + self.current

    def take(self, populations: list[_Neurons], step: int) -> None:
        """Decay, then take what arrives in this step."""
        arrived = self._arrivals(populations, step)
        if self.decay is None or self.gain is None:
            self.current.zero_() if arrived is None else self.current.copy_(arrived)
            return
        self.current.mul_(self.decay)
        if self.rise_decay is not None:
            self.current.add_(torch.mul(self.rise, self.dt_s, out=self.scratch))
            self.rise.mul_(self.rise_decay)
        if arrived is not None:
            state = self.current if self.rise_decay is None else self.rise
            state.add_(torch.mul(arrived, self.gain, out=self.scratch))

    def _input(self, step: int) -> Tensor:
        """W u of the step, computed when the input sample changes."""
        inputs = np.asarray(self.run.drive.inputs)
        sample = self.run.network.input_sample(step, len(inputs))
        if sample != self.sample or self.from_input is None:
            self.sample = sample
            self.from_input = self.run.tensor(input_current(self.projection, inputs[sample]))
        return self.from_input

    def _arrivals(self, populations: list[_Neurons], step: int) -> Tensor | None:
        """W s (or W u); None where nothing arrives."""
        if self._spread is None:
            return self._input(step)
        self.delayed.append(populations[self.source].events)
        if len(self.delayed) <= self.projection.delay_steps:
            return None
        events = self.delayed.popleft()
        if not events.numel():
            return None
        arrived = self._spread(events, self.arrived.zero_())
        return arrived if self.trial_gain is None else arrived.mul_(self.trial_gain)


def _spread(run: _Run, projection: Projection) -> Callable[[Tensor, Tensor], Tensor]:
    """A function that adds the weights of spike events (trial, neuron) to (B, n_post) zeros.

    On the CPU `index_add_` runs in the order of the events, trial by trial and neuron by neuron:
    the order of summation of the reference.
    """
    if isinstance(projection.weights, np.ndarray):
        rows = run.tensor(np.ascontiguousarray(projection.weights.T))

        def dense(events: Tensor, arrived: Tensor) -> Tensor:
            return arrived.index_add_(0, events[:, 0], rows[events[:, 1]])

        return dense
    columns = projection.synapses()
    first = torch.tensor(columns.indptr[:-1], dtype=torch.long, device=run.device)
    fan_out = torch.tensor(np.diff(columns.indptr), dtype=torch.long, device=run.device)
    post = torch.tensor(columns.indices, dtype=torch.long, device=run.device)
    weight = run.tensor(columns.data)

    def by_synapse(events: Tensor, arrived: Tensor) -> Tensor:
        trial, neuron = events[:, 0], events[:, 1]
        counts = fan_out[neuron]
        event = torch.repeat_interleave(torch.arange(len(neuron), device=run.device), counts)
        within = torch.arange(len(event), device=run.device) - (counts.cumsum(0) - counts)[event]
        synapse = first[neuron][event] + within
        cell = trial[event] * arrived.shape[1] + post[synapse]
        arrived.view(-1).index_add_(0, cell, weight[synapse])
        return arrived

    return by_synapse
