"""Sparse weights of given signs, by non-negative least squares, one postsynaptic neuron at a time.

The sums over samples are enough: |R x - R^-T c|^2 with R'R = G is |S x - y|^2 up to a constant.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import nnls

from bridge.blas_threads import threads_for
from bridge.errors import TrainingError

Array = NDArray[np.float64]

ROUNDED = 1e-12
"""A variance that is smaller than this share of the mean square is none."""


@dataclass(eq=False)
class Moments:
    """Sums over samples of K regressors s and N targets y, from which weights are fitted.

    Attributes:
        regressors: K.
        targets: N.
    """

    regressors: int
    targets: int
    count: int = 0
    _ss: Array = field(init=False)
    _sy: Array = field(init=False)
    _s: Array = field(init=False)
    _y: Array = field(init=False)

    def __post_init__(self) -> None:
        self._ss = np.zeros((self.regressors, self.regressors))
        self._sy = np.zeros((self.regressors, self.targets))
        self._s, self._y = np.zeros(self.regressors), np.zeros(self.targets)

    def add(self, regressors: Array, targets: Array) -> None:
        """Take (T, K) and (T, N) samples."""
        self.count += len(regressors)
        self._ss += regressors.T @ regressors
        self._sy += regressors.T @ targets
        self._s += regressors.sum(axis=0)
        self._y += targets.sum(axis=0)

    def means(self) -> tuple[Array, Array]:
        """(K,) and (N,)."""
        return self._s / self.count, self._y / self.count

    def covariances(self) -> tuple[Array, Array]:
        """(K, K) of the regressors, and (K, N) of regressors and targets."""
        s, y = self.means()
        return self._ss / self.count - np.outer(s, s), self._sy / self.count - np.outer(s, y)


def signed_weights(
    moments: Moments,
    signs: Array,
    candidates: Callable[[int], NDArray[np.int64]],
    kept: int,
    ridge: float,
    done: Callable[[], None] = lambda: None,
) -> Array:
    """(N, K) weights that fit the targets about their means, none of another sign.

    Args:
        moments: Of the samples.
        signs: (K,) 1 or -1: the sign that weights of a regressor may have.
        candidates: Regressors among which a target, by its number, may choose.
        kept: At most so many are kept of each target, those that contribute most; they are fitted
            anew.
        ridge: Added to the variance of each regressor, as a share of it.
        done: Is called after each target.

    Raises:
        TrainingError: the solver did not come to an end.
    """
    gram, cross = moments.covariances()
    variance, mean = np.diag(gram), moments.means()[0]
    # One that does not vary, but for rounding, has no weight, and no part in what is solved.
    alive = variance > ROUNDED * (variance + np.square(mean))
    spread = np.sqrt(np.where(alive, variance, 0.0))
    gram = gram + np.diag(ridge * np.diag(gram))
    weights: Array = np.zeros((moments.targets, moments.regressors))
    for target in range(moments.targets):
        chosen = candidates(target)
        chosen = chosen[alive[chosen]]
        # Cholesky's is the largest product.
        with threads_for(len(chosen) ** 3 / 3):
            found = _solved(gram, cross[:, target], signs, chosen)
            if np.count_nonzero(found) > kept:
                order = np.argsort(-np.abs(found) * spread[chosen], kind="stable")
                chosen = np.sort(chosen[order[:kept]])
                found = _solved(gram, cross[:, target], signs, chosen)
        weights[target, chosen] = found
        done()
    return weights


def _solved(gram: Array, cross: Array, signs: Array, chosen: NDArray[np.int64]) -> Array:
    """Weights of the chosen regressors."""
    if not chosen.size:
        # On nothing SciPy's solver ends the whole process.
        return np.zeros(0)
    signed = signs[chosen]
    try:
        root = cholesky(gram[np.ix_(chosen, chosen)] * np.outer(signed, signed))
        wanted = solve_triangular(root, cross[chosen] * signed, trans=1)
        found: Array = nnls(root, wanted, maxiter=20 * len(chosen))[0]
    except (RuntimeError, LinAlgError):
        raise TrainingError(
            "non-negative least squares did not come to an end; give a larger ridge"
        ) from None
    return found * signed
