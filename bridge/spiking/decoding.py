"""Readouts from spikes: an output is a function of the spikes, not of the simulator."""

import numpy as np
from numpy.typing import NDArray

from bridge.blas_threads import threads_for
from bridge.spiking.filtered import Filtered, filtered
from bridge.spiking.network import Channel, SpikingNetwork
from bridge.spiking.recording import Spikes

Array = NDArray[np.float64]

# Trials whose filtered spikes a processor's cache holds: with more, each step waits for memory.
AT_ONCE = 128


def decode(
    network: SpikingNetwork, spikes: Spikes, recurrent_gain: Array | None = None
) -> dict[str, Array]:
    """All readouts of a network that are sums of filtered spikes, for given spikes.

    Args:
        network: The network whose readouts are wanted.
        spikes: Events of B trials of K steps, K a multiple of `network.sample_steps`.
        recurrent_gain: (B,) factor on the filtered sum of each trial; None: 1.

    Returns:
        For each readout that is decoded (T, B, O) outputs at the end of each sample.
    """
    gain = np.ones(spikes.n_trials) if recurrent_gain is None else recurrent_gain
    shape = (spikes.n_steps // network.sample_steps, spikes.n_trials)
    starts = range(0, spikes.n_trials, AT_ONCE)
    parts = [(start, spikes.between(start, min(start + AT_ONCE, shape[1]))) for start in starts]
    outputs = {}
    for readout in network.decoded:
        total = np.zeros((*shape, readout.size))
        for channel in readout.channels:
            trains = filtered(network, channel)
            for start, part in parts:
                _add_weighted(total[:, start : start + AT_ONCE], trains, channel, part)
        outputs[readout.name] = np.asarray(readout.bias) + gain[:, None] * total
    return outputs


def _add_weighted(total: Array, trains: Filtered, channel: Channel, spikes: Spikes) -> None:
    """Add what a channel weights of the spikes of B trials to (T, B, O) sums."""
    weights = channel.weights.T
    with threads_for(spikes.n_trials * weights.size):
        for sample, trace in enumerate(trains.traces(spikes)):
            total[sample] += trace @ weights
