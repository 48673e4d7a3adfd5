"""Weights of connections that are drawn at random."""

from typing import TYPE_CHECKING

import numpy as np

from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.limits import MOST_NEURONS
from bridge.spiking.trains import MOST_VALUES, by_chance
from bridge.spiking.values import number

if TYPE_CHECKING:
    from scipy import sparse


def random_weights(
    post: int, pre: int, *, probability: float, weight_mv: float, seed: int
) -> "sparse.csc_array":
    """Sparse weights (post, pre): each pair of neurons is connected by the same chance.

    As in Brian2's `synapses.connect(p=probability)` pairs are drawn independently of each other,
    and a neuron may be connected to itself.

    Args:
        post: Number of postsynaptic neurons.
        pre: Number of presynaptic neurons, or of units of an input.
        probability: Of a connection, 0 to 1.
        weight_mv: Of each connection, mV per unit of what the projection's filter gives.
        seed: Decides who is connected; the same seed and sizes give the same connections.

    Raises:
        SpecError: an argument makes no sense, or there would be absurdly many connections.
    """
    from scipy import sparse

    post = counted("post", post, least=1, most=MOST_NEURONS)
    pre = counted("pre", pre, least=1, most=MOST_NEURONS)
    chance = number("probability", probability, 0.0, 1.0)
    weight = number("weight_mv", weight_mv)
    if chance * post * pre > MOST_VALUES:
        raise SpecError(
            f"probability: {chance * post * pre:,.0f} connections are too many; at most "
            f"{MOST_VALUES:,} can be drawn"
        )
    rng = np.random.default_rng(counted("seed", seed))
    column, row = np.divmod(by_chance(rng, chance, post * pre), post)
    return sparse.csc_array((np.full(row.size, weight), (row, column)), shape=(post, pre))
