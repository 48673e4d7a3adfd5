"""Projections as chains of nodes: a delay, a filter on one side, and weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from bridge.errors import SpecError
from bridge.exchange.nir.file import Array
from bridge.exchange.nir.metadata import SPARSE, Field
from bridge.exchange.nir.populations import tau_in_seconds
from bridge.spiking.filters import Direct, DoubleExponential, Exponential, Filter
from bridge.spiking.projection import Projection
from bridge.spiking.weights import Factored, Matrix

_MOST_WEIGHTS = 200_000_000


@dataclass(frozen=True, eq=False)
class Link:
    """A node of a chain: its type, its fields, and what is kept in its metadata."""

    kind: str
    fields: Mapping[str, Array]
    kept: dict[str, Field] = field(default_factory=dict)

    @property
    def weighs(self) -> bool:
        """Whether it is a matrix, which may have a bias."""
        return self.kind == "Linear"


def chain_of(projection: Projection, dt_ms: float, *, biased: bool) -> list[Link]:
    """The nodes that what arrives passes after its delay; none where it arrives as it is.

    Args:
        projection: The projection.
        dt_ms: Time step.
        biased: Whether its weights are to have a bias, too.

    Raises:
        SpecError: NIR has no node for the filter, or the weights are too many.
    """
    name = f"projection {projection.name}"
    filters = filter_nodes(name, projection.filter, dt_ms)
    weights = _weight_nodes(name, projection, biased=biased)
    return filters + weights if projection.filter.side == "pre" else weights + filters


def _weight_nodes(name: str, projection: Projection, *, biased: bool) -> list[Link]:
    weights = projection.weights
    if isinstance(weights, Factored):
        return [matrix_node(name, weights.right), matrix_node(name, weights.left)]
    link = matrix_link(name, weights, biased=biased)
    return [] if link.kind == "Scale" and np.all(link.fields["scale"] == 1.0) else [link]


def matrix_link(name: str, weights: Matrix, *, biased: bool) -> Link:
    """Weights as the least that holds them: a factor for each number, or a matrix."""
    diagonal = None if biased else diagonal_of(weights)
    if diagonal is None:
        return matrix_node(name, weights)
    return Link("Scale", {"scale": diagonal})


def diagonal_of(weights: Matrix) -> Array | None:
    """The diagonal of sparse weights that hold nothing else; None of all others."""
    if isinstance(weights, np.ndarray) or weights.shape[0] != weights.shape[1]:
        return None
    targets = weights.indices[weights.data != 0]
    sources = np.repeat(np.arange(weights.shape[1]), np.diff(weights.indptr))[weights.data != 0]
    return np.asarray(weights.diagonal()) if np.array_equal(targets, sources) else None


def matrix_node(name: str, weights: Matrix) -> Link:
    """Weights as they stand in NIR, which knows dense ones only.

    Raises:
        SpecError: they are too many.
    """
    post, pre = weights.shape
    if post * pre > _MOST_WEIGHTS:
        raise SpecError(
            f"{name}: {post:,} x {pre:,} weights are too many, since NIR holds every one of a "
            f"matrix; {_MOST_WEIGHTS:,} are written"
        )
    kept: dict[str, Field] = {SPARSE: "yes"} if sparse.issparse(weights) else {}
    dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
    return Link("Linear", {"weight": dense}, kept)


@dataclass(frozen=True)
class _Step:
    """A time step, and what the metadata are to hold."""

    dt_ms: float
    kept: dict[str, Field] = field(default_factory=dict)


def filter_nodes(name: str, filter_: Filter, dt_ms: float) -> list[Link]:
    """A filter as a leaky integrator, or as two in a row; none where there is none.

    The lag of the second one's stage is part of the projection's delay.

    Raises:
        SpecError: NIR has no node for it.
    """
    if isinstance(filter_, Direct):
        return []
    if not isinstance(filter_, Exponential | DoubleExponential):
        raise SpecError(f"{name}: NIR has no node for filters of type {filter_.title}")
    held, step = filter_.constants(dt_ms), _Step(dt_ms)
    euler = filter_.filter_step == "euler"
    if isinstance(filter_, Exponential):
        tau, r = _stage(name, "tau", (np.asarray(filter_.tau_ms), held["decay"]), step, euler=euler)
        fields = {"tau": tau, "r": r * held["gain"], "v_leak": np.zeros(tau.shape)}
        return [Link("LI", fields, step.kept)]
    rise = np.asarray(filter_.tau_rise_ms), held["rise"]
    decay = np.asarray(filter_.tau_decay_ms), held["decay"]
    tau_syn, w_in = _stage(name, "tau_syn", rise, step, euler=euler)
    tau_mem, r = _stage(name, "tau_mem", decay, step, euler=euler)
    fields = {"tau_mem": tau_mem, "tau_syn": tau_syn, "w_in": w_in * held["gain"]}
    fields |= {"r": r * held["dt_s"], "v_leak": np.zeros(r.shape)}
    return [Link("CubaLI", fields, step.kept)]


def _stage(
    name: str, field_: str, of: tuple[Array, Array], step: _Step, *, euler: bool
) -> tuple[Array, Array]:
    """Time constant in s, and gain of 1, of an Euler step that leaves what the filter leaves."""
    tau_ms, left = of
    gained = 1.0 - left
    tau_ms = tau_ms if euler else step.dt_ms / gained
    return tau_in_seconds(name, field_, tau_ms, step), 1.0 / gained
