"""The bistable recurrent cell, of which the Spiking Recurrent Cell was made."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridge.spiking.neurons.model import Array, NeuronModel
from bridge.spiking.operations import Operations
from bridge.spiking.parts import each


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Brc(NeuronModel):
    """Bistable recurrent cells, whose values are graded (Vecoven, Ernst & Drion 2021, BRC).

    With the old h on the right and the current I of the step:
    a = 1 + tanh(w_a h + u_a I + b_a);  c = sigmoid(w_c h + u_c I + b_c);
    h <- c h + (1 - c) tanh(I + a h + bias). With w_a = 0 and bias = 0 a cell without input has two
    stable h where a > 1, and where a < 1 one, h = 0; else what is stable depends on both. A cell
    passes on h, of either sign, and never fires. Nothing has a unit, and a step is one of the cell,
    whatever it lasts. Every quantity is one number for all cells, or (N,) numbers, one for each.

    In the publication the gates have matrices of weights on the input of their own. Here a single
    current arrives at a cell, so the gates read it through one weight for each cell. Gates with
    matrices of their own, on the input and on h, are those of `bridge.nbrc_network`.

    Attributes:
        w_a: Weight of h in a.
        u_a: Weight of the current in a.
        b_a: Bias of a: without all else a is 1 + tanh(b_a), between 0 and 2.
        w_c: Weight of h in c.
        u_c: Weight of the current in c.
        b_c: Bias of c, what a step leaves of h: without all else sigmoid(b_c), between 0 and 1.
        bias: Of h.
    """

    kind = "brc"
    title = "BRC"
    format_version = 5
    states = {"h": 0.0}  # noqa: RUF012
    voltage = "h"
    fires = False
    emits = "value"

    w_a: ArrayLike = each(0.0)
    u_a: ArrayLike = each(0.0)
    b_a: ArrayLike = each(0.0)
    w_c: ArrayLike = each(0.0)
    u_c: ArrayLike = each(0.0)
    b_c: ArrayLike = each(0.0)
    bias: ArrayLike = each(0.0)

    def constants(self, dt_ms: float) -> dict[str, Array]:
        given = self.arrays()
        # The gates read the current without the bias of h.
        return given | {"bias": np.zeros_like(given["bias"]), "bias_of_h": given["bias"]}

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        h = state.h
        a = 1.0 + ops.tanh(constant.w_a * h + constant.u_a * current + constant.b_a)
        c = ops.sigmoid(constant.w_c * h + constant.u_c * current + constant.b_c)
        driven = current + a * h + constant.bias_of_h
        return {"h": c * h + (1.0 - c) * ops.tanh(driven)}

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        return {"value": state.h}
