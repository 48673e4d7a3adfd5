"""Spiking networks under conditions that they were not made for: noise, losses, coarser steps."""

from dataclasses import replace
from typing import Any

import numpy as np

import bridge


def noisier(network: bridge.SpikingNetwork, share: float) -> bridge.SpikingNetwork:
    """With normal noise more on each voltage, independent from step to step.

    Args:
        network: Of LIF neurons.
        share: S.d. that it alone would give a membrane which never fires, as a share of the
            distance from reset to threshold: so networks of other steps and units compare.
    """

    def changed(part: bridge.Population) -> bridge.Population:
        lif: Any = part.neurons
        # Noise of s.d. s a step gives v <- a v + s n the s.d. s / sqrt(1 - a^2).
        left = np.exp(-network.dt_ms / lif.tau_mem_ms)
        more = share * (lif.v_threshold_mv - lif.v_reset_mv) * np.sqrt(1 - left**2)
        return replace(part, noise_mv=np.hypot(part.noise_mv, more))

    return replace(network, populations=tuple(map(changed, network.populations)))


def with_losses(network: bridge.SpikingNetwork, share: float, seed: int) -> bridge.SpikingNetwork:
    """Where nothing comes any more from a share of the neurons, drawn at random."""
    drawn = np.random.default_rng(seed).permutation(network.size)
    return bridge.lesion(network, units=drawn[: round(share * network.size)], progress=False)


def coarser(network: bridge.SpikingNetwork, factor: float) -> bridge.SpikingNetwork:
    """In steps so many times as long: times stay as they are, and noise has the same variance."""

    def steps(count: int) -> int:
        return round(count / factor)

    def changed(part: bridge.Population) -> bridge.Population:
        lif: Any = part.neurons
        refractory = steps(lif.refractory_steps), steps(lif.initial_refractory_steps)
        neurons = replace(
            lif, refractory_steps=refractory[0], initial_refractory_steps=refractory[1]
        )
        return replace(part, neurons=neurons, noise_mv=part.noise_mv * np.sqrt(factor))

    return replace(
        network,
        dt_ms=network.dt_ms * factor,
        sample_steps=steps(network.sample_steps),
        sample_offset_steps=steps(network.sample_offset_steps),
        populations=tuple(map(changed, network.populations)),
    )
