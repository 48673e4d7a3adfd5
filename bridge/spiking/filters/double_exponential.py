"""A double exponential."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.arrays import time_constants
from bridge.spiking.decay import FilterStep, what_is_left
from bridge.spiking.filters.filter import Array, Filter
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DoubleExponential(Filter):
    """x <- x exp(-dt/tau_decay) + h dt;  h <- h exp(-dt/tau_rise) + w s / (tau_rise tau_decay).

    x takes the old h, so a spike moves a voltage two steps later. Times are in seconds in the
    gain and in h dt: a spike has unit area and x is in Hz times the weight's unit
    (Kim et al. 2019, SI eq. 5-6). In a projection the time constants belong to the postsynaptic
    neuron, as in the authors' code. If `side` is "pre", they belong to the presynaptic one, as in
    their paper. Then x and h are kept, without w, for each presynaptic neuron or input channel,
    and the weights sum the x. In a readout they belong to the neuron read.

    Attributes:
        tau_rise_ms: Rise time constant, ms; one number or (N,).
        tau_decay_ms: Decay time constant, ms; one number or (N,).
        filter_step: "exact": a step leaves exp(-dt/tau) of x and h; "euler": 1 - dt/tau.
    """

    kind = "double_exponential"
    title = "DoubleExponential"
    format_version = 1
    states = ("h", "x")

    tau_rise_ms: ArrayLike = each(check=time_constants)
    tau_decay_ms: ArrayLike = each(check=time_constants)
    filter_step: FilterStep = choice("exact", "euler", default="exact", since=4)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        rise_ms, decay_ms = np.asarray(self.tau_rise_ms), np.asarray(self.tau_decay_ms)
        return {
            "decay": what_is_left(decay_ms, dt_ms, self.filter_step),
            "rise": what_is_left(rise_ms, dt_ms, self.filter_step),
            "dt_s": np.full(decay_ms.shape, dt_ms / 1000.0),
            "gain": np.asarray(1.0 / (rise_ms / 1000.0 * (decay_ms / 1000.0))),
        }

    def decay(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {
            "x": state.x * constant.decay + state.h * constant.dt_s,
            "h": state.h * constant.rise,
        }

    def response(self, dt_ms: float, steps: int) -> Array:
        constants = self.constants(dt_ms)
        m = np.arange(max(0, steps))[:, None]
        decay, rise = constants["decay"], constants["rise"]
        apart = decay - rise
        same = np.abs(apart) < 1e-12
        # The limit for equal time constants.
        alike = m * decay ** np.maximum(m - 1, 0)
        kernel = (decay**m - rise**m) / np.where(same, 1.0, apart)
        return np.asarray(constants["gain"] * constants["dt_s"] * np.where(same, alike, kernel))

    def shape_ms(self) -> float:
        return 15.0 * float(np.max(self.tau_rise_ms))

    @property
    def slowest_ms(self) -> Array:
        return np.asarray(self.tau_decay_ms)

    def slowed(self, tau_ms: Array) -> Self:
        return replace(self, tau_decay_ms=tau_ms)
