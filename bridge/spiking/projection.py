"""Weighted connections from a population, or from the input, to a population."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import brief, clipped, names, several, told
from bridge.spiking.filters import Filter, filter_start, filter_trace, known_filter
from bridge.spiking.limits import LONGEST_DELAY_STEPS
from bridge.spiking.values import shown, text
from bridge.spiking.weights import Factored, Weights, columns_of, frozen_weights

if TYPE_CHECKING:
    from scipy import sparse

INPUT = "input"
"""The name under which a projection takes the analog input of the drive as its source."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Weighted connections from a population, or from the input, to a population.

    Attributes:
        name: Unique among the projections of a network.
        source: Name of the presynaptic population or of an input, such as `INPUT`.
        target: Name of the postsynaptic population.
        weights: (post, pre), dense or any scipy.sparse array (kept as CSC, sorted), or `Factored`.
            mV per unit of what the filter gives: mV/Hz for unit area, mV for unit jump and direct.
        filter: What the weighted arrivals pass before they become a current; with side "pre" what
            arrivals pass before they are weighted.
        delay_steps: Whole steps by which spikes arrive, or the input acts, later; at most 10^5. 0:
            spikes enter the filter in the step they are fired in. Before the first arrival there
            is nothing. One number, or (pre,), one for each presynaptic neuron or input channel.
        within_step: What the source emits enters the filter before the target sums its current, so
            it acts one step earlier. The target comes later in the order of the populations.
        scaled: Whether the gain of a drive (`recurrent_gain`) acts on it; on what comes from the
            input it never does.
        initial_states: Where states of the filter start, by name; one number, or one for each
            neuron that the filter runs over. Those that are not named start at 0.
    """

    name: str
    source: str
    target: str
    weights: Weights
    filter: Filter
    delay_steps: int | NDArray[np.int64] = 0
    within_step: bool = False
    scaled: bool = True
    initial_states: Mapping[str, ArrayLike] = field(default_factory=dict)

    def __repr__(self) -> str:
        return told(
            self,
            f"{clipped(self.name, 40)}: {clipped(self.source, 40)} to {clipped(self.target, 40)}",
            f"weights {brief(self.weights)}",
            type(self.filter).__name__,
            self.told_delay() if self.longest_delay_steps else "",
            "within the step" if self.within_step else "",
            "" if self.scaled else "not scaled",
            f"start of {names(self.initial_states)} given" if self.initial_states else "",
        )

    def __post_init__(self) -> None:
        for part in ("name", "source", "target"):
            text(f"projection: {part}", getattr(self, part))
        name = f"projection {self.name}"
        for word in ("within_step", "scaled"):
            if not isinstance(getattr(self, word), bool):
                raise SpecError(f"{name}: {word}: expected true or false")
        weights = frozen_weights(name, self.weights)
        object.__setattr__(self, "weights", weights)
        post, pre = weights.shape
        delay = _delay_steps(f"{name}: delay_steps", self.delay_steps, pre)
        object.__setattr__(self, "delay_steps", delay)
        size = pre if known_filter(name, self.filter).side == "pre" else post
        object.__setattr__(self, "filter", self.filter.sized(size))
        start = filter_start(name, self.filter, self.initial_states, size)
        object.__setattr__(self, "initial_states", start)

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

    def filter_lag_steps(self, *, analog: bool) -> int:
        """Steps from an arrival to the first current that it changes."""
        if analog and self.filter.memoryless:
            return 0
        return filter_trace(self.filter).lag - (1 if self.within_step else 0)

    def lag_steps(self, *, analog: bool) -> int:
        """Steps from an emission, or an input sample, to the first current that any changes."""
        return self.shortest_delay_steps + self.filter_lag_steps(analog=analog)

    @property
    def delays(self) -> NDArray[np.int64]:
        """(pre,) delay of each presynaptic neuron or input channel, steps."""
        return np.broadcast_to(np.asarray(self.delay_steps), self.shape[1])

    @property
    def own_delays(self) -> bool:
        """Whether presynaptic neurons have delays of their own, not all the same."""
        return isinstance(self.delay_steps, np.ndarray)

    @property
    def shortest_delay_steps(self) -> int:
        """The smallest of the delays."""
        return int(np.min(self.delay_steps))

    @property
    def longest_delay_steps(self) -> int:
        """The largest of the delays."""
        return int(np.max(self.delay_steps))

    def told_delay(self) -> str:
        """The delays in a few words."""
        if not self.own_delays:
            return f"delay {several(self.shortest_delay_steps, 'step')}"
        return f"delays {self.shortest_delay_steps} to {self.longest_delay_steps} steps"

    @property
    def rank(self) -> int:
        """Number of factors K, where the weights are factored; else 0."""
        return self.weights.rank if isinstance(self.weights, Factored) else 0

    @property
    def factors(self) -> "tuple[sparse.csc_array, ...]":
        """What multiplies what arrives, one after the other, as CSC (W, or D and then B)."""
        if isinstance(self.weights, Factored):
            return columns_of(self.weights.right), columns_of(self.weights.left)
        return (columns_of(self.weights),)

    def synapses(self) -> "sparse.csc_array":
        """The nonzero weights as CSC: column j lists the targets of presynaptic neuron j.

        Raises:
            SpecError: the weights are factored, and never made into one matrix.
        """
        if self.rank:
            raise SpecError(f"projection {self.name}: its weights are factored")
        return self.factors[0]

    def column(self, pre: int) -> NDArray[np.float64]:
        """(post,) weights of one presynaptic neuron, by all factors."""
        if isinstance(self.weights, np.ndarray):
            return self.weights[:, pre].copy()
        first, *others = self.factors
        mine = slice(first.indptr[pre], first.indptr[pre + 1])
        column = np.zeros(first.shape[0])
        column[first.indices[mine]] = first.data[mine]
        for factor in others:
            column = factor @ column
        return column


def _delay_steps(name: str, value: object, size: int) -> int | NDArray[np.int64]:
    """A whole number; read-only (size,) ones where they are not all the same."""
    if not isinstance(value, np.ndarray | Sequence):
        return counted(name, value, most=LONGEST_DELAY_STEPS)
    delays = frozen_array(name, value, (size,), np.int64)
    if np.asarray(value).dtype.kind not in "iu" and size:
        raise SpecError(f"{name}: expected whole numbers, got {shown(value)}")
    for delay in (delays.min(), delays.max()) if size else ():
        counted(name, int(delay), most=LONGEST_DELAY_STEPS)
    if np.all(delays == delays[:1]):
        return int(delays[0]) if size else 0
    return delays
