"""The parts of a leaky network of PyTorch as arrays, put together to a rate network.

Weights are (post, pre), as `torch.nn.Linear` and `torch.nn.RNN` keep them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.rate.network import RateNetwork
from bridge.rate.plain_activations import HIGHEST_RATE
from bridge.rate.plain_arrays import numbers, vector
from bridge.rate.unit_forms import check_form
from bridge.rate.unit_names import bias_of, start_of
from bridge.spiking.essentials import essentials
from bridge.spiking.values import shown, time_step_ms

Array = NDArray[np.float64]

ACTIVATIONS: Mapping[str, tuple[str, float]] = {
    "sigmoid": ("sigmoid", HIGHEST_RATE),
    "softplus": ("softplus", math.inf),
    "relu": ("relu", math.inf),
    "relu6": ("relu", 6.0),
    "tanh": ("tanh", HIGHEST_RATE),
}
"""What PyTorch calls activations: ours, and where they are clipped."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a module or a file holds of a network of N units.

    Attributes:
        recurrent: (N, N).
        w_in: (N, C).
        w_out: (O, N); None: the outputs are the activities.
        b_out: (O,); None: there is none.
        biases: By name; they add up.
        start: By name, the state to start from; at most one.
    """

    recurrent: Any
    w_in: Any
    w_out: Any = None
    b_out: Any = None
    biases: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = essentials


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How units of a network act.

    Attributes:
        dt_ms: Step, ms.
        tau_ms: Time constants, ms: one number or (N,); None: the step, as of `torch.nn.RNN`.
        activation: One of `ACTIVATIONS`.
        form: "x" or "h".
        highest_rate: Where softplus and relu are clipped; None: where PyTorch does.
        noise_sd: S.d. of the noise added to the state in each step.
    """

    dt_ms: float
    tau_ms: Any
    activation: str
    form: str
    highest_rate: float | None = None
    noise_sd: float = 0.0

    __repr__ = essentials


def assembled(parts: Parts, manner: Manner, **fields: Any) -> RateNetwork:
    """A rate network of parts that act in this manner; it starts without noise.

    Args:
        parts: Its weights, biases and start.
        manner: What its units do with them.
        **fields: `task`, `excitatory`, `cell_types`, `provenance`.

    Raises:
        SpecError: something does not fit, or makes no sense.
    """
    check_form(manner.form)
    activation, highest = known_activation(manner.activation)
    if manner.highest_rate is not None:
        highest = manner.highest_rate
    recurrent = numbers("recurrent", parts.recurrent)
    size = len(recurrent) if recurrent.ndim else 0
    return RateNetwork.from_arrays(
        recurrent=recurrent,
        w_in=parts.w_in,
        w_out=np.eye(size) if parts.w_out is None else parts.w_out,
        b_out=0.0 if parts.b_out is None else parts.b_out,
        tau_ms=_tau_ms(manner, size),
        dt_ms=manner.dt_ms,
        activation=activation,
        form=manner.form,
        highest_rate=highest,
        noise_sd=manner.noise_sd,
        initial_sd=0.0,
        bias=bias_of(parts.biases, size),
        initial_state=start_of(parts.start, size, manner.form),
        **fields,
    )


def known_activation(name: str) -> tuple[str, float]:
    """Our name of an activation, and where it is clipped; SpecError for one that is not known."""
    if name not in ACTIVATIONS:
        raise SpecError(
            f"activation: {shown(name)} is not known; known are {', '.join(ACTIVATIONS)}"
        )
    return ACTIVATIONS[name]


def _tau_ms(manner: Manner, size: int) -> Array:
    """(size,) time constants, none of them below the step."""
    dt_ms = time_step_ms("dt_ms", manner.dt_ms)
    tau_ms = vector("tau_ms", dt_ms if manner.tau_ms is None else manner.tau_ms, size)
    # Otherwise a step would overshoot; a tensor in float32 may lie below by its rounding.
    if np.any(tau_ms < dt_ms * (1 - 1e-6)):
        raise SpecError(
            f"tau_ms: must not be below the step of {dt_ms:g} ms, got {tau_ms.min():g} ms"
        )
    return tau_ms
