"""Projections with the time constants of the presynaptic side, from block to block.

What each presynaptic neuron or input channel sends is filtered by itself, and the weights sum what
the filters hold. The block then takes the sum as it takes what arrives over a direct projection.
"""

from collections.abc import Sequence

from torch import Tensor

from bridge.backends.snntorch.block_step import Neurons
from bridge.backends.snntorch.events import Events, InputRoute, SpikeRoute, TrainRoute
from bridge.backends.snntorch.graded import ValueRoute
from bridge.backends.snntorch.sums import ordered_sum
from bridge.backends.snntorch.synapses import Synapses
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection


class TraceRoute:
    """What a projection drives its target with: W x, x the filtered spikes or input."""

    def __init__(
        self,
        arriving: SpikeRoute | ValueRoute | InputRoute | TrainRoute,
        network: SpikingNetwork,
        projection: Projection,
    ) -> None:
        self.arriving = arriving
        like = arriving.like
        trials = like.new_zeros((arriving.trials, 0))
        self.filter = Synapses(network, projection, trials, inside=True)
        self.states = self.filter.states()
        self.weighted = ordered_sum(projection.weights, like)

    @property
    def source(self) -> int:
        """Number of the population that sends, -1: an input."""
        return self.filter.source

    def take(self, first: int, fired: Sequence[Events | None], neurons: Sequence[Neurons]) -> None:
        """Remember what was emitted in the block that began at step `first`."""
        if not isinstance(self.arriving, InputRoute | TrainRoute):
            self.arriving.take(first, fired, neurons)

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        return [
            self.weighted(self.filter.filtered(arrived, self.states, step))
            for step, arrived in enumerate(self.arriving.arrivals(first, steps), start=first)
        ]
