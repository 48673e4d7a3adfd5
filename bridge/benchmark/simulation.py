"""Measuring a simulation, in the process of its own that it has."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bridge.backends
from bridge.benchmark.case import Case
from bridge.benchmark.clock import timed
from bridge.benchmark.compilers import compiled_files
from bridge.benchmark.networks import drive_for, one_to_one_network, sparse_network
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

Measured = dict[str, Any]


def measure(case: Case, started: float) -> Measured:
    """Time a simulation, after a short one.

    Args:
        case: What to run.
        started: When this process was started, s since the epoch.

    Returns:
        Fields for `bridge.benchmark.table.row_from`; only `first_run_s` if the short run had to
        compile something: then the process is no longer a fresh one.
    """
    network = sparse_network(case.n) if case.part == "large" else one_to_one_network(case.n)
    drive = drive_for(network, case.batch, case.simulated_s)
    simulate = _simulator(case, network)
    before = compiled_files()
    simulate(_short(case, drive))
    since_start = time.time() - started
    if compiled_files() - before:
        return {"first_run_s": since_start}
    runs = [timed(lambda: simulate(drive)) for _ in range(case.repeats)]
    recording = runs[-1].result
    rate_hz = recording.spikes.count / case.batch / case.n / case.simulated_s
    return {
        "start_s": since_start,
        "wall_s": [run.wall_s for run in runs],
        "cpu_s": [run.cpu_s for run in runs],
        "trial_s": case.batch * case.simulated_s,
        "synapses": network.projections[0].synapses().nnz,
        "rate_hz": rate_hz,
        "note": "spikes spread by matrix products" if recording.provenance.get("dense") else "",
    }


def _simulator(case: Case, network: SpikingNetwork) -> Callable[[Drive], Recording]:
    options: dict[str, Any] = {}
    if case.backend == "brian2":
        options = {"target": case.target}
    if case.backend == "compiled":
        options = {"dtype": case.dtype, "device": case.device}
    if case.target == "standalone" or (case.backend == "compiled" and case.device == "cpu"):
        options["workers"] = case.processes
    if case.backend == "snntorch":
        compiled = case.mode == "compiled"
        options = {"dtype": case.dtype, "device": case.device, "compiled": compiled}
        options["workers"] = case.processes
    return lambda drive: bridge.backends.simulate(network, drive, backend=case.backend, **options)


def _short(case: Case, drive: Drive) -> Drive:
    """The least that needs everything compiled that `drive` needs."""
    if case.target == "standalone":
        return drive.trials(0, 1)
    return replace(drive, inputs=drive.inputs[:1])
