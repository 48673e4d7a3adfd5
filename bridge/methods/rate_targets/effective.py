"""The effective recurrent weights of a fitted network, before and after learning.

A spike train of rate r, in Hz, gives a channel the mean current W g r. For a filter that jumps by
g0 and keeps the share a of itself in a step, g = g0 dt / (1 - a), which is nearly the time constant
in s. The effective weights are the sum of W g over the channels, in mV for each Hz. Their
eigenvalues show what learning added to the random connections and the inhibition.
"""

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.rate_targets.checkpoint import FitCheckpoint
from bridge.methods.rate_targets.description import OUTPUT, POPULATION
from bridge.methods.rate_targets.result import TargetFit
from bridge.spiking.filters import Filter
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.weights import Factored, Weights

Array = NDArray[np.float64]

# The eigenvalues of larger matrices take minutes.
MOST_NEURONS = 2000


def effective_weights(network: SpikingNetwork) -> Array:
    """(N, N) mean current for each Hz, post and pre, mV / Hz."""
    total: Array = np.zeros((network.size, network.size))
    for part in network.projections:
        if part.source == POPULATION:
            total += mean_gain(part.filter, network.dt_ms) * _dense(part.weights)
    return total


def eigenvalues(fit: TargetFit) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """(N,) eigenvalues of the effective weights before learning, and (N,) after it, mV / Hz.

    Raises:
        SpecError: the fit has no checkpoint, or more than 2,000 neurons.
    """
    if fit.network.size > MOST_NEURONS:
        raise SpecError(
            f"eigenvalues: of at most {MOST_NEURONS} neurons, this fit has {fit.network.size}"
        )
    if fit.checkpoint is None:
        raise SpecError("eigenvalues: this fit holds no checkpoint, from which they are known")
    after = effective_weights(fit.network)
    before = after - _learned(fit.network, fit.checkpoint)
    # Two halves of one sum, rounded: what is left of them is nothing that was there.
    before[np.abs(before) < 1e-12 * np.abs(after).max()] = 0.0
    return np.linalg.eigvals(before).astype(complex), np.linalg.eigvals(after).astype(complex)


def mean_gain(filter_: Filter, dt_ms: float) -> Array:
    """(N, 1) or (1, 1) mean state for each Hz of spikes of weight 1, s."""
    found = filter_.constants(dt_ms)
    gain: Array = found["gain"] * dt_ms / 1000.0 / (1.0 - found["decay"])
    return gain.reshape(-1, 1)


def factors_of(network: SpikingNetwork, kept: FitCheckpoint) -> list[tuple[Channel, Array]]:
    """The channels of a fitted network's output, each with the (M, N) D of its connections."""
    channels = [
        channel
        for readout in network.readouts
        if readout.name == OUTPUT and isinstance(readout, Readout)
        for channel in readout.channels
    ]
    components, found = kept.onto_mv.shape[1], []
    halves = np.split(kept.weights, len(channels), axis=1)
    for channel, half in zip(channels, halves, strict=True):
        there, mine = _columns(channel, half, components)
        factor: Array = np.zeros((components, network.size))
        factor[:, there] = half[:components, mine]
        found.append((channel, factor))
    return found


def _learned(network: SpikingNetwork, kept: FitCheckpoint) -> Array:
    """(N, N) what learning gave the effective weights: B D of both channels."""
    learned: Array = np.zeros((network.size, network.size))
    for channel, factor in factors_of(network, kept):
        learned += mean_gain(channel.filter, network.dt_ms) * (kept.onto_mv @ factor)
    return learned


def _columns(
    channel: Channel, half: Array, components: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The neurons from which something was learned, among all and among those that are trained.

    Both know w: a neuron that never fired in learning has no weight in either.
    """
    there = np.flatnonzero(_dense(channel.weights).any(axis=0))
    return there, np.flatnonzero(half[components:].any(axis=0))


def _dense(weights: Weights) -> Array:
    """(post, pre) weights as one array."""
    if isinstance(weights, Factored):
        return _dense(weights.left) @ _dense(weights.right)
    return weights if isinstance(weights, np.ndarray) else np.asarray(weights.toarray())
