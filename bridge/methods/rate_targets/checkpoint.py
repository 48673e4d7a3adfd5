"""Where a fit stands after a trial of learning: all that is needed to go on, bit for bit."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.rate_targets.learner import Learner
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import essentials
from bridge.spiking.values import number

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class FitCheckpoint:
    """What learning has come to; everything else follows from the options and the seed.

    Attributes:
        trials: Trials of learning so far.
        weights: (M + O, 2n) D and w.
        p: (2n, 2n) P of recursive least squares.
        bias_mv: (N,) constant currents, mV.
        v_mv: (N,) voltages, mV.
        traces: (2n,) slow traces of the trained neurons, then their fast ones.
        slow_mv: (N,) random slow currents, mV.
        fast_mv: (N,) random fast currents, mV.
        learned_mv: (N,) learned currents of the next step, mV.
        inhibition_mv: Current of all neurons onto each, mV.
        onto_mv: (N, M) B, by which the same teacher is known again, mV.
    """

    trials: int
    weights: Array
    p: Array
    bias_mv: Array
    v_mv: Array
    traces: Array
    slow_mv: Array
    fast_mv: Array
    learned_mv: Array
    inhibition_mv: float
    onto_mv: Array

    __repr__ = essentials

    def __post_init__(self) -> None:
        counted("checkpoint: trials", self.trials)
        size, components = self._shape("onto_mv", (None, None))
        _, regressors = self._shape("weights", (None, None))
        if len(self.weights) <= components:
            raise SpecError("checkpoint: weights hold no row for an output")
        self._shape("p", (regressors, regressors))
        self._shape("traces", (regressors,))
        for name in ("bias_mv", "v_mv", "slow_mv", "fast_mv", "learned_mv"):
            self._shape(name, (size,))
        inhibition = number("checkpoint: inhibition_mv", self.inhibition_mv)
        object.__setattr__(self, "inhibition_mv", inhibition)
        if not np.array_equal(self.p, self.p.T):
            raise SpecError("checkpoint: p must be symmetric")

    def _shape(self, name: str, shape: tuple[int | None, ...]) -> tuple[int, ...]:
        """Check and freeze an array; its shape."""
        array = frozen_array(f"checkpoint: {name}", getattr(self, name), shape)
        object.__setattr__(self, name, array)
        return array.shape


def checkpoint_of(learner: Learner, trials: int) -> FitCheckpoint:
    """Where a learner stands after so many trials of learning."""
    return FitCheckpoint(
        trials=trials,
        weights=learner.rls.weights,
        p=learner.rls.p,
        bias_mv=learner.fixed.bias,
        v_mv=learner.v,
        traces=learner.traces,
        slow_mv=learner.slow,
        fast_mv=learner.fast,
        learned_mv=learner.learned,
        inhibition_mv=learner.inhibition,
        onto_mv=learner.onto,
    )


def put_back(learner: Learner, kept: FitCheckpoint) -> None:
    """Let a learner stand where a checkpoint was made.

    Raises:
        SpecError: it is of another network, or of another teacher.
    """
    same_shape = kept.onto_mv.shape == learner.onto.shape
    same_shape &= kept.weights.shape == learner.rls.weights.shape
    # BLAS rounds otherwise on another processor. That moved B, up to 3 mV, by at most 4e-12 mV in a
    # teacher that repeats itself; in a chaotic one it grows until its trials are others.
    if not same_shape or not np.allclose(kept.onto_mv, learner.onto, rtol=0, atol=1e-9):
        raise SpecError(
            "checkpoint: the teacher that its options and its seed give here is another one, so "
            "learning cannot go on; go on where it was begun"
        )
    learner.fixed = replace(learner.fixed, bias=kept.bias_mv)
    learner.rls.put_back(kept.p, kept.weights)
    learner.restart(kept.v_mv)
    learner.traces[:] = kept.traces
    learner.slow[:], learner.fast[:] = kept.slow_mv, kept.fast_mv
    learner.learned[:] = kept.learned_mv
    learner.inhibition = kept.inhibition_mv
