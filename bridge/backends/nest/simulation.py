"""NEST, an independent simulator: its own neuron, synapses and random numbers.

It is held to the reference by statistics, not spike by spike: it draws its own noise, which does
not move a neuron that is refractory. Without noise, and with the parameters "euler", its voltages
are those of the reference up to rounding, with one exception: over a single exponential without
delay a spike acts one step late, since NEST has no delay shorter than a step.

NEST runs in processes forked from this one: a session of NEST's in this process stays what it is.
Where none can be forked, as in one that is itself forked so, it runs here and empties the kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from bridge.backends.kept import Kept, Wanted
from bridge.backends.nest.kernel import Kernel, Trial, load_its_packages
from bridge.backends.nest.model import Parameters, lif, membrane_tau_ms, tics_per_ms
from bridge.backends.recorder import recording
from bridge.backends.workers import available_processes, can_fork, in_processes
from bridge.errors import BackendError, SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    parameters: str = "euler",
    workers: int | None = None,
    voltages: bool = False,
    margins: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Recording:
    """Run B trials, one after the other, or as many at once as there are processes.

    Args:
        network: What to run: LIF neurons, and between populations filters of the postsynaptic
            side. Where time constants of a neuron are equal, they are set apart by 1e-5 or 2e-5
            of themselves.
        drive: Its input, noise and start; `OwnNoise` is drawn by NEST, the same for a trial
            whatever trials run with it. Other noise must be none.
        parameters: "euler": time constants and weights with which NEST takes the reference's
            steps; "plain": those of the description, in NEST's exact propagation.
        workers: Processes that share the trials; None: as many as there are CPUs. Spikes do not
            depend on it.
        voltages: Keep the voltages at the end of each sample.
        margins: Refused: NEST shows a voltage only after its reset.
        on_progress: Called with the fraction done after each trial.

    Raises:
        SpecError: the drive does not fit, an option makes no sense, or NEST has no such model,
            noise or stimulation.
        BackendError: NEST is not installed, or failed.
    """
    drive.check(network)
    chosen = _chosen(parameters)
    asked = available_processes() if workers is None else counted("workers", workers, least=1)
    if margins:
        raise SpecError("NEST shows voltages only after the reset: it has no margins to keep")
    _check_network(network, chosen)
    _check_drive(network, drive)
    if find_spec("nest") is None:
        raise BackendError("NEST needs: pip install 'spikebridge[nest]'")
    processes = min(asked, drive.n_trials)
    parts = [
        drive.trials(int(part[0]), int(part[-1]) + 1)
        for part in np.array_split(np.arange(drive.n_trials), processes)
    ]

    def run_part(number: int, report: Callable[[float], None]) -> Recording:
        return _run(network, parts[number], chosen, voltages, report)

    if can_fork():
        load_its_packages()
        return Recording.joined(in_processes(run_part, processes, on_progress))
    return _run(network, drive, chosen, voltages, on_progress or (lambda fraction: None))


def _chosen(parameters: str) -> Parameters:
    if parameters not in get_args(Parameters):
        known = ", ".join(get_args(Parameters))
        raise SpecError(f"unknown parameters {parameters!r}; known are {known}")
    return cast(Parameters, parameters)


def _check_network(network: SpikingNetwork, parameters: Parameters) -> None:
    tics_per_ms(network.dt_ms)
    for population in network.populations:
        membrane_tau_ms(lif(population.neurons), network.dt_ms, parameters)
    for readout in network.shown_states:
        raise SpecError(f"readout {readout.name}: NEST shows no states, give it readouts of spikes")
    for projection in network.projections:
        if not network.is_analog(projection.source):
            _check_projection(projection)


def _check_projection(projection: Projection) -> None:
    if projection.filter.memoryless:
        raise SpecError(
            f"projection {projection.name}: NEST's neuron takes spikes through a filter only, "
            "not directly"
        )
    if projection.filter.chosen().get("filter_step") == "euler":
        raise SpecError(f"projection {projection.name}: NEST's currents take no Euler steps")
    if projection.rank:
        raise SpecError(f"projection {projection.name}: NEST has no factored weights")
    if projection.initial_states:
        raise SpecError(f"projection {projection.name}: NEST's currents start at 0")
    if projection.within_step:
        raise SpecError(f"projection {projection.name}: in NEST a spike acts a step later at least")
    if projection.filter.side == "pre":
        raise SpecError(
            f"projection {projection.name}: NEST filters with the time constants of the "
            "postsynaptic neuron, not of the presynaptic one"
        )


def _check_drive(network: SpikingNetwork, drive: Drive) -> None:
    if drive.stimulation:
        raise SpecError("NEST moves no refractory neuron, so it cannot give this stimulation")
    noise = drive.noise
    if isinstance(noise, OwnNoise):
        return
    given = noise.values_mv if isinstance(noise, FrozenNoise) else network.noise_mv()
    if np.any(given):
        raise SpecError("NEST draws its own noise: use OwnNoise")


def _run(
    network: SpikingNetwork,
    drive: Drive,
    parameters: Parameters,
    voltages: bool,  # noqa: FBT001
    report: Callable[[float], None],
) -> Recording:
    """All trials of a drive in this process."""
    kernel, seeds, trials = Kernel(network, parameters), _seeds(drive), []
    for number, seed in enumerate(seeds):
        one = drive.trials(number, number + 1)
        trials.append(kernel.run(one, seed, voltages=voltages))
        report((number + 1) / len(seeds))
    left = _Left(trials, (len(trials), drive.n_steps(network), network.size))
    kept = Kept(network, drive, Wanted(voltages=voltages))
    for number, trial in enumerate(trials):
        if kept.voltages_mv is not None:
            kept.voltages_mv[:, number] = trial.voltages_mv
    details = {"dtype": "float64", "parameters": parameters}
    return recording(network, drive, left, kept, backend="nest", **details)


def _seeds(drive: Drive) -> list[int]:
    """NEST's seed of each trial, positive, from the keys of its noise."""
    if isinstance(drive.noise, FrozenNoise):
        return [1] * drive.n_trials
    keys = drive.noise_keys().view(np.uint32).tolist()
    return [derived_seed(*key) + 1 for key in keys]


@dataclass(frozen=True)
class _Left:
    """What the trials of a run leave behind, gathered; `shape` is (B, K, N)."""

    trials: list[Trial]
    shape: tuple[int, int, int]
    margins_mv: Array | None = None

    def spikes(self) -> Spikes:
        """All events, sorted."""
        counts = [trial.step.size for trial in self.trials]
        return Spikes.gather(
            np.repeat(np.arange(len(counts)), counts),
            np.concatenate([trial.step for trial in self.trials]),
            np.concatenate([trial.neuron for trial in self.trials]),
            self.shape,
        )
