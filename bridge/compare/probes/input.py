"""The input probe: each channel is switched on, to +1 and to -1, and every neuron follows.

Voltages are seen once a sample, since it is the timing of samples that is probed. The response to
a current that is switched on is known in every step, so an input that acts a step early or late
shows in the size of what is seen.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.backends.reference.synapses import filtered_input
from bridge.compare.probes.findings import RELATIVE, Finding, units_of, worst
from bridge.compare.probes.silent_networks import at_rest, silent, what_is_left
from bridge.compare.sides import Side
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import INPUT

Array = NDArray[np.float64]

_BEFORE, _AFTER, _LEAST_STEPS = 2, 4, 40
_SHIFTS = (-2, -1, 0, 1, 2)


def probe_input(network: SpikingNetwork, side: Side, _rng: np.random.Generator) -> list[Finding]:
    """Size and onset of what each input channel does to each neuron that it reaches."""
    parts = [at_rest(part) for part in network.projections if network.is_analog(part.source)]
    if not parts:
        return []
    probe = replace(
        network, populations=silent(network), projections=tuple(parts), readouts=(), task="",
        inputs=tuple(part for part in network.inputs if not part.spiking),
    )  # fmt: skip
    # The first samples may act before the first step.
    before = _BEFORE + -(-network.sample_offset_steps // network.sample_steps)
    samples = before + max(_AFTER, -(-_LEAST_STEPS // network.sample_steps))
    each = np.eye(network.input_size)
    switched = np.concatenate([each, -each])
    inputs = np.zeros((samples, *switched.shape))
    inputs[before:] = switched
    drive = Drive(
        inputs=inputs,
        noise=SharedNoise(seed=0),
        v_initial_mv=np.zeros((len(switched), network.size)),
    )
    voltages = np.asarray(side.run_probe(probe, drive, voltages=True).voltages_mv)
    currents = _currents(probe, drive)
    shifted = [_sampled(probe, _moved(currents, shift)) for shift in _SHIFTS]
    return _findings(network, voltages, shifted)


def _currents(probe: SpikingNetwork, drive: Drive) -> Array:
    """(K, B, N) current of the input in every step, by the description."""
    steps, samples = drive.n_steps(probe), len(drive.inputs)
    total = np.zeros((steps, drive.n_trials, probe.size))
    for part in probe.projections:
        span = probe.span(part.target)
        if part.filter.memoryless and not part.longest_delay_steps:
            held = [probe.input_sample(step, samples) for step in range(steps)]
            driven = drive.inputs[:, :, probe.channels(part.source)]
            for factor in part.factors:
                driven = driven @ factor.toarray().T
            total[:, :, span] += driven[held]
        else:
            total[:, :, span] += filtered_input(probe, part, drive)
    return total


def _moved(currents: Array, shift: int) -> Array:
    """The same currents some steps later, or earlier."""
    index = np.clip(np.arange(len(currents)) - shift, 0, len(currents) - 1)
    return np.asarray(currents[index])


def _sampled(probe: SpikingNetwork, currents: Array) -> Array:
    """(T, B, N) distance from rest at the end of each sample of membranes under these currents."""
    left = what_is_left(probe.populations, probe.dt_ms)
    v, seen = np.zeros(currents.shape[1:]), []
    for step, current in enumerate(currents, start=1):
        v = v * left + current * (1 - left)
        if step % probe.sample_steps == 0:
            seen.append(v)
    return np.stack(seen)


def _findings(network: SpikingNetwork, found: Array, shifted: list[Array]) -> list[Finding]:
    """Of each trial and neuron the shift that fits best, and the size at that shift."""
    right = shifted[_SHIFTS.index(0)]
    size = (right**2).sum(axis=0)
    channel, neuron = np.nonzero(size > 0)
    scales, misfits = [], []
    for values in shifted:
        power = (values**2).sum(axis=0)
        scale = np.divide(
            (found * values).sum(axis=0), power, out=np.zeros_like(power), where=power > 0
        )
        scales.append(scale)
        misfits.append(((found - scale * values) ** 2).sum(axis=0))
    best = np.argmin(np.stack(misfits), axis=0)
    places = _places(network, channel, neuron)
    at_best = np.take_along_axis(np.stack(scales), best[None], axis=0)[0]
    findings = worst(
        "input: onset", places, np.zeros(channel.size),
        np.asarray(_SHIFTS, dtype=np.float64)[best][channel, neuron],
        tolerance=0.5, measure="steps", scale=1.0,
    )  # fmt: skip
    findings += worst(
        "input: size of the current, relative", places, np.ones(channel.size),
        at_best[channel, neuron], tolerance=RELATIVE, measure="relative",
    )  # fmt: skip
    empty, other = np.nonzero(size == 0)
    nowhere = _places(network, empty, other)
    largest = float(np.abs(right).max()) or 1.0
    return findings + worst(
        "input: none where there is no weight", nowhere, np.zeros(empty.size),
        np.abs(found).max(axis=0)[empty, other],
        tolerance=1e-6, measure="of the largest", scale=largest,
    )  # fmt: skip


def _places(
    network: SpikingNetwork, trial: NDArray[np.int64], neuron: NDArray[np.int64]
) -> list[str]:
    """What is held against the formula, in words: trials of +1 come first."""
    called = _channel_names(network)
    channels = [
        f"{called[row % network.input_size]} at {'+1' if row < network.input_size else '-1'}"
        for row in trial
    ]
    return [
        f"{one} to {unit}" for one, unit in zip(channels, units_of(network, neuron), strict=True)
    ]


def _channel_names(network: SpikingNetwork) -> list[str]:
    return [
        f"channel {place}" if part.name == INPUT else f"{part.name}[{place}]"
        for part in network.inputs
        if not part.spiking
        for place in range(part.size)
    ]
