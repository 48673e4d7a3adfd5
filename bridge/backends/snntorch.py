"""snnTorch: many trials and many scale factors in one tensor program, on CPU or CUDA.

float64 on the CPU repeats the reference's operations and gives its spikes bit for bit; float32 is
twice as fast and agrees in distribution only.
"""

import shutil
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

from bridge.backends.constants import input_current
from bridge.backends.counter_noise import CounterNoise
from bridge.backends.dense_step import DenseStep, Neurons, Synapses, worth_compiling
from bridge.backends.recorder import recording
from bridge.errors import BackendError, SpecError
from bridge.spiking.drive import Drive, NoiseStream, OwnNoise, derived_seed
from bridge.spiking.filters import Direct
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

if TYPE_CHECKING:
    from collections.abc import Iterator

DTYPES = {"float64": torch.float64, "float32": torch.float32}


# The options are named one by one, so that Python itself refuses an unknown one.
def simulate(  # noqa: PLR0913
    network: SpikingNetwork,
    drive: Drive,
    *,
    dtype: str = "float64",
    device: str = "cpu",
    compiled: bool | None = None,
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
        compiled: Whether to compile the step; None: where it pays and there is a compiler.
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
            like = torch.empty((), dtype=DTYPES[dtype], device=place)
            if compiled is None:
                size = (drive.n_trials, drive.n_steps(network), network.size)
                compiled = worth_compiling(*size) and shutil.which("g++") is not None
            run = _Run(network, drive, like, compiled=compiled)
            run.record(voltages=voltages, margins=margins)
            for sample in range(len(drive.inputs)):
                run.advance(sample)
                if on_progress is not None:
                    on_progress((sample + 1) / len(drive.inputs))
            how = {"dtype": dtype, "device": device, "compiled": compiled}
            return recording(network, drive, run, backend="snntorch", **how)
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
    if device.type == "cuda" and not 0 <= (device.index or 0) < torch.cuda.device_count():
        raise BackendError(
            f"device {name!r} was asked for, but torch sees no such CUDA device here"
        )
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
    """A running batch: its state, how spikes travel, and what was recorded."""

    def __init__(
        self, network: SpikingNetwork, drive: Drive, like: Tensor, *, compiled: bool
    ) -> None:
        self.network, self.drive, self.like, self.compiled = network, drive, like, compiled
        start = self.tensor(drive.initial_voltages_mv(network))
        gain = drive.recurrent_gain
        column = None if gain is None else self.tensor(gain[:, None])
        self.dense = DenseStep(network, start, column)
        self.advance_all: Callable[[Tensor, Tensor | None], None] = self.dense
        if compiled:
            self.advance_all = torch.compile(self.dense, fullgraph=True, dynamic=False)
        self.routes = [
            _InputRoute(self, projection, synapses)
            if projection.source == INPUT
            else _SpikeRoute(self, projection, synapses)
            for projection, synapses in zip(network.projections, self.dense.synapses, strict=True)
        ]
        self.noise = _own_noise(self) if isinstance(drive.noise, OwnNoise) else _shared_noise(self)
        self._fired: list[tuple[int, int, Tensor]] = []
        self._events: list[NDArray[np.int32]] = []
        self._voltages: list[NDArray[np.float64]] | None = None
        self._margins: Tensor | None = None

    def record(self, *, voltages: bool, margins: bool) -> None:
        """What to keep besides spikes."""
        self._voltages = [] if voltages else None
        self._margins = self.like.new_full((self.drive.n_trials,), np.inf) if margins else None

    def tensor(self, values: NDArray[np.float64]) -> Tensor:
        """A copy of `values` in the precision and on the device of this run."""
        return self.like.new_tensor(values)

    def advance(self, sample: int) -> None:
        """All steps of one sample."""
        steps = self.network.sample_steps
        noise = self.noise(steps)
        number = self.like.new_zeros(())
        for step in range(sample * steps, (sample + 1) * steps):
            for route in self.routes:
                if isinstance(route, _InputRoute):
                    route.deliver(step)
            self.advance_all(number.fill_(step), next(noise))
            if self._margins is not None:
                self._note_margins(self._margins)
            events = [self._reset(neurons, step) for neurons in self.dense.neurons]
            for route in self.routes:
                if isinstance(route, _SpikeRoute):
                    route.deliver(events)
        self._keep_spikes()
        if self._voltages is not None:
            state = torch.cat([neurons.v for neurons in self.dense.neurons], dim=1)
            self._voltages.append(state.double().cpu().numpy())

    def _reset(self, neurons: Neurons, step: int) -> Tensor:
        """Reset where spikes are, and give them as (trial, neuron) rows in ascending order.

        What `LifCell.forward` does to all neurons with a gradient is done only there.
        """
        events = _events(neurons.fired)
        if events.numel():
            trial, neuron = events.unbind(1)
            neurons.v[trial, neuron] = neurons.cell.reset[neuron]
            neurons.free_from[trial, neuron] = float(step + 1 + neurons.cell.refractory_steps)
            self._fired.append((step, neurons.span.start, events))
        return events

    def _note_margins(self, margins: Tensor) -> None:
        for population, neurons in zip(self.network.populations, self.dense.neurons, strict=True):
            threshold = self.tensor(np.asarray(population.neurons.v_threshold_mv))
            torch.minimum(margins, (neurons.v - threshold).abs().amin(dim=1), out=margins)

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
    """Noise of this backend's own, on the device.

    A compiled float32 run on the CPU takes it from a compiled counter. Else it comes from torch's
    generator, several times slower: on the CPU the next step's is drawn while this one's is used.
    """
    if not isinstance(run.drive.noise, OwnNoise):
        raise BackendError("own noise needs a seed")
    seed = derived_seed(run.drive.noise.seed, run.drive.first_trial)
    on_cpu = run.like.device.type == "cpu"
    generator = torch.Generator(run.like.device).manual_seed(seed)
    sd_mv = run.network.noise_mv()
    highest = float(sd_mv.max())
    each = None if np.all(sd_mv == highest) else run.tensor(sd_mv / max(highest, 1e-300))
    pair = [run.tensor(np.zeros((run.drive.n_trials, run.network.size))) for _ in range(2)]

    counter = None
    if on_cpu and run.compiled and run.like.dtype == torch.float32:
        counter = CounterNoise((run.drive.n_trials, run.network.size), seed)

    def draw(buffer: Tensor) -> Tensor:
        if counter is None:
            buffer.normal_(0.0, highest, generator=generator)
        else:
            counter.into(buffer).mul_(highest)
        return buffer if each is None else buffer.mul_(each)

    if highest == 0:
        return lambda n_steps: iter([None] * n_steps)
    ahead = on_cpu and counter is None
    drawn = _drawn_ahead(draw, pair) if ahead else (draw(pair[0]) for _ in count())
    return lambda n_steps: islice(drawn, n_steps)


def _drawn_ahead(draw: Callable[[Tensor], Tensor], pair: list[Tensor]) -> "Iterator[Tensor]":
    """`draw` into two buffers in turn, one ahead of what is asked for, on another thread."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(draw, pair[0])
        for turn in count(1):
            ready = ahead.result()
            ahead = pool.submit(draw, pair[turn % 2])
            yield ready


def _events(fired: Tensor) -> Tensor:
    """(E, 2) trial and neuron of every 1 in (B, n), in ascending order.

    Most trials are silent in a step: only the others are searched neuron by neuron.
    """
    if fired.numel() < 20_000:
        return fired.nonzero()
    trials = fired.amax(dim=1).nonzero().squeeze(1)
    events = fired[trials].nonzero()
    events[:, 0] = trials[events[:, 0]]
    return events


class _InputRoute:
    """Hands a projection from the input what arrives, W u, when the sample changes."""

    def __init__(self, run: _Run, projection: Projection, synapses: Synapses) -> None:
        self.run, self.projection, self.synapses = run, projection, synapses
        # A filter takes the input at the end of a step, and acts on the next.
        self.behind = 0 if synapses.at_once or isinstance(projection.filter, Direct) else 1
        self.sample = -1

    def deliver(self, step: int) -> None:
        """Set what arrived."""
        inputs = self.run.drive.inputs
        if step < self.behind:
            return
        sample = self.run.network.input_sample(step - self.behind, len(inputs))
        if sample != self.sample:
            self.sample = sample
            current = input_current(self.projection, inputs[sample])
            self.synapses.arrived.copy_(self.run.tensor(current))


class _SpikeRoute:
    """Carries spikes over a projection: W s, after its delay."""

    def __init__(self, run: _Run, projection: Projection, synapses: Synapses) -> None:
        names = [population.name for population in run.network.populations]
        self.source = names.index(projection.source)
        self.delay_steps, self.synapses = projection.delay_steps, synapses
        self.delayed: deque[Tensor] = deque()
        self.spread = _spread(run, projection)

    def deliver(self, events: list[Tensor]) -> None:
        """Take the spikes of a step, and set what arrived."""
        self.delayed.append(events[self.source])
        arrived = self.synapses.arrived.zero_()
        if len(self.delayed) > self.delay_steps:
            due = self.delayed.popleft()
            if due.numel():
                self.spread(due, arrived)


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
    first = torch.tensor(columns.indptr[:-1], dtype=torch.long, device=run.like.device)
    fan_out = torch.tensor(np.diff(columns.indptr), dtype=torch.long, device=run.like.device)
    post = torch.tensor(columns.indices, dtype=torch.long, device=run.like.device)
    weight = run.tensor(columns.data)

    def by_synapse(events: Tensor, arrived: Tensor) -> Tensor:
        trial, neuron = events[:, 0], events[:, 1]
        counts = fan_out[neuron]
        event = torch.repeat_interleave(torch.arange(len(neuron), device=run.like.device), counts)
        within = (
            torch.arange(len(event), device=run.like.device) - (counts.cumsum(0) - counts)[event]
        )
        synapse = first[neuron][event] + within
        cell = trial[event] * arrived.shape[1] + post[synapse]
        arrived.view(-1).index_add_(0, cell, weight[synapse])
        return arrived

    return by_synapse
