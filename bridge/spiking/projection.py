"""Weighted connections from a population, or from the input, to a population."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import brief, clipped, several, told
from bridge.spiking.filters import Filter, filter_trace, known_filter
from bridge.spiking.limits import LONGEST_DELAY_STEPS
from bridge.spiking.values import shown, text

INPUT = "input"
"""The name under which a projection takes the analog input of the drive as its source."""

Weights: TypeAlias = NDArray[np.float64] | sparse.csc_array


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Weighted connections from a population, or from the input, to a population.

    Attributes:
        name: Unique among the projections of a network.
        source: Name of the presynaptic population or of an input, such as `INPUT`.
        target: Name of the postsynaptic population.
        weights: (post, pre), dense or any scipy.sparse array (kept as CSC, sorted). mV per unit
            of what the filter gives: mV/Hz for unit area, mV for unit jump and direct.
        filter: What the weighted arrivals pass before they become a current; with side "pre" what
            arrivals pass before they are weighted.
        delay_steps: Whole steps by which spikes arrive later; 0: they enter the filter in the
            step they are fired in, and by which the input acts later; before, nothing arrives. At
            most 10^5.
        within_step: What the source emits enters the filter before the target, which comes later
            in the order of the populations, sums its current: it acts one step earlier.
    """

    name: str
    source: str
    target: str
    weights: Weights
    filter: Filter
    delay_steps: int = 0
    within_step: bool = False

    def __repr__(self) -> str:
        return told(
            self,
            f"{clipped(self.name, 40)}: {clipped(self.source, 40)} to {clipped(self.target, 40)}",
            f"weights {brief(self.weights)}",
            type(self.filter).__name__,
            f"delay {several(self.delay_steps, 'step')}" if self.delay_steps else "",
            "within the step" if self.within_step else "",
        )

    def __post_init__(self) -> None:
        for part in ("name", "source", "target"):
            text(f"projection: {part}", getattr(self, part))
        name = f"projection {self.name}"
        delay = counted(f"{name}: delay_steps", self.delay_steps, most=LONGEST_DELAY_STEPS)
        object.__setattr__(self, "delay_steps", delay)
        if not isinstance(self.within_step, bool):
            raise SpecError(f"{name}: within_step: expected true or false")
        weights: Weights = self.weights
        if sparse.issparse(weights):
            weights = frozen_sparse(name, weights)
        else:
            weights = frozen_array(f"{name}: weights", weights, (None, None))
        object.__setattr__(self, "weights", weights)
        post, pre = weights.shape
        size = pre if known_filter(name, self.filter).side == "pre" else post
        object.__setattr__(self, "filter", self.filter.sized(size))

    @property
    def shape(self) -> tuple[int, int]:
        """(post, pre)."""
        post, pre = self.weights.shape
        return post, pre

    def acts_within_step(self, *, analog: bool) -> bool:
        """Whether it acts in the step in which its source emits.

        An unfiltered input that is `analog` does.
        """
        return self.within_step or (analog and self.filter.memoryless)

    def lag_steps(self, *, analog: bool) -> int:
        """Steps from an emission, or an input sample, to the first current that it changes."""
        if analog and self.filter.memoryless:
            return self.delay_steps
        return self.delay_steps + filter_trace(self.filter).lag - (1 if self.within_step else 0)

    def synapses(self) -> sparse.csc_array:
        """The nonzero weights as CSC: column j lists the targets of presynaptic neuron j."""
        return sparse.csc_array(self.weights) if not sparse.issparse(self.weights) else self.weights


def frozen_sparse(name: str, weights: Any) -> sparse.csc_array:
    """A read-only CSC copy, duplicates summed, targets sorted, finite."""
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
