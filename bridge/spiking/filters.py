"""Synaptic filters: how arriving spikes become a current, or a trace that a readout weighs."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import per_neuron, time_constants
from bridge.spiking.essentials import essentials
from bridge.spiking.exact_constants import exp_rounded
from bridge.spiking.values import known_model, shown, unknown

Array = NDArray[np.float64]
# Whose time constants a filter in a projection has. "post": the target's, and what is filtered is
# the weighted sum, W s; "pre": the source's, whose spikes are filtered before the weights sum them.
Side: TypeAlias = Literal["post", "pre"]


@dataclass(frozen=True, kw_only=True)
class Direct:
    """No filter: what arrives in a step acts for one step (the analog input acts at once)."""

    # Without a time constant both sides are the same.
    side: ClassVar[Side] = "post"

    def sized(self, size: int) -> "Direct":
        """Itself: there is nothing per neuron."""
        return self

    def of_readout(self) -> "Direct":
        """Itself."""
        return self


@dataclass(frozen=True, kw_only=True, eq=False)
class Exponential:
    """x <- x exp(-dt/tau) + g w s.

    In a projection tau belongs to the postsynaptic neuron, or, where `side` is "pre", to the
    presynaptic one: then x <- x exp(-dt/tau) + g s is kept for each presynaptic neuron or input
    channel, and the weights sum these x. In a readout tau belongs to the neuron read.

    Attributes:
        tau_ms: Time constant, ms; one number or (N,).
        normalisation: "area": g = 1/tau in 1/s, a spike has unit area and x is in Hz times the
            weight's unit; "jump": g = 1, a spike moves x by its weight.
        side: Whose time constant it is in a projection.
    """

    tau_ms: ArrayLike
    normalisation: Literal["area", "jump"]
    side: Side = "post"

    __repr__ = essentials

    def __post_init__(self) -> None:
        known = isinstance(self.normalisation, str) and self.normalisation in ("area", "jump")
        if not known:
            raise SpecError(f"normalisation: 'area' or 'jump', got {shown(self.normalisation)}")
        _check_side(self.side)

    def sized(self, size: int) -> "Exponential":
        """The same filter with an (N,) time constant, checked."""
        tau_ms = per_neuron("tau_ms", self.tau_ms, size)
        time_constants("tau_ms", tau_ms)
        return replace(self, tau_ms=tau_ms)

    def of_readout(self) -> "Exponential":
        """The same filter for a readout, which knows one side only."""
        return replace(self, side="post")


@dataclass(frozen=True, kw_only=True, eq=False)
class DoubleExponential:
    """x <- x exp(-dt/tau_decay) + h dt;  h <- h exp(-dt/tau_rise) + w s / (tau_rise tau_decay).

    x takes the old h, so a spike moves a voltage two steps later. Times are in seconds in the
    gain and in h dt: a spike has unit area and x is in Hz times the weight's unit
    (Kim et al. 2019, SI eq. 5-6). In a projection the time constants belong to the postsynaptic
    neuron, as in the authors' code, or, where `side` is "pre", to the presynaptic one, as in their
    paper: then x and h are kept, without w, for each presynaptic neuron or input channel, and the
    weights sum the x. In a readout they belong to the neuron read.

    Attributes:
        tau_rise_ms: Rise time constant, ms; one number or (N,).
        tau_decay_ms: Decay time constant, ms; one number or (N,).
        side: Whose time constants they are in a projection.
    """

    tau_rise_ms: ArrayLike
    tau_decay_ms: ArrayLike
    side: Side = "post"

    __repr__ = essentials

    def __post_init__(self) -> None:
        _check_side(self.side)

    def sized(self, size: int) -> "DoubleExponential":
        """The same filter with (N,) time constants, checked."""
        rise_ms = per_neuron("tau_rise_ms", self.tau_rise_ms, size)
        decay_ms = per_neuron("tau_decay_ms", self.tau_decay_ms, size)
        time_constants("tau_rise_ms", rise_ms)
        time_constants("tau_decay_ms", decay_ms)
        return replace(self, tau_rise_ms=rise_ms, tau_decay_ms=decay_ms)

    def of_readout(self) -> "DoubleExponential":
        """The same filter for a readout, which knows one side only."""
        return replace(self, side="post")


Filter = Direct | Exponential | DoubleExponential
FILTERS = (Direct, Exponential, DoubleExponential)


def known_filter(name: str, value: Filter) -> Filter:
    """`value`; SpecError unless it is one of `FILTERS`."""
    return known_model(f"{name}: filter", value, FILTERS)


def _check_side(side: object) -> None:
    if not isinstance(side, str) or side not in ("post", "pre"):
        raise SpecError(f"side: 'post' or 'pre', got {shown(side)}")


def decay_factor(tau_ms: ArrayLike, dt_ms: float) -> Array:
    """exp(-dt/tau): what is left of an exponential after one step, the same on every processor."""
    return exp_rounded(-dt_ms / np.asarray(tau_ms, dtype=np.float64))


def spike_gain(filter_: Exponential | DoubleExponential) -> Array:
    """What one spike of weight 1 adds to the filter's first state, (N,)."""
    if isinstance(filter_, DoubleExponential):
        rise_s = np.asarray(filter_.tau_rise_ms) / 1000.0
        return np.asarray(1.0 / (rise_s * (np.asarray(filter_.tau_decay_ms) / 1000.0)))
    if not isinstance(filter_, Exponential):
        raise unknown("filter", filter_)
    tau_s = np.asarray(filter_.tau_ms) / 1000.0
    return np.asarray(1.0 / tau_s if filter_.normalisation == "area" else np.ones_like(tau_s))
