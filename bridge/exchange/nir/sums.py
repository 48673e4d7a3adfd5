"""What arrives at a linear unit: the same weights for all of it, or a sum."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.network import SpikingNetwork
from bridge.spiking.projection import Projection
from bridge.spiking.weights import Factored, Matrix, columns_of

Steps = NDArray[np.int64]
Arriving = tuple[Projection, Steps]


def of_linear(
    network: SpikingNetwork, into: Sequence[Projection]
) -> tuple[Matrix, list[Arriving]] | None:
    """The weights that all that arrives at a linear unit passes, and with it by how many steps.

    Projections of one source, each with weights of its own neurons, are one with delays of its
    neurons. None: there are several weights, or filters behind them, or the same arrives twice.
    """
    if not into or any(part.rank or _filtered_behind(part) for part in into):
        return None
    groups: list[tuple[Projection, Matrix, Steps]] = []
    for part in into:
        steps = part.delays + network.filter_lag_steps(part)
        mine = _weights(part)
        for number, (first, weights, before) in enumerate(groups):
            joined = _joined(weights, mine) if first.source == part.source else None
            if joined is not None and first.filter.memoryless and part.filter.memoryless:
                here = _columns_in_use(mine)
                groups[number] = (first, joined, np.where(here, steps, before))
                break
        else:
            groups.append((part, mine, steps))
    shared = groups[0][1]
    if any(not _same(shared, weights) for _, weights, _ in groups):
        return None
    arriving = [(part, steps) for part, _, steps in groups]
    # The edges of a graph are a set: what is in it twice acts once.
    ways = [_way(part, steps) for part, steps in arriving if part.filter.memoryless]
    return (shared, arriving) if len(set(ways)) == len(ways) else None


def _way(part: Projection, steps: Steps) -> tuple[str, bytes]:
    """What its way to the unit differs in from others; of at most one step it may be an edge."""
    edge = np.all(steps == 0) or np.all(steps == 1)
    return part.source, b"" if edge else steps.tobytes()


def _filtered_behind(part: Projection) -> bool:
    return not part.filter.memoryless and part.filter.side == "post"


def _weights(part: Projection) -> Matrix:
    if isinstance(part.weights, Factored):
        raise TypeError("factored weights have two matrices")
    return part.weights


def _columns_in_use(weights: Matrix) -> NDArray[np.bool_]:
    return np.asarray(np.abs(columns_of(weights)).sum(axis=0) > 0)


def _joined(one: Matrix, other: Matrix) -> "Matrix | None":
    """Two matrices of which no column is in use in both; None of others."""
    if np.any(_columns_in_use(one) & _columns_in_use(other)):
        return None
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one + other
    return columns_of(one) + columns_of(other)


def _same(one: Matrix, other: Matrix) -> bool:
    if type(one) is not type(other) or one.shape != other.shape:
        return False
    apart = one != other
    return not (np.any(apart) if isinstance(apart, np.ndarray) else apart.nnz)
