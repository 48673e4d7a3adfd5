"""The synapse probe: one neuron fires once, and a formula gives every current that follows.

The current is the weight times the filter's response to a spike of weight 1, for which each filter
has its formula.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.probes.currents import compared, formula, kernels_of
from bridge.compare.probes.findings import RELATIVE, Finding, units_of, worst
from bridge.compare.probes.silent_networks import FIRES_MV, at_rest, silent
from bridge.compare.sides import Side
from bridge.spiking.decoding import decode
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]

# How many presynaptic neurons are probed, one in each trial, and how much memory a part takes.
MOST_SOURCES, _PART_BYTES = 400, 100_000_000
_LONGEST_MS = 60.0


def probe_synapses(network: SpikingNetwork, side: Side, rng: np.random.Generator) -> list[Finding]:
    """Onset, peak and area of the current of every synapse, and the readout of a single spike.

    Of more than `MOST_SOURCES` neurons as many are drawn, and all synapses of these are probed.
    """
    between = [at_rest(part) for part in network.projections if not network.is_input(part.source)]
    if not between and not network.decoded:
        return []
    sources: NDArray[np.int64] = np.arange(network.size)
    if network.size > MOST_SOURCES:
        sources = np.sort(rng.choice(network.size, MOST_SOURCES, replace=False))
    probe = _probe_network(network, between)
    steps = steps_of(network, between)
    rows = max(1, int(_PART_BYTES / (8 * steps * network.size)))
    parts = [sources[start : start + rows] for start in range(0, sources.size, rows)]
    measured = [_measure(probe, side, part, steps) for part in parts]
    table = {name: np.concatenate([part[name] for part in measured]) for name in measured[0]}
    findings = _lone_spikes(network, sources, table)
    findings += synapse_findings(network, units_of(network, sources), table)
    return findings + _readouts(network, sources, table)


def _probe_network(network: SpikingNetwork, between: list[Projection]) -> SpikingNetwork:
    return replace(
        network,
        populations=silent(network),
        projections=tuple(between),
        readouts=network.decoded,
        inputs=(),
        input_size=0,
        sample_steps=1,
        sample_offset_steps=0,
        task="",
    )


def steps_of(network: SpikingNetwork, projections: list[Projection]) -> int:
    """How long the currents are looked at: until all have passed their peak for long."""
    longest = 1.0
    for part in projections:
        shape_ms = max(5.0 * network.dt_ms, part.filter.shape_ms())
        delay_ms = part.longest_delay_steps * network.dt_ms
        longest = max(longest, delay_ms + min(_LONGEST_MS, shape_ms))
    return int(np.ceil(longest / network.dt_ms)) + 4


def _measure(
    probe: SpikingNetwork, side: Side, sources: NDArray[np.int64], steps: int
) -> dict[str, Array]:
    """Run a trial for each source, and reduce it to what is compared; arrays are (sources, ...)."""
    trials = sources.size
    start = np.zeros((trials, probe.size))
    start[np.arange(trials), sources] = FIRES_MV
    drive = Drive(
        inputs=np.zeros((steps, trials, 0)), noise=SharedNoise(seed=0), v_initial_mv=start
    )
    recording = side.run_probe(probe, drive, voltages=True)
    v = np.asarray(recording.voltages_mv)
    kernels = kernels_of(probe, steps)

    def expected(trial: int) -> Array:
        return _expected(probe, int(sources[trial]), kernels, steps)

    return {
        "misplaced": _misplaced(recording, sources),
        "readout": _output_difference(probe, recording),
        "readout_size": _output_size(probe, sources, steps),
        # In its first step the neuron that fires is reset, which shows no current; later ones do.
        **compared(probe, start, v, expected, sources),
    }


def _expected(
    network: SpikingNetwork, source: int, kernels: Mapping[str, Array], steps: int
) -> Array:
    """(K, N) currents after a spike of neuron `source` in step 0, by the formula."""
    total = np.zeros((steps, network.size))
    for part in network.projections:
        span, target = network.span(part.source), network.span(part.target)
        if span.start <= source < span.stop:
            total[:, target] += formula(part, source - span.start, kernels[part.name])
    return total


def _misplaced(recording: Recording, sources: NDArray[np.int64]) -> Array:
    """(B,) spikes that are not the one of the source in step 0."""
    spikes = recording.spikes
    right = (spikes.step == 0) & (spikes.neuron == sources[spikes.trial])
    wrong = np.bincount(spikes.trial[~right], minlength=sources.size)
    missing = 1 - np.bincount(spikes.trial[right], minlength=sources.size)
    return (wrong + missing).astype(float)


def _lone(sources: NDArray[np.int64], steps: int, size: int) -> Spikes:
    trial = np.arange(sources.size)
    return Spikes.gather(trial, np.zeros_like(trial), sources, (sources.size, steps, size))


def _output_difference(probe: SpikingNetwork, recording: Recording) -> Array:
    """(B,) largest difference of any readout from what its filter makes of the same spikes."""
    truth = decode(probe, recording.spikes)
    apart = [np.abs(recording.readouts[name] - truth[name]).max(axis=(0, 2)) for name in truth]
    return np.max(apart, axis=0) if apart else np.zeros(recording.spikes.n_trials)


def _output_size(probe: SpikingNetwork, sources: NDArray[np.int64], steps: int) -> Array:
    truth = decode(probe, _lone(sources, steps, probe.size))
    moved = [
        np.abs(truth[readout.name] - np.asarray(readout.bias)).max(axis=(0, 2))
        for readout in probe.decoded
    ]
    return np.max(moved, axis=0) if moved else np.zeros(sources.size)


def _lone_spikes(
    network: SpikingNetwork, sources: NDArray[np.int64], table: dict[str, Array]
) -> list[Finding]:
    return worst(
        "one spike, of the neuron that was moved beyond threshold, in the first step",
        units_of(network, sources),
        np.zeros(sources.size),
        table["misplaced"],
        tolerance=0.0,
        measure="spikes",
        scale=1.0,
    )


def synapse_findings(
    network: SpikingNetwork, sources: list[str], table: dict[str, Array], of_what: str = ""
) -> list[Finding]:
    """Onset, peak and area over all pairs of neurons; currents where there should be none.

    Args:
        network: What is probed.
        sources: Names of what fired, a trial each.
        table: What `compared` gives.
        of_what: What they are, in words that follow the quantity.
    """
    row, target = np.nonzero(table["size"] > 0)
    targets = units_of(network, target)
    pairs = [f"{sources[pre]} to {post}" for pre, post in zip(row, targets, strict=True)]

    def of(name: str) -> Array:
        return table[name][row, target]

    findings = worst(
        f"postsynaptic current{of_what}: onset", pairs, of("expected_onset"), of("onset"),
        tolerance=0.5, measure="steps", scale=1.0,
    )  # fmt: skip
    for what, unit in (("peak", "size"), ("area", "weight")):
        findings += worst(
            f"postsynaptic current{of_what}: {what}", pairs, of(f"expected_{what}"), of(what),
            tolerance=RELATIVE, measure="relative", scale=of(unit),
        )  # fmt: skip
    empty, other = np.nonzero(table["size"] == 0)
    others = [
        f"{sources[pre]} to {post}"
        for pre, post in zip(empty, units_of(network, other), strict=True)
    ]
    scale = float(table["size"].max()) if table["size"].size else 0.0
    return findings + worst(
        f"no current where there is no synapse{of_what}", others, np.zeros(empty.size),
        table["peak"][empty, other], tolerance=1e-6, measure="of the largest", scale=scale or 1.0,
    )  # fmt: skip


def _readouts(
    network: SpikingNetwork, sources: NDArray[np.int64], table: dict[str, Array]
) -> list[Finding]:
    if not network.decoded:
        return []
    return worst(
        "readout of a single spike",
        units_of(network, sources),
        np.zeros(sources.size),
        table["readout"],
        tolerance=RELATIVE,
        measure="relative",
        scale=table["readout_size"],
    )
