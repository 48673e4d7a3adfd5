"""A whole run as one kernel: trials side by side, in as many launches as the memory asks for."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.compiled.form import Form, form_of
from bridge.backends.compiled.gpu import launch
from bridge.backends.compiled.gpu.build import check_triton
from bridge.backends.compiled.gpu.left import Left, bytes_of, left_by
from bridge.backends.compiled.gpu.refusals import reason_of, unsuited
from bridge.backends.compiled.gpu.values import (
    blocks_of,
    kernel_arrays,
    kernel_numbers,
    of_trials,
    trial_axes,
)
from bridge.backends.devices import torch_device
from bridge.backends.kept import Kept, Wanted
from bridge.backends.recorder import no_number, recording
from bridge.backends.torch_settings import own_settings
from bridge.errors import BackendError
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

# How much of the free memory a launch takes, and the spikes it has room for at first: so many of
# all that neurons could fire.
_SHARE, _SPARSE, FIRST_ROOM = 0.8, 400, 64
# So many steps of neurons a launch makes, that progress is seen, but in no fewer trials than keep a
# large GPU busy.
MOST_AT_ONCE, LEAST_AT_ONCE = 10**11, 1024
# What each place for a spike takes while they are read: whether one is there, where, and which; its
# step, what that comes to, and its neuron.
_READ_BYTES = 1 + 16 + 8 + 3 * 8


def simulate_there(
    network: SpikingNetwork,
    drive: Drive,
    wanted: Wanted,
    where: tuple[str, str],
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """As `simulate`, on the device of a name."""
    name, dtype = where
    device = torch_device(name)
    check_triton()
    return simulate(network, drive, wanted, (device, dtype), on_progress)


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    wanted: Wanted,
    where: tuple[torch.device, str],
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials in a kernel.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is what the C++ loop draws.
        wanted: What to keep in addition to spikes.
        where: The device, and the precision.
        on_progress: Called with the fraction done.

    Raises:
        BackendError: the kernel does not take the network, Triton is missing, a trial needs more
            memory than there is, or a state stops being finite.
    """
    device, dtype = where
    if reason := reason_of(network):
        raise unsuited(reason, str(device))
    kept = Kept(network, drive, wanted)
    form = form_of(network, drive, wanted, dtype)
    run = _Run(network, drive, form, kept, device)
    place = torch.cuda.device(device) if device.type == "cuda" else nullcontext()
    with own_settings(gradients=False), place, launch.plain_errors(device):
        run.all_trials(on_progress)
    details = {"dtype": dtype, "device": str(device)}
    return recording(network, drive, run, kept, backend="compiled", **details)


@dataclass
class _Run:
    """A run, and what its launches leave."""

    network: SpikingNetwork
    drive: Drive
    form: Form
    kept: Kept
    device: torch.device
    events: list[tuple[NDArray[np.int32], ...]] = field(default_factory=list)
    nearest: list[NDArray[np.float64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        network, drive = self.network, self.drive
        self.numbers = kernel_numbers(network, drive, self.kept.steps)
        self.arrays = kernel_arrays(network, drive, self.form)
        self.kernel = launch.Kernel(self.form, blocks_of(network), self.device)
        steps = drive.n_steps(network)
        self.room = min(steps * network.size, steps * network.size // _SPARSE + FIRST_ROOM)

    def all_trials(self, on_progress: Callable[[float], None] | None) -> None:
        """Run all trials, those of a launch side by side."""
        axes, trials = trial_axes(self.form), self.drive.n_trials
        alike = {name: each for name, each in self.arrays.items() if name not in axes}
        shared, start = launch.on_device(alike, self.device), 0
        while start < trials:
            stop = min(trials, start + self._at_once())
            self._launch(shared, start, stop)
            start = stop
            if on_progress is not None:
                on_progress(stop / trials)

    def _at_once(self) -> int:
        """How many trials fit into the memory that is left, and do not take too long.

        Raises:
            BackendError: not even one fits.
        """
        free = launch.free_bytes(self.device)
        steps = self.drive.n_steps(self.network) * self.network.size
        most = max(LEAST_AT_ONCE, MOST_AT_ONCE // steps)
        if free is None:
            return most
        own = of_trials(self.arrays, self.form, 0, 1)
        needed = launch.bytes_of(own) + bytes_of(self._written(1)) + self.room * _READ_BYTES
        if (fit := int(free * _SHARE) // needed) < 1:
            raise BackendError(
                f"a trial needs {needed:,} bytes of the memory of {self.device}, where {free:,} "
                "are free; use shorter trials, or keep less of them"
            )
        return min(fit, most)

    def _written(self, trials: int) -> dict[str, Left]:
        """What a launch of so many trials writes."""
        numbers = {**self.numbers, "window": len(self.kept.steps), "room": self.room}
        return left_by(self.form, numbers, self.kernel.blocks, trials)

    def _launch(self, shared: Mapping[str, Tensor], start: int, stop: int) -> None:
        """Run some trials; again where there was no room for all of their spikes."""
        while True:
            own = launch.on_device(of_trials(self.arrays, self.form, start, stop), self.device)
            written = {
                name: left.empty(self.device) for name, left in self._written(stop - start).items()
            }
            numbers = self.numbers | {"trials": stop - start, "room": self.room}
            self.kernel.launch({**shared, **own, **written}, numbers, stop - start)
            launch.finished(self.device)
            most = int(written["counts"].max())
            if most <= self.room:
                break
            # What was run is the same again, only the list of spikes is longer.
            self.room = most
            # Both make room for what comes instead of them.
            del own, written
            if stop - start > self._at_once():
                middle = (start + stop) // 2
                self._launch(shared, start, middle)
                self._launch(shared, middle, stop)
                return
        self._take(written, start, stop)

    def _take(self, written: Mapping[str, Tensor], start: int, stop: int) -> None:
        """Keep what a launch wrote."""
        self._check(written["failures"].cpu().numpy(), start)
        counts, spikes = written["counts"], written["spikes"]
        there = torch.arange(spikes.shape[1], device=self.device) < counts[:, None]
        # Row by row, so trial after trial, as they were fired.
        codes = spikes[there]
        step = torch.div(codes, self.network.size, rounding_mode="floor")
        events = step, codes - step * self.network.size, counts
        self.events.append(tuple(each.int().cpu().numpy() for each in events))
        if self.form.margins:
            self.nearest.append(written["margins"].double().cpu().numpy())
        for number, mine in enumerate(self.form.populations):
            for part, names, places in (
                ("sampled", mine.sampled, self.kept.sampled(number)),
                ("stepped", mine.stepped, self.kept.stepped(number)),
            ):
                for name, place in places:
                    given = written[f"{part}_{number}_{names.index(name)}"]
                    place[:, start:stop] = given.cpu().numpy()

    def _check(self, failures: NDArray[np.int64], start: int) -> None:
        """Raise BackendError where a state is not finite: of the first sample, as others say it."""
        failed = np.nonzero(failures[:, 0] >= 0)[0]
        if not failed.size:
            return

        def when(trial: int) -> tuple[int, ...]:
            population, state, _, sample = failures[trial].tolist()
            return sample, population, state, trial

        first = min(failed.tolist(), key=when)
        *place, sample = failures[first].tolist()
        step = (sample + 1) * self.network.sample_steps - 1
        no_number(self.network, tuple(place), step, start + first)

    @property
    def margins_mv(self) -> NDArray[np.float64] | None:
        """(B,) least distances from threshold, mV."""
        return np.concatenate(self.nearest) if self.nearest else None

    def spikes(self) -> Spikes:
        """All events: trial after trial, as they were fired."""
        step, neuron, counts = map(np.concatenate, zip(*self.events, strict=True))
        return Spikes(
            trial=np.repeat(np.arange(counts.size, dtype=np.int32), counts),
            step=step,
            neuron=neuron,
            n_trials=self.drive.n_trials,
            n_steps=self.drive.n_steps(self.network),
            n_neurons=self.network.size,
        )
