"""Recursive least squares: weights from one sample after the other.

After each sample the weights are those of ridge regression on all samples so far.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class RecursiveLeastSquares:
    """Weights D that minimise sum |D s - y|^2 + |D|^2, with one P for all outputs.

    Of P, the inverse of the identity plus the sum of s s', one triangle alone is kept and changed:
    it is symmetric whatever is rounded. Everything is float64.

    Attributes:
        weights: (outputs, regressors) D, 0 at first.
    """

    def __init__(self, regressors: int, outputs: int) -> None:
        # BLAS changes these in place: its own order of the numbers.
        self._p: Array = np.eye(regressors, order="F")
        self.weights: Array = np.zeros((outputs, regressors), order="F")

    @property
    def p(self) -> Array:
        """(regressors, regressors) P, a copy."""
        lower = np.tril(self._p)
        whole: Array = lower + np.tril(lower, -1).T
        return whole

    def put_back(self, p: Array, weights: Array) -> None:
        """Go on from (regressors, regressors) P and (outputs, regressors) D of before."""
        self._p = np.array(p, order="F")
        self.weights = np.array(weights, order="F")

    def update(self, regressors: Array, errors: Array) -> None:
        """Take one sample.

        k = P s / (1 + s' P s), P <- P - (P s) k', D <- D - (D s - y) k'.

        Args:
            regressors: s, (regressors,).
            errors: D s - y by the weights as they are, (outputs,).
        """
        # Not before something is learned: whoever reads a fit has no need of it.
        from scipy.linalg import blas

        ps = blas.dsymv(1.0, self._p, regressors, lower=1)
        share = -1.0 / (1.0 + float(np.dot(regressors, ps)))
        self._p = blas.dsyr(share, ps, a=self._p, lower=1, overwrite_a=1)
        self.weights = blas.dger(share, errors, ps, a=self.weights, overwrite_a=1)
