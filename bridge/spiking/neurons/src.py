"""The Spiking Recurrent Cell."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.arrays import positive
from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each

# h above this is a spike: it opens the gate, and is counted.
SPIKE = 0.5
# A trained bias is held below: a cell above about -4.4 spikes by itself.
HIGHEST_TRAINED_BIAS = -4.0
# Of the smooth gate, as in the authors' first version.
_SLOPE = 10.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Src(NeuronModel):
    """Spiking recurrent cells, whose spikes are values (De Geeter, Ernst & Drion 2023, eq. 5a-5f).

    i <- alpha i + current;  x = rho tanh(i / rho);  with the old h and h_s
    z_s = z_hyp + (z_dep - z_hyp) G(h);
    h <- z h + (1 - z) tanh(x + r h + r_s h_s + bias);  h_s <- z_s h_s + (1 - z_s) h.
    A cell passes on max(h, 0), which is 0 between spikes; the steps in which h is above 0.5 are
    recorded as its spikes. Nothing has a unit, and a step is one of the cell, whatever it lasts.
    Every quantity is one number for all cells, or (N,) numbers, one for each.

    Attributes:
        gate: G: "heaviside": 1 where h > 0.5, else 0; "sigmoid": 1 / (1 + e^(-10 (h - 0.5))).
        gate_reads: Which h it is in G: the "old" one, as in the authors' programs; or the "new" one
            of this step, as their equation is printed: spikes are then about half as wide.
        counted: What is recorded as a spike: all "steps" above 0.5, or "onsets", the first of each
            run of such steps.
        alpha: What a step leaves of the synaptic current i.
        rho: Bound of what i does to h.
        r: Weight of h on itself.
        r_s: Weight of the slow h_s on h.
        z: What a step leaves of h.
        z_hyp: What a step leaves of h_s between spikes.
        z_dep: What a step leaves of h_s in a spike.
        bias: Of h; above about -4.4 a cell spikes by itself.
    """

    kind = "src"
    title = "SRC"
    states = {"i": 0.0, "h": 0.0, "h_s": 0.0}  # noqa: RUF012
    voltage = "h"
    emits = "value"

    gate: Literal["heaviside", "sigmoid"] = choice("heaviside", "sigmoid", default="heaviside")
    gate_reads: Literal["old", "new"] = choice("old", "new", default="old", since=5)
    counted: Literal["steps", "onsets"] = choice("steps", "onsets", default="steps", since=5)
    alpha: ArrayLike = each(0.9)
    rho: ArrayLike = each(3.0, check=positive)
    r: ArrayLike = each(2.0)
    r_s: ArrayLike = each(-7.0)
    z: ArrayLike = each(0.0)
    z_hyp: ArrayLike = each(0.9)
    z_dep: ArrayLike = each(0.0)
    bias: ArrayLike = each(-6.0)

    def check(self) -> None:
        for name in ("alpha", "z", "z_hyp", "z_dep"):
            left = np.atleast_1d(getattr(self, name))
            outside = left[(left < 0) | (left > 1)]
            if outside.size:
                raise SpecError(f"{name}: what a step leaves lies in 0 to 1, got {outside[0]:g}")

    @property
    def strictly(self) -> bool:
        return True

    @property
    def onsets_alone(self) -> bool:
        return self.counted == "onsets"

    def constants(self, dt_ms: float) -> dict[str, Array]:
        given = self.arrays()
        rho, z = given["rho"], given["z"]
        return given | {
            # The bias is added to h, not to the current that i integrates.
            "bias": np.zeros_like(rho),
            "bias_of_h": given["bias"],
            "per_rho": np.asarray(1.0 / rho),
            "new": np.asarray(1.0 - z),
            "gating": np.asarray(given["z_dep"] - given["z_hyp"]),
            "threshold": np.full(rho.shape, SPIKE),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        h, h_s = state.h, state.h_s
        i = constant.alpha * state.i + current
        x = constant.rho * ops.tanh(i * constant.per_rho)
        driven = x + constant.r * h + constant.r_s * h_s + constant.bias_of_h
        new = constant.z * h + constant.new * ops.tanh(driven)
        z_s = self._slow(ops, h if self.gate_reads == "old" else new, constant)
        return {"i": i, "h": new, "h_s": z_s * h_s + (1.0 - z_s) * h}

    def _slow(self, ops: Operations, h: Any, constant: Any) -> Any:
        """What the step leaves of h_s."""
        if self.gate == "heaviside":
            return ops.where(ops.above(h, SPIKE), constant.z_dep, constant.z_hyp)
        return constant.z_hyp + constant.gating * ops.sigmoid(_SLOPE * (h - SPIKE))

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": ops.where(ops.above(state.h, 0.0), state.h, 0.0)}
