"""Weights of projections: dense, sparse, or a product of two factors."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import frozen_array
from bridge.spiking.essentials import brief, told
from bridge.spiking.sparse_arrays import is_sparse
from bridge.spiking.values import known_model, shown

if TYPE_CHECKING:
    from scipy import sparse

Matrix: TypeAlias = "NDArray[np.float64] | sparse.csc_array"


@dataclass(frozen=True, kw_only=True, eq=False)
class Factored:
    """Weights W = B D of rank K, or less: what arrives is D s first, then B times that.

    Neither backends nor files make W of them: what is held and done is that of the factors.

    Attributes:
        left: B, (post, K), dense or any scipy.sparse array (kept as CSC, sorted).
        right: D, (K, pre), likewise.
    """

    left: Matrix
    right: Matrix

    def __repr__(self) -> str:
        return told(self, f"left {brief(self.left)}", f"right {brief(self.right)}")

    def __post_init__(self) -> None:
        for name in ("left", "right"):
            matrix = _frozen_matrix(f"factored weights: {name}", getattr(self, name))
            object.__setattr__(self, name, matrix)
        if not self.rank or self.left.shape[1] != self.rank:
            raise SpecError(
                "factored weights: expected left (post, K) and right (K, pre), got "
                f"{self.left.shape} and {self.right.shape}"
            )

    @property
    def rank(self) -> int:
        """Number of factors K."""
        return int(self.right.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """(post, pre)."""
        return int(self.left.shape[0]), int(self.right.shape[1])


Weights: TypeAlias = "Matrix | Factored"


def frozen_weights(name: str, weights: Any) -> Weights:
    """Read-only weights, checked; SpecError for what are none."""
    if isinstance(weights, Factored):
        return known_model(f"{name}: weights", weights, (Factored,))
    if is_sparse(weights):
        return _frozen_sparse(name, weights)
    return frozen_array(f"{name}: weights", weights, (None, None))


def _frozen_matrix(name: str, matrix: Any) -> Matrix:
    if is_sparse(matrix):
        return _frozen_sparse(name, matrix)
    return frozen_array(name, matrix, (None, None))


def _frozen_sparse(name: str, weights: Any) -> "sparse.csc_array":
    """A read-only CSC copy, duplicates summed, targets sorted, finite."""
    from scipy import sparse

    if weights.dtype.kind not in "fiub" or len(weights.shape) != 2:
        raise SpecError(f"{name}: expected a sparse matrix of numbers, got {shown(weights)}")
    csc = sparse.csc_array(weights, dtype=np.float64, copy=True)
    csc.sum_duplicates()
    csc.sort_indices()
    if not np.isfinite(csc.data).all():
        raise SpecError(f"{name}: weights hold NaN or infinite values")
    for part in (csc.data, csc.indices, csc.indptr):
        part.flags.writeable = False
    return csc


def columns_of(matrix: Matrix) -> "sparse.csc_array":
    """The nonzero weights as CSC: column j lists the targets of presynaptic neuron j."""
    from scipy import sparse

    return matrix if is_sparse(matrix) else sparse.csc_array(matrix)


def matrices_of(weights: Weights) -> tuple[Matrix, ...]:
    """What multiplies what arrives, one after the other: W, or D and then B."""
    return (weights.right, weights.left) if isinstance(weights, Factored) else (weights,)
