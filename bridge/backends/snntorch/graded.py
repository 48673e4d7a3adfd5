"""Values that populations hand on, from block to block, and sums of them in the one order."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from bridge.backends.snntorch.block_step import Neurons
from bridge.backends.snntorch.events import Events
from bridge.backends.snntorch.synapses import weight_columns
from bridge.backends.weighted_sums import WeightedSum
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection


class ValueRoute:
    """What arrives over a projection from a population that emits values: W x, `lag` steps later.

    On the presynaptic side x itself.
    """

    def __init__(
        self, network: SpikingNetwork, projection: Projection, drive: Drive, like: Tensor
    ) -> None:
        names = [population.name for population in network.populations]
        self.source, self.lag = names.index(projection.source), network.lag_steps(projection)
        self.like, self.trials = like, drive.n_trials
        presynaptic = projection.filter.side == "pre"
        self.weighted = None if presynaptic else ordered_sum(projection, like)
        width = projection.shape[1 if presynaptic else 0]
        self.before = like.new_zeros((drive.n_trials, width))
        self.due: dict[int, Tensor] = {}

    def take(self, first: int, _fired: Sequence[Events | None], neurons: Sequence[Neurons]) -> None:
        """Remember the values of the block that began at step `first`."""
        for j, values in enumerate(neurons[self.source].values):
            arrived = values.clone() if self.weighted is None else self.weighted(values)
            self.due[first + j + self.lag] = arrived

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        return [self.due.pop(step, self.before) for step in range(first, first + steps)]


def ordered_sum(projection: Projection, like: Tensor) -> Callable[[Tensor], Tensor]:
    """(B, n_post) W x of (B, n_pre) x: in float64 in the reference's order, bit for bit."""
    if like.dtype == torch.float32 and isinstance(projection.weights, np.ndarray):
        columns = like.new_tensor(weight_columns(projection))
        return lambda traces: traces @ columns
    summed = WeightedSum(projection)
    return lambda traces: like.new_tensor(summed(traces.cpu().numpy()))
