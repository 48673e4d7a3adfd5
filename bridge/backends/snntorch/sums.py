"""Sums over the synapses of a batch, in ascending order of the presynaptic neuron."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.weighted_sums import MatrixSum
from bridge.spiking.weights import Factored, Matrix, Weights, columns_of, matrices_of

Indices = NDArray[np.int64]
Spread: TypeAlias = Callable[[Indices, Indices, Tensor], None]
Sum: TypeAlias = Callable[[Tensor], Tensor]


def mark(trial: Indices, neuron: Indices, arrived: Tensor) -> None:
    """Note spikes (trial, neuron) in (B, n_pre) zeros."""
    cell = torch.from_numpy(trial * arrived.shape[1] + neuron)
    arrived.view(-1).index_fill_(0, cell.to(arrived.device), 1.0)


def spread(weights: Weights, like: Tensor) -> Spread:
    """A function that adds the weights of spikes (trial, neuron) to (B, n_post) zeros.

    Spikes come by trial, then neuron. On the CPU `index_add_` runs in their order; elsewhere it
    adds in any order, so there in float64 no sum takes two spikes at once (`turns`).
    """
    if isinstance(weights, Factored):
        return _spread_through(weights, like)
    return (
        _spread_rows(weights, like)
        if isinstance(weights, np.ndarray)
        else _by_synapse(weights, like)
    )


def _spread_through(weights: Factored, like: Tensor) -> Spread:
    into_factors, from_factors = spread(weights.right, like), _column_by_column(weights.left, like)

    def factored(trial: Indices, neuron: Indices, arrived: Tensor) -> None:
        x = arrived.new_zeros((len(arrived), weights.rank))
        into_factors(trial, neuron, x)
        arrived.copy_(from_factors(x))

    return factored


def _in_order(like: Tensor) -> bool:
    """Whether `index_add_` may be left to itself: its order is ours, or of no matter."""
    return like.device.type == "cpu" or like.dtype == torch.float32


def turns(trial: Indices) -> list[Indices]:
    """Places of spikes, sorted by trial: the first of each trial, the second of each, and so on."""
    fresh = np.append(True, trial[1:] != trial[:-1])
    begins = fresh.nonzero()[0]
    rank = np.arange(trial.size) - np.repeat(begins, np.diff(np.append(begins, trial.size)))
    order = np.argsort(rank, kind="stable")
    return np.split(order, np.bincount(rank).cumsum()[:-1])


def _one_by_one(spread_all: Spread) -> Spread:
    """The same in which no two spikes of a trial are added at once."""

    def spread_in_turns(trial: Indices, neuron: Indices, arrived: Tensor) -> None:
        for turn in turns(trial):
            spread_all(trial[turn], neuron[turn], arrived)

    return spread_in_turns


def _spread_rows(weights: NDArray[np.float64], like: Tensor) -> Spread:
    rows, device = like.new_tensor(np.ascontiguousarray(weights.T)), like.device

    def dense(trial: Indices, neuron: Indices, arrived: Tensor) -> None:
        chosen = rows.index_select(0, torch.from_numpy(neuron).to(device))
        arrived.index_add_(0, torch.from_numpy(trial).to(device), chosen)

    def dense_here(trial: Indices, neuron: Indices, arrived: Tensor) -> None:
        chosen = rows.index_select(0, torch.from_numpy(neuron))
        arrived.index_add_(0, torch.from_numpy(trial), chosen)

    # On the CPU, where it is called for nearly every step, there is nowhere to move them to.
    whole = dense_here if device.type == "cpu" else dense
    return whole if _in_order(like) else _one_by_one(whole)


def _by_synapse(weights: Matrix, like: Tensor) -> Spread:
    columns, device = columns_of(weights), like.device
    first, fan_out = columns.indptr[:-1].astype(np.int64), np.diff(columns.indptr)
    post = columns.indices.astype(np.int64)
    weight = like.new_tensor(columns.data)

    def by_synapse(trial: Indices, neuron: Indices, arrived: Tensor) -> None:
        counts = fan_out[neuron]
        event = np.repeat(np.arange(neuron.size), counts)
        begins = np.cumsum(counts) - counts
        synapse = first[neuron][event] + np.arange(event.size) - begins[event]
        cell = trial[event] * arrived.shape[1] + post[synapse]
        chosen = weight.index_select(0, torch.from_numpy(synapse).to(device))
        arrived.view(-1).index_add_(0, torch.from_numpy(cell).to(device), chosen)

    return by_synapse if _in_order(like) else _one_by_one(by_synapse)


def ordered_sum(weights: Weights, like: Tensor) -> Sum:
    """(B, n_post) W x of (B, n_pre) x: in float64 in the reference's order, bit for bit."""
    if isinstance(weights, Factored):
        into, out = ordered_sum(weights.right, like), _column_by_column(weights.left, like)
        return lambda traces: out(into(traces))
    if like.dtype == torch.float32 and isinstance(weights, np.ndarray):
        columns = like.new_tensor(weight_columns(weights))
        return lambda traces: traces @ columns
    summed = MatrixSum(columns_of(weights))
    return lambda traces: like.new_tensor(summed(traces.cpu().numpy()))


def input_sum(weights: Weights, like: Tensor) -> Callable[[NDArray[np.float64]], Tensor]:
    """(B, n_post) W u of (B, C) input u, on the device of `like`, rounded to its precision.

    As `bridge.backends.weighted_sums.input_current` has it, bit for bit: float64, in ascending
    order of the channel.
    """
    exact = like.new_empty((), dtype=torch.float64)
    sums = [_column_by_column(matrix, exact) for matrix in matrices_of(weights)]

    def summed(u: NDArray[np.float64]) -> Tensor:
        x = exact.new_tensor(u)
        for each in sums:
            x = each(x)
        return x.to(like.dtype)

    return summed


def _column_by_column(weights: Matrix, like: Tensor) -> Sum:
    """The same for few columns, of all trials at once."""
    if not isinstance(weights, np.ndarray):
        return ordered_sum(weights, like)
    columns = like.new_tensor(weight_columns(weights)).unbind()

    def summed(x: Tensor) -> Tensor:
        total = x.new_zeros((len(x), weights.shape[0]))
        for k, column in enumerate(columns):
            total = total + x[:, k, None] * column
        return total

    return summed


def weight_columns(weights: Matrix) -> NDArray[np.float64]:
    """(n_pre, n_post) weights."""
    dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
    return np.ascontiguousarray(dense.T)
