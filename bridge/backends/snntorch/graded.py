"""Values that populations pass on, from block to block, and sums of them in the one order."""

from collections.abc import Sequence

from torch import Tensor

from bridge.backends.snntorch.block_step import Neurons
from bridge.backends.snntorch.events import Events, delay_line
from bridge.backends.snntorch.sums import ordered_sum
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
        self.weighted = None if presynaptic else ordered_sum(projection.weights, like)
        width = projection.shape[1 if presynaptic else 0]
        self.before = like.new_zeros((drive.n_trials, width))
        self.due: dict[int, Tensor] = {}
        self.way = delay_line(projection, drive.n_steps(network))

    def take(self, first: int, _fired: Sequence[Events | None], neurons: Sequence[Neurons]) -> None:
        """Remember the values of the block that began at step `first`."""
        for j, values in enumerate(neurons[self.source].values):
            sent = values
            if self.way is not None:
                sent = self.like.new_tensor(self.way.arriving(values.cpu().numpy()))
            arrived = sent.clone() if self.weighted is None else self.weighted(sent)
            self.due[first + j + self.lag] = arrived

    def arrivals(self, first: int, steps: int) -> list[Tensor]:
        """(B, n_post) for each step."""
        return [self.due.pop(step, self.before) for step in range(first, first + steps)]
