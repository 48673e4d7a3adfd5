"""The probe of spikes that are given: a unit of an input fires once, and every current is known.

It is that of `bridge.compare.probes.synapses` for inputs that emit spikes.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.probes.currents import compared, formula, kernels_of
from bridge.compare.probes.findings import Finding
from bridge.compare.probes.silent_networks import silent
from bridge.compare.probes.synapses import MOST_SOURCES, steps_of, synapse_findings
from bridge.compare.sides import Side
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.spikes import Spikes

Array = NDArray[np.float64]
Unit = tuple[str, int]

# The step in which they fire: before it there is one in which nothing may act.
_FIRED_AT = 1
_PART_BYTES = 100_000_000


def probe_input_spikes(
    network: SpikingNetwork, side: Side, rng: np.random.Generator
) -> list[Finding]:
    """Onset, peak and area of the current over every synapse from a spiking input.

    Of more than `MOST_SOURCES` units as many are drawn.
    """
    spiking = network.spiking_inputs()
    if not spiking:
        return []
    units = [(part.name, unit) for part in spiking for unit in range(part.size)]
    if len(units) > MOST_SOURCES:
        chosen = np.sort(rng.choice(len(units), MOST_SOURCES, replace=False))
        units = [units[place] for place in chosen]
    names = {part.name for part in spiking}
    parts = [part for part in network.projections if part.source in names]
    probe = replace(
        network, populations=silent(network), projections=tuple(parts), readouts=(), inputs=spiking,
        input_size=0, sample_steps=1, sample_offset_steps=0, task="",
    )  # fmt: skip
    steps = steps_of(network, parts) + _FIRED_AT
    rows = max(1, int(_PART_BYTES / (8 * steps * network.size)))
    measured = [
        _measure(probe, side, units[start : start + rows], steps)
        for start in range(0, len(units), rows)
    ]
    table = {name: np.concatenate([part[name] for part in measured]) for name in measured[0]}
    called = [f"{name}[{unit}]" for name, unit in units]
    return synapse_findings(network, called, table, " of an input's spike")


def _measure(probe: SpikingNetwork, side: Side, units: list[Unit], steps: int) -> dict[str, Array]:
    """Run a trial for each unit, and reduce it to what is compared; arrays are (units, N)."""
    start = np.zeros((len(units), probe.size))
    drive = Drive(
        inputs=np.zeros((steps, len(units), 0)),
        noise=SharedNoise(seed=0),
        v_initial_mv=start,
        spikes={part.name: _fired(units, part.name, part.size, steps) for part in probe.inputs},
    )
    v = np.asarray(side.run_probe(probe, drive, voltages=True).voltages_mv)
    kernels = kernels_of(probe, steps - _FIRED_AT)
    return compared(probe, start, v, lambda trial: _expected(probe, units[trial], kernels, steps))


def _fired(units: list[Unit], name: str, size: int, steps: int) -> Spikes:
    """The one spike of each trial that is this input's."""
    mine = [(trial, unit) for trial, (source, unit) in enumerate(units) if source == name]
    trial, unit = np.array(mine, dtype=np.int64).reshape(-1, 2).T
    return Spikes.gather(trial, np.full_like(trial, _FIRED_AT), unit, (len(units), steps, size))


def _expected(probe: SpikingNetwork, unit: Unit, kernels: Mapping[str, Array], steps: int) -> Array:
    """(K, N) currents of a unit's spike, by the formula."""
    total = np.zeros((steps, probe.size))
    for part in probe.projections:
        if part.source == unit[0]:
            span = probe.span(part.target)
            total[_FIRED_AT:, span] += formula(part, unit[1], kernels[part.name])
    return total
