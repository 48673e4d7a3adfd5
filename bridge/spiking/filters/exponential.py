"""A single exponential."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.arrays import time_constants
from bridge.spiking.decay import FilterStep, what_is_left
from bridge.spiking.filters.filter import Array, Filter
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Exponential(Filter):
    """x <- x exp(-dt/tau) + g w s.

    In a projection tau belongs to the postsynaptic neuron. If `side` is "pre", it belongs to the
    presynaptic one. Then x <- x exp(-dt/tau) + g s is kept for each presynaptic neuron or input
    channel, and the weights sum these x. In a readout tau belongs to the neuron read.

    Attributes:
        tau_ms: Time constant, ms; one number or (N,).
        normalisation: "area": g = 1/tau in 1/s, a spike has unit area and x is in Hz times the
            weight's unit. "jump": g = 1, a spike moves x by its weight. "gain": g is `gain`.
        gain: g where it is its own, dimensionless; one number or (N,).
        filter_step: "exact": a step leaves exp(-dt/tau); "euler": 1 - dt/tau, as in NIR's cells.
    """

    kind = "exponential"
    title = "Exponential"
    format_version = 1

    tau_ms: ArrayLike = each(check=time_constants)
    normalisation: Literal["area", "jump", "gain"] = choice("area", "jump", "gain")
    gain: ArrayLike = each(1.0, since=4)
    filter_step: FilterStep = choice("exact", "euler", default="exact", since=4)

    def needs_version(self) -> int:
        return 4 if self.normalisation == "gain" else super().needs_version()

    def check(self) -> None:
        if self.normalisation != "gain" and np.any(np.asarray(self.gain) != 1.0):
            raise SpecError(f"gain: of no use where the normalisation is {self.normalisation!r}")

    def constants(self, dt_ms: float) -> dict[str, Array]:
        tau_s = np.asarray(self.tau_ms) / 1000.0
        gains = {"area": 1.0 / tau_s, "jump": np.ones_like(tau_s), "gain": self.gain}
        left = what_is_left(self.tau_ms, dt_ms, self.filter_step)
        return {"decay": left, "gain": np.asarray(gains[self.normalisation])}

    def decay(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"x": state.x * constant.decay}

    def response(self, dt_ms: float, steps: int) -> Array:
        constants = self.constants(dt_ms)
        m = np.arange(max(0, steps))[:, None]
        return np.asarray(constants["gain"] * constants["decay"] ** m)

    def shape_ms(self) -> float:
        return 3.0 * float(np.max(self.tau_ms))

    @property
    def slowest_ms(self) -> Array:
        return np.asarray(self.tau_ms)

    def slowed(self, tau_ms: Array) -> Self:
        return replace(self, tau_ms=tau_ms)

    def described(self) -> str:
        unit = "gain of its own" if self.normalisation == "gain" else f"unit {self.normalisation}"
        euler = ", Euler steps" if self.filter_step == "euler" else ""
        return f"{self.title}, {unit}{euler}{super().described()[len(self.title) :]}"
