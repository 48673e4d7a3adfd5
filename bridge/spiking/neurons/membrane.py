"""What membranes that take their current through a resistance have in common.

Nothing of them has a unit but their time constants: voltages are in the unit of the threshold.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.arrays import time_constants
from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.neurons.reset import FiresWhere
from bridge.spiking.operations import Operations
from bridge.spiking.parts import choice, each

ResetByAll: TypeAlias = Literal["value", "subtraction", "late_subtraction"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Membrane(NeuronModel):
    """A membrane that forgets nothing: v' = r x with the current x, v += dt r x.

    Attributes:
        r: Resistance; of a membrane without a leak by how much a current of 1 moves v in 1 s.
        bias: Constant current, in addition to what arrives.
    """

    format_version = 5

    r: ArrayLike = each(1.0)
    bias: ArrayLike = each(0.0)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        r = np.asarray(self.r)
        return {
            "bias": np.asarray(self.bias),
            "r": r,
            "factor": np.full(r.shape, dt_ms / 1000.0),
        }

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        return {"v": self.moved(state, constant, current)}

    def moved(self, state: Any, constant: Any, current: Any) -> Any:
        """The new voltage."""
        return state.v + constant.r * current * constant.factor


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeakyMembrane(Membrane):
    """A membrane with a leak: tau v' = v_leak - v + r x, in Euler steps.

    Attributes:
        tau_mem_ms: Membrane time constant, ms.
        v_leak: Voltage without any current.
    """

    tau_mem_ms: ArrayLike = each(check=time_constants)
    v_leak: ArrayLike = each(0.0)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        factor = dt_ms / np.asarray(self.tau_mem_ms)
        leaky = {"factor": factor, "leak": np.asarray(self.v_leak)}
        return super().constants(dt_ms) | leaky

    def moved(self, state: Any, constant: Any, current: Any) -> Any:
        driven = constant.leak - state.v + constant.r * current
        return state.v + driven * constant.factor


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Filtered(LeakyMembrane):
    """A leaky membrane whose current is filtered: tau_syn i' = w_in x - i, v takes r times new i.

    Attributes:
        tau_syn_ms: Time constant of the filter, ms; everything passes it, the bias included.
        w_in: Weight of what enters the filter.
    """

    states = {"i": 0.0, "v": 0.0}  # noqa: RUF012

    tau_syn_ms: ArrayLike = each(check=time_constants)
    w_in: ArrayLike = each(1.0)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        factor = dt_ms / np.asarray(self.tau_syn_ms)
        return super().constants(dt_ms) | {"w_in": np.asarray(self.w_in), "factor_syn": factor}

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        i = state.i + (constant.w_in * current - state.i) * constant.factor_syn
        return {"i": i, "v": self.moved(state, constant, i)}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Shown(Membrane):
    """A membrane without a threshold, which passes on its voltage in each step."""

    fires = False
    emits = "value"

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": state.v}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Firing(Membrane):
    """A membrane with a threshold.

    Attributes:
        v_threshold: Where a neuron fires.
        v_reset: Voltage after a spike; nothing where reset is by subtraction.
        fires_where: "above_threshold": a neuron fires only where v > threshold; "at_threshold":
            where v >= threshold.
        reset_by: "value": v becomes `v_reset`; "subtraction": v loses `v_threshold` at once;
            "late_subtraction": it loses that after the next step's leak, before it is compared.
    """

    v_threshold: ArrayLike = each()
    v_reset: ArrayLike = each(0.0)
    fires_where: FiresWhere = choice(
        "above_threshold", "at_threshold", default="above_threshold", since=5
    )
    reset_by: ResetByAll = choice(
        "value", "subtraction", "late_subtraction", default="value", since=5
    )

    @property
    def strictly(self) -> bool:
        return self.fires_where == "above_threshold"

    def constants(self, dt_ms: float) -> dict[str, Array]:
        held, threshold = super().constants(dt_ms), np.asarray(self.v_threshold)
        return held | {
            "threshold": threshold,
            "reset": np.asarray(self.v_reset),
            "drop": self.dropped(threshold, held),
        }

    def dropped(self, threshold: Array, held: dict[str, Array]) -> Array:
        """What a spike takes from v at once: what the leak leaves of it is then the threshold."""
        if self.reset_by != "late_subtraction" or "leak" not in held:
            return threshold
        left = 1.0 - held["factor"]
        if np.any(left <= 0):
            raise SpecError("late_subtraction: needs membranes slower than the time step")
        return np.asarray(threshold / left)

    def reset(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"v": constant.reset if self.reset_by == "value" else state.v - constant.drop}
