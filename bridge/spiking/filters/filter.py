"""What a filter is: how arriving spikes become a current, or a trace that a readout weighs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import per_neuron
from bridge.spiking.operations import NUMPY, Operations
from bridge.spiking.parts import Part, Prototype, choice, known_part, register
from bridge.spiking.tracing import Trace, check_trace, trace
from bridge.spiking.values import shown

Array = NDArray[np.float64]
# Whose time constants a filter in a projection has. "post": the target's, and what is filtered is
# the weighted sum, W s; "pre": the source's, whose spikes are filtered before the weights sum them.
Side: TypeAlias = Literal["post", "pre"]

KNOWN: dict[str, type["Filter"]] = {}
"""The filters there are, by their kind: a class that names its kind adds itself."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Filter(Part):
    """A linear filter: its parameters, and what becomes of its states in a step.

    A filter is a subclass that is a frozen dataclass with a `kind` of its own, in a file of its
    own. The contract of a step (`bridge.backends.reference.simulation`) lets the states decay, and
    adds to the first of them what arrives times "gain", one of its `constants`. One without states
    keeps nothing from step to step: what arrives is the output.

    Attributes:
        states: Names of the states; what arrives enters the first.
        output: The state that is the current, or the trace of a readout.
        side: Whose time constants it has in a projection: those of the "post"synaptic neuron, or
            of the "pre"synaptic one. In a readout they are those of the neuron that is read.
    """

    states: ClassVar[tuple[str, ...]] = ("x",)
    output: ClassVar[str] = "x"

    side: Side = choice("post", "pre", default="post")

    def __init_subclass__(cls) -> None:
        register(KNOWN, cls, "filter")

    def decay(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        """The new value of every state where nothing arrives."""
        raise self.lacks("decay")

    def response(self, dt_ms: float, steps: int) -> Array:
        """(steps, n) output for an arrival of 1 in the step before the first of them.

        The filters here have a formula for it, so that simulators can be held against another text
        than that of the decay; by default it is the decay's own course.
        """
        constants = {name: np.asarray(value) for name, value in self.constants(dt_ms).items()}
        constant, gain = SimpleNamespace(**constants), constants["gain"]
        size = np.broadcast_shapes(*(np.shape(value) for value in constants.values()))
        state: dict[str, Any] = {name: np.zeros(size) for name in self.states}
        state[self.states[0]] = np.broadcast_to(gain, size)
        course = np.empty((max(0, steps), *(size or (1,))))
        for output in course:
            output[:] = state[self.output]
            state = self.decay(NUMPY, SimpleNamespace(**state), constant)
        return course

    def shape_ms(self) -> float:
        """How long the output takes to show its shape: onset, peak and most of its area, ms.

        Where a filter does not say, it is looked at as long as any.
        """
        return float("inf")

    def of_readout(self) -> Self:
        """The same filter for a readout, which knows one side only."""
        return replace(self, side="post") if self.side != "post" else self

    def operations(self) -> str:
        """A hash of its decay."""
        return filter_trace(self).decay.digest()

    @property
    def memoryless(self) -> bool:
        """Whether what arrives is the output, for one step."""
        return not self.states

    @property
    def slowest_ms(self) -> Array | None:
        """(n,) time constants by which the output fades, ms; None if it has none."""
        return None

    def slowed(self, tau_ms: Array) -> Self:
        """The same filter with other `slowest_ms`."""
        return self

    def described(self) -> str:
        """The filter in a few words."""
        side = " of the presynaptic side" if self.side == "pre" else ""
        return f"{self.title}{side}"


def known_filter(name: str, value: Any) -> Filter:
    """`value`, if it is a filter; SpecError if not."""
    filter_: Filter = known_part(f"{name}: filter", value, KNOWN)
    return filter_


def filter_start(
    name: str, filter_: Filter, given: Mapping[str, ArrayLike], size: int
) -> Mapping[str, Array]:
    """Where states of a filter that runs over `size` neurons start, read-only (size,) arrays.

    Raises:
        SpecError: it has no such state, or numbers do not fit.
    """
    if not isinstance(given, Mapping):
        raise SpecError(f"{name}: initial_states: expected numbers by the names of states")
    for state in given:
        if state not in filter_.states:
            known = f"has {', '.join(filter_.states)}" if filter_.states else "has none"
            raise SpecError(
                f"{name}: initial_states: no state {shown(state)}; {filter_.title} {known}"
            )
    return MappingProxyType(
        {
            state: per_neuron(f"{name}: initial state {state}", value, size)
            for state, value in given.items()
        }
    )


@dataclass(frozen=True)
class FilterTrace:
    """A filter as operations.

    Attributes:
        decay: What becomes of the states where nothing arrives.
        rows: The states in the order in which an arrival reaches them, those it reaches after as
            many steps together; the last row holds the output.
    """

    decay: Trace
    rows: tuple[tuple[str, ...], ...]

    @property
    def lag(self) -> int:
        """Steps from an arrival to the first step in which the output is another."""
        return len(self.rows)


def filter_trace(filter_: Filter, dtype: str = "float64") -> FilterTrace:
    """What a filter does in a step, on numbers of a `dtype`.

    Raises:
        SpecError: it does what not every simulator could repeat.
    """
    return _filter_trace(Prototype(filter_), dtype)


@lru_cache(maxsize=256)
def _filter_trace(prototype: Prototype[Filter], dtype: str) -> FilterTrace:
    filter_ = prototype.part
    title = f"filter {filter_.kind}"
    if filter_.memoryless:
        return FilterTrace(Trace((), MappingProxyType({})), ((),))
    groups = {"state": filter_.states, "constant": filter_.named_constants()}
    decay = trace(title, filter_.decay, dtype, **groups)
    check_trace(title, decay, filter_.decay, NUMPY, dtype, **groups)
    if set(decay.outputs) != set(filter_.states) or filter_.output not in filter_.states:
        raise SpecError(f"{title}: its decay has to give every state, and its output is one")
    _check_linear(title, filter_, decay)
    return FilterTrace(decay, _rows(filter_, decay))


def _check_linear(title: str, filter_: Filter, decay: Trace) -> None:
    """Raise SpecError unless states that are added decay as each of them does.

    Readouts, and the order in which weights and filters act, rest on that.
    """
    rng = np.random.default_rng(1)
    constants = {f"constant.{name}": rng.normal(size=9) for name in filter_.named_constants()}
    one, other = (
        {f"state.{name}": rng.normal(size=9) for name in filter_.states} for _ in range(2)
    )
    both = {name: one[name] + other[name] for name in one}
    made = [decay.evaluate(NUMPY, constants | states) for states in (one, other, both)]
    for name, value in made[2].items():
        if not np.allclose(made[0][name] + made[1][name], value):
            raise SpecError(f"{title}: its decay is not linear in the states")


def _rows(filter_: Filter, decay: Trace) -> tuple[tuple[str, ...], ...]:
    """States by how many steps an arrival takes to them; all in one row where it is not so."""
    needs: Mapping[str, set[str]] = {
        state: {name.removeprefix("state.") for name in decay.needs(state) if "state." in name}
        for state in filter_.states
    }
    rows, left = [{filter_.states[0]}], set(filter_.states[1:])
    while left and (reached := {name for name in left if needs[name] & rows[-1]}):
        rows.append(reached)
        left -= reached
    in_line = not left and filter_.output in rows[-1]
    for number, row in enumerate(rows):
        allowed = row | (rows[number - 1] if number else set())
        in_line = in_line and all(needs[name] <= allowed for name in row)
    if not in_line:
        return (filter_.states,)
    return tuple(tuple(name for name in filter_.states if name in row) for row in rows)
