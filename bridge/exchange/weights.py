"""Weights of projections as trees for the HDF5 store: dense, sparse, factored."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.exchange.hdf5 import Tree
from bridge.spiking.arrays import counted
from bridge.spiking.weights import Factored, Weights

if TYPE_CHECKING:
    from scipy import sparse


def weights_to_tree(weights: Weights) -> Tree | NDArray[np.float64]:
    """An array, or a group of one that is sparse, or of two factors."""
    if isinstance(weights, Factored):
        factors = {"left": weights.left, "right": weights.right}
        return {name: weights_to_tree(factor) for name, factor in factors.items()}
    if isinstance(weights, np.ndarray):
        return weights
    return {
        "data": weights.data,
        "indices": weights.indices.astype(np.int64),
        "indptr": weights.indptr.astype(np.int64),
        "post": weights.shape[0],
        "pre": weights.shape[1],
    }


def weights_from_tree(kept: Any) -> Any:
    """The weights of a tree, checked where they are sparse."""
    if not isinstance(kept, dict):
        return kept
    if "left" not in kept:
        return _sparse_from_tree(kept)
    factors = {name: kept[name] for name in ("left", "right")}
    return Factored(
        **{name: _sparse_from_tree(f) if isinstance(f, dict) else f for name, f in factors.items()}
    )


def _sparse_from_tree(tree: Tree) -> "sparse.csc_array":
    from scipy import sparse

    data, indices, indptr = (tree[name] for name in ("data", "indices", "indptr"))
    post, pre = counted("post", tree["post"]), counted("pre", tree["pre"])
    sound = (
        indices.dtype.kind == indptr.dtype.kind == "i"
        and indptr.shape == (pre + 1,)
        and data.shape == indices.shape == (indptr[-1],)
        and indptr[0] == 0
        and np.all(np.diff(indptr) >= 0)
        and (indices.size == 0 or 0 <= indices.min() <= indices.max() < post)
    )
    if not sound:
        raise FormatError("sparse weights whose indices do not fit their shape")
    return sparse.csc_array((data, indices, indptr), shape=(post, pre))
