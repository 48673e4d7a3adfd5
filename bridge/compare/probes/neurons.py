"""Probes of neurons alone: refractory period, f-I curve, noise."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.probes.findings import RELATIVE, Finding, units_of, worst
from bridge.compare.probes.membranes import Membrane, membrane
from bridge.compare.probes.silent_networks import silent, what_is_left
from bridge.compare.sides import Side
from bridge.spiking.drive import Drive, OwnNoise, SharedNoise, derived_seed
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import NormalVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]

_SPIKES = 5
# Currents of the f-I curve: how far beyond threshold, in distances of threshold from reset.
_BEYOND = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_LONGEST_STEPS = 40_000
# Of the variances of some hundred normal numbers, which are skewed, one in 4,000 is as far off.
_STANDARD_ERRORS = 4.0
# Trials are run side by side, and samples of a trial one after the other.
_NOISE_TRIALS, _NOISE_SAMPLES = 32, 3


def probe_refractory(
    network: SpikingNetwork, side: Side, _rng: np.random.Generator
) -> list[Finding]:
    """Neurons that are driven to fire in every step that they may: the interval is the period."""
    longest = max(part.neurons.refractory_steps for part in network.populations)
    first = max(part.neurons.initial_refractory_steps for part in network.populations)
    # In one step from reset to ten times beyond threshold, unless the model's current saturates.
    strong = [10 * _needed(each, network.dt_ms) for each in network.populations]
    waits = np.concatenate(
        [
            steps_to_threshold(membrane(part, network.dt_ms), current)
            for part, current in zip(network.populations, strong, strict=True)
        ]
    )
    told = np.flatnonzero(np.isfinite(waits))
    longest_wait = int(waits[told].max(initial=1.0))
    steps = first + _SPIKES * (longest + longest_wait) + 2
    recording, _ = _run_alone(network, side, [strong], steps)
    units, waits = units_of(network, told), waits[told]
    held, begun = (
        np.concatenate(
            [np.full(p.size, float(getattr(p.neurons, name))) for p in network.populations]
        )
        for name in ("refractory_steps", "initial_refractory_steps")
    )
    # What a reset leaves may save one of several steps to threshold.
    scale = np.where(waits > 1, 2.0, 1.0)
    findings = worst(
        "shortest interval between spikes (refractory period + 1)", units, held[told] + waits,
        _intervals(recording)[0][told], tolerance=0.5, measure="steps", scale=scale,
    )  # fmt: skip
    return findings + worst(
        "step of the first spike (refractory period at the start)", units, begun[told] + waits - 1,
        _first_steps(recording)[told], tolerance=0.5, measure="steps", scale=scale,
    )  # fmt: skip


def probe_currents(network: SpikingNetwork, side: Side, _rng: np.random.Generator) -> list[Finding]:
    """The f-I curve: intervals under constant currents, by the membrane's own recursion."""
    levels = [
        [_beyond(part, network.dt_ms, level) for part in network.populations] for level in _BEYOND
    ]
    waits = np.stack(
        [
            np.concatenate(
                [
                    steps_to_threshold(membrane(part, network.dt_ms), current)
                    for part, current in zip(network.populations, currents, strict=True)
                ]
            )
            for currents in levels
        ]
    )
    refractory = np.concatenate(
        [np.full(part.size, part.neurons.refractory_steps) for part in network.populations]
    )
    expected = waits + refractory
    first = max(part.neurons.initial_refractory_steps for part in network.populations)
    reachable = np.where(np.isfinite(expected), expected, 0.0)
    # Until a neuron has fired twice, though its intervals were as long as they are let pass.
    steps = int(min(_LONGEST_STEPS, first + 2.0 * (1 + RELATIVE) * reachable.max() + 4))
    recording, _ = _run_alone(network, side, levels, steps)
    found = _intervals(recording)
    told = np.isfinite(expected) & (first + 2 * expected + 1 < steps)
    level, neuron = np.nonzero(told)
    units = units_of(network, neuron)
    places = [f"{unit}, current {_BEYOND[row]:g}" for unit, row in zip(units, level, strict=True)]
    # An interval is a whole number of steps: a voltage that is a rounding away may take one more.
    return worst(
        "f-I curve: interval under a constant current",
        [f"{place} times its distance from reset beyond threshold" for place in places],
        expected[told],
        found[told],
        tolerance=1.0,
        measure="steps, or 0.1 %",
        scale=np.maximum(1.0, RELATIVE * expected[told]),
    )


def steps_to_threshold(neurons: Membrane, current: Array) -> Array:
    """(n,) steps from reset until they fire under a constant current, bias included.

    Leaky membranes: v = I + (reset - I) q^m, so m is the first whole number from
    log((I - threshold) / (I - reset)) / log(q) on. Others have no closed form, and their steps are
    taken one by one. Infinite where threshold is not reached.
    """
    v, threshold, left = neurons.reset, neurons.threshold, neurons.left
    if left is not None:
        reached = current > threshold
        above = np.where(reached, current - threshold, 1.0)
        logs = np.log(above / np.where(reached, current - v, 1.0))
        return np.where(reached, np.maximum(1.0, np.ceil(logs / np.log(left) - 1e-9)), np.inf)
    waits, state = np.full(v.shape, np.inf), neurons.state
    for step in range(1, _LONGEST_STEPS):
        state = neurons.stepped(state, current)
        waits = np.where(neurons.fired(state) & np.isinf(waits), step, waits)
        if np.isfinite(waits).all():
            break
    return waits


def _needed(part: Population, dt_ms: float) -> Array:
    """(n,) current, bias included, that lifts a voltage from reset to threshold in one step."""
    neurons = membrane(part, dt_ms)
    lift = (neurons.threshold - neurons.reset) / neurons.gain()
    return np.asarray(lift + np.abs(neurons.reset))


def _beyond(part: Population, dt_ms: float, level: float) -> Array:
    """(n,) current, bias included, beyond threshold by a share of its distance from reset."""
    neurons = membrane(part, dt_ms)
    distance = neurons.threshold - neurons.reset
    if neurons.left is None:
        # Any positive current makes it fire; one of level 1 does in some 50 steps.
        return np.asarray(level * distance / (50 * neurons.gain()))
    return np.asarray(neurons.threshold + level * distance)


def _run_alone(
    network: SpikingNetwork, side: Side, levels: list[list[Array]], steps: int
) -> tuple[Recording, SpikingNetwork]:
    """Neurons without synapses and noise under constant currents, a trial for each level."""
    bias = np.concatenate([membrane(p, network.dt_ms).bias for p in network.populations])
    currents = np.stack([np.concatenate(level) for level in levels]) - bias
    populations = tuple(replace(part, noise_mv=0.0) for part in network.populations)
    # Each neuron has a channel of its own, or the levels could not differ between trials.
    channels = len(levels)
    alone = replace(
        network,
        populations=populations,
        projections=tuple(
            Projection(
                name=f"to_{part.name}",
                source=INPUT,
                target=part.name,
                weights=currents[:, network.span(part.name)].T,
                filter=Direct(),
            )
            for part in populations
        ),
        readouts=(),
        inputs=(),
        input_size=channels,
        sample_steps=steps,
        sample_offset_steps=0,
        task="",
    )
    start = np.concatenate([membrane(part, network.dt_ms).reset for part in populations])
    drive = Drive(
        inputs=np.eye(channels)[None],
        noise=SharedNoise(seed=0),
        v_initial_mv=np.tile(start, (channels, 1)),
    )
    return side.run_probe(alone, drive), alone


def _first_steps(recording: Recording) -> Array:
    """(N,) step of the first spike of each neuron in the first trial; NaN where it has none."""
    spikes = recording.spikes
    first = np.full(spikes.n_neurons, np.inf)
    mine = spikes.trial == 0
    np.minimum.at(first, spikes.neuron[mine], spikes.step[mine])
    return np.where(np.isfinite(first), first, np.nan)


def _intervals(recording: Recording) -> Array:
    """(B, N) interval between the last two spikes of each neuron, steps; NaN with fewer."""
    spikes = recording.spikes
    found = np.full((spikes.n_trials, spikes.n_neurons), np.nan)
    cell = spikes.trial.astype(np.int64) * spikes.n_neurons + spikes.neuron
    order = np.lexsort((spikes.step, cell))
    cell, step = cell[order], np.asarray(spikes.step)[order]
    same = cell[1:] == cell[:-1]
    found.reshape(-1)[cell[1:][same]] = np.diff(step)[same]
    return found


def probe_noise(network: SpikingNetwork, side: Side, rng: np.random.Generator) -> list[Finding]:
    """The voltage without threshold: s.d. sigma / sqrt(1 - q^2), and neurons independent."""
    sd = network.noise_mv()
    noisy = np.flatnonzero(sd > 0)
    if not noisy.size:
        return []
    populations = tuple(
        replace(quiet, noise_mv=part.noise_mv, initial_voltage=NormalVoltage(mean_mv=0, sd_mv=0))
        for quiet, part in zip(silent(network), network.populations, strict=True)
    )
    left = what_is_left(populations, network.dt_ms)
    # Long enough that two samples have next to nothing in common: q^steps = e^-4.
    steps = int(np.ceil(np.max(-4.0 / np.log(left[noisy]))))
    probe = replace(
        network,
        populations=populations,
        projections=(),
        readouts=(),
        inputs=(),
        input_size=0,
        sample_steps=steps,
        sample_offset_steps=0,
        task="",
    )
    drive = Drive(
        inputs=np.zeros((_NOISE_SAMPLES + 1, _NOISE_TRIALS, 0)),
        noise=OwnNoise(seed=derived_seed(int(rng.integers(2**31)))),
        v_initial_mv=np.zeros((_NOISE_TRIALS, network.size)),
    )
    voltages = np.asarray(side.run_probe(probe, drive, voltages=True).voltages_mv)
    stationary = sd[noisy] / np.sqrt(1 - left[noisy] ** 2)
    # Normal with s.d. 1 by the formula; the first sample is left out, it knows its start.
    z = voltages[1:, :, noisy] / stationary
    return _noise_findings(network, noisy, z)


def _noise_findings(network: SpikingNetwork, noisy: NDArray[np.int64], z: Array) -> list[Finding]:
    samples = z.shape[0] * z.shape[1]
    everyone = f"all {noisy.size} neurons with noise"

    def variance(name: str, found: float, count: int) -> list[Finding]:
        # The variance of n standard normal numbers is 1 +- sqrt(2 / n).
        error = np.sqrt(2.0 / count)
        return worst(
            name, [everyone], np.ones(1), np.array([found]),
            tolerance=_STANDARD_ERRORS, measure="standard errors", scale=error,
        )  # fmt: skip

    findings = variance("variance of the voltage, relative", float((z**2).mean()), z.size)
    if noisy.size > 1:
        together = z.mean(axis=2) * np.sqrt(noisy.size)
        findings += variance(
            "variance of the mean of all voltages (noise of neurons is independent)",
            float((together**2).mean()),
            samples,
        )
    each = (z**2).mean(axis=(0, 1))
    findings += worst(
        "variance of the voltage of each neuron, relative",
        units_of(network, noisy),
        np.ones(noisy.size),
        each,
        # The largest of many: each is a chi square of few samples, skewed to the large side.
        tolerance=_STANDARD_ERRORS + 2.5,
        measure="standard errors",
        scale=np.sqrt(2.0 / samples),
    )
    return findings
