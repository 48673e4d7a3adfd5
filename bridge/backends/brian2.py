"""Brian2, the reference simulator of the field: numpy, cython and C++ standalone targets.

All targets are compiled with strict flags and repeat the reference's operations: the same
voltages bit for bit. numpy and cython run chunks of trials side by side; standalone builds one
trial and runs the binary once for each.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import brian2
import numpy as np
from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from numpy.typing import NDArray

from bridge.backends.brian2_model import Group, Model, build, input_values
from bridge.backends.recorder import recording
from bridge.errors import BackendError, SpecError
from bridge.spiking.drive import Drive, FrozenNoise, NoiseStream, OwnNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]

TARGETS = ("numpy", "cython", "standalone")
# Without -ffast-math, and without fused multiply-adds: both change the last bit.
STRICT_FLAGS = ["-w", "-O3", "-march=native", "-std=c++11", "-ffp-contract=off"]
_NOISE_BYTES = 256e6


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    target: str = "standalone",
    voltages: bool = False,
    margins: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials in float64.

    Args:
        network: What to run.
        drive: Its input, noise and start; `OwnNoise` is drawn by Brian2's `randn`.
        target: "standalone" (C++), "cython", or "numpy", which needs no compiler.
        voltages: Keep the voltages at the end of each sample.
        margins: Keep the least distance of any voltage from threshold.
        on_progress: Called with the fraction done: now and then (numpy, cython), or after each
            trial (standalone).
    """
    drive.check(network)
    _check_target(target)
    run = _Run(network, drive, voltages=voltages, margins=margins)
    report = on_progress or (lambda fraction: None)
    report(0.0)
    with _preferences(target), _numpy_state():
        try:
            _standalone(run, report) if target == "standalone" else _runtime(run, report)
        except brian2.BrianObjectException as error:
            raise BackendError(f"Brian2 ({target}) failed: {error.__cause__ or error}") from error
    return recording(network, drive, run, backend="brian2", dtype="float64", target=target)


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise SpecError(f"unknown Brian2 target {target!r}; known are {', '.join(TARGETS)}")
    tools = {"numpy": (), "cython": ("g++",), "standalone": ("g++", "make")}[target]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise BackendError(
            f"Brian2's {target} target needs {' and '.join(missing)}, not found on this machine; "
            "install a C++ compiler or choose the target numpy"
        )


class _Run:
    """What is run, and what has been gathered of it so far."""

    def __init__(
        self, network: SpikingNetwork, drive: Drive, *, voltages: bool, margins: bool
    ) -> None:
        self.network, self.drive = network, drive
        self.shape = (drive.n_trials, drive.n_steps(network), network.size)
        n_samples = drive.inputs.shape[0]
        shape = (n_samples, drive.n_trials, network.size)
        self.voltages_mv = np.empty(shape) if voltages else None
        self.margins_mv = np.full(drive.n_trials, np.inf) if margins else None
        self._events: list[tuple[Array, Array, Array]] = []

    def model(self, drive: Drive, noise_mv: Array | None) -> Model:
        """Brian2 objects for the trials of `drive`."""
        wanted = {"voltages": self.voltages_mv is not None, "margins": self.margins_mv is not None}
        return build(self.network, drive, noise_mv, **wanted)

    def gather(self, groups: list[Group], first: int, trials: int) -> None:
        """Take what the monitors hold of trials `first` to `first + trials`."""
        for group in groups:
            size = group.population.size
            fired = np.asarray(group.spikes.i)
            step = np.rint(np.asarray(group.spikes.t / brian2.ms) / self.network.dt_ms)
            self._events.append((first + fired // size, step, group.span.start + fired % size))
            cells = slice(first, first + trials)
            if self.margins_mv is not None:
                margins = np.asarray(group.neurons.margin).reshape(trials, size).min(axis=1)
                self.margins_mv[cells] = np.minimum(self.margins_mv[cells], margins)
            if self.voltages_mv is not None and group.voltages is not None:
                v = np.vstack([np.asarray(group.voltages.v).T[1:], np.asarray(group.neurons.v)])
                self.voltages_mv[:, cells, group.span] = v.reshape(-1, trials, size)

    def spikes(self) -> Spikes:
        """All events, sorted."""
        trial, step, neuron = (np.concatenate(part) for part in zip(*self._events, strict=True))
        return Spikes.gather(trial, step, neuron, self.shape)


def _noise_of(run: _Run, drive: Drive) -> Array | None:
    """(K, B, N) noise of the trials of `drive`, mV; None where Brian2 draws it or there is none."""
    if isinstance(drive.noise, OwnNoise):
        return None
    stream = NoiseStream(run.network, drive)
    return None if stream.silent else stream.take(run.shape[1])


def _start(run: _Run, drive: Drive, group: Group) -> dict[str, object]:
    gain = np.ones(drive.n_trials) if drive.recurrent_gain is None else drive.recurrent_gain
    return dict(
        group.start_values(drive.initial_voltages_mv(run.network), gain, _brian_seed(drive))
    )


def _brian_seed(drive: Drive) -> int:
    """A seed of Brian2's own generator for these trials, below 2**31."""
    if isinstance(drive.noise, FrozenNoise):
        return 0
    return derived_seed(drive.noise.seed, drive.first_trial)


def _runtime(run: _Run, report: Callable[[float], None]) -> None:
    """All trials in chunks side by side, as many as the noise's memory allows."""
    trials, steps, size = run.shape
    chunk = max(1, int(_NOISE_BYTES / (steps * size * 8)))
    for first in range(0, trials, chunk):
        drive = run.drive.trials(first, min(first + chunk, trials))
        model = run.model(drive, _noise_of(run, drive))
        for group in model.groups:
            for name, value in _start(run, drive, group).items():
                setattr(group.neurons, name, value)
        brian2.seed(_brian_seed(drive))

        def on_report(
            _elapsed: object, done: float, *_: object, first: int = first, n: int = drive.n_trials
        ) -> None:
            report((first + done * n) / trials)

        duration = steps * run.network.dt_ms * brian2.ms
        model.net.run(duration, report=on_report, report_period=0.5 * brian2.second)
        run.gather(model.groups, first, drive.n_trials)


def _standalone(run: _Run, report: Callable[[float], None]) -> None:
    """One trial is compiled; each trial runs the binary with its own input, noise and start."""
    trials, steps, _ = run.shape
    folder = Path(tempfile.mkdtemp(prefix="spikebridge-"))
    brian2.set_device("cpp_standalone", build_on_run=False)
    device = brian2.get_device()
    try:
        drive = run.drive.trials(0, 1)
        noise = _noise_of(run, drive)
        model = run.model(drive, noise)
        device.apply_run_args()
        seed = device.get_array_name(model.groups[0].neurons.variables["run_seed"])
        device.insert_code("main", f"brian::_random_generators[0].seed({seed}[0]);")
        model.net.run(steps * run.network.dt_ms * brian2.ms)
        _compile(device, folder)
        for trial in range(trials):
            drive = run.drive.trials(trial, trial + 1)
            _run_binary(device, _run_args(run, drive, model))
            run.gather(model.groups, trial, 1)
            report((trial + 1) / trials)
    finally:
        device.reinit()
        brian2.set_device("runtime")
        shutil.rmtree(folder, ignore_errors=True)


def _run_args(run: _Run, drive: Drive, model: Model) -> dict[object, object]:
    """What a compiled trial is told on its command line: input, noise and start of one trial."""
    args: dict[object, object] = {}
    for projection in run.network.projections:
        if projection.name in model.inputs:
            values = input_values(run.network, projection, drive)
            args[model.inputs[projection.name]] = np.ascontiguousarray(values)
    noise = _noise_of(run, drive)
    for group in model.groups:
        for name, value in _start(run, drive, group).items():
            args[getattr(group.neurons, name)] = value
        if group.noise is not None and noise is not None:
            args[group.noise] = np.ascontiguousarray(noise[:, 0, group.span])
    return args


def _compile(device: CPPStandaloneDevice, folder: Path) -> None:
    try:
        device.build(str(folder), compile=True, run=False, with_output=False, clean=False)
    except RuntimeError as error:
        raise BackendError(f"Brian2's C++ project did not compile: {error}") from error


def _run_binary(device: CPPStandaloneDevice, args: dict[object, object]) -> None:
    try:
        device.run(run_args=args, with_output=False)
    except RuntimeError as error:
        raise BackendError(f"Brian2's compiled program failed: {error}") from error
    finally:
        # 32 MB of noise a trial would fill the disk.
        for name in device.run_args_arrays:
            (Path(device.project_dir) / "static_arrays" / name).unlink(missing_ok=True)


@contextmanager
def _preferences(target: str) -> Iterator[None]:
    """Strict compiler flags and a Cython cache of their own (its keys ignore flags)."""
    prefs = brian2.prefs
    wanted = {
        "codegen.target": "numpy" if target == "numpy" else "cython",
        "codegen.cpp.extra_compile_args": STRICT_FLAGS,
        "codegen.runtime.cython.cache_dir": str(
            Path(get_cython_cache_dir()) / "spikebridge-strict"
        ),
    }
    before = {name: prefs[name] for name in wanted}
    for name, value in wanted.items():
        prefs[name] = value
    try:
        yield
    finally:
        for name, value in before.items():
            prefs[name] = value


@contextmanager
def _numpy_state() -> Iterator[None]:
    """Brian2 seeds NumPy's global generator: leave the caller's as it was."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)
