"""Projections with the time constants of the presynaptic side, from block to block.

What each presynaptic neuron or input channel sends is filtered by itself, and the weights sum what
the filters hold. The block then takes the sum as it takes what arrives over a direct projection.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bridge.backends.constants import WeightedSum
from bridge.backends.events import Events, InputRoute, SpikeRoute
from bridge.backends.synapses import FilterState, Synapses, weight_columns
from bridge.spiking.network import Projection, SpikingNetwork


class TraceRoute:
    """What a projection drives its target with: W x, x the filtered spikes or input."""

    def __init__(
        self, arriving: SpikeRoute | InputRoute, network: SpikingNetwork, projection: Projection
    ) -> None:
        self.arriving = arriving
        like = arriving.like
        trials = like.new_zeros((arriving.trials, 0))
        self.filter = Synapses(network, projection, trials, inside=True)
        self.state = FilterState(self.filter)
        self.weighted = _weighted(projection, like)

    def take(self, first: int, fired: list[Events | None]) -> None:
        """Remember the spikes of the block that began at step `first`."""
        if isinstance(self.arriving, SpikeRoute):
            self.arriving.take(first, fired)

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        return [
            self.weighted(self.filter.filtered(arrived, self.state))
            for arrived in self.arriving.arrivals(first, steps)
        ]


def _weighted(projection: Projection, like: Tensor) -> Callable[[Tensor], Tensor]:
    """(B, n_post) W x of (B, n_pre) x: in float64 in the reference's order, bit for bit."""
    if like.dtype == torch.float32 and isinstance(projection.weights, np.ndarray):
        columns = like.new_tensor(weight_columns(projection))
        return lambda traces: traces @ columns
    summed = WeightedSum(projection)
    return lambda traces: like.new_tensor(summed(traces.cpu().numpy()))
