"""Nodes with a state or a threshold as neuron models, their numbers one for each neuron."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.errors import SpecError
from bridge.exchange.nir.file import Array
from bridge.exchange.nir.maps import Shape, spread
from bridge.exchange.nir.metadata import RESET, TAUS_MS, THRESHOLD, milliseconds, text_in
from bridge.exchange.nir.nodes import Place
from bridge.spiking.neurons import NeuronModel
from bridge.spiking.neurons.cuba_li import CubaLi
from bridge.spiking.neurons.cuba_lif import CubaLif
from bridge.spiking.neurons.integrator import Integrator
from bridge.spiking.neurons.leaky_integrator import LeakyIntegrator
from bridge.spiking.neurons.resistive_if import ResistiveIf
from bridge.spiking.neurons.resistive_lif import ResistiveLif
from bridge.spiking.neurons.threshold import Threshold

RESETS: Mapping[str, str] = {
    "value": "value",
    "subtract": "subtraction",
    "subtract-late": "late_subtraction",
}
THRESHOLDS: Mapping[str, str] = {"above": "above_threshold", "at": "at_threshold"}


@dataclass(frozen=True)
class Firing:
    """What NIR leaves open of spikes: what becomes of v, and what happens at the threshold.

    None: as our own metadata say, else the value of the file and strictly above.
    """

    reset: str | None
    threshold: str | None

    def __post_init__(self) -> None:
        for name, known in (("reset", RESETS), ("threshold", THRESHOLDS)):
            if getattr(self, name) not in (None, *known):
                raise SpecError(
                    f"{name}: {' or '.join(map(repr, known))}, got {getattr(self, name)!r}"
                )

    def reset_of(self, place: Place) -> str:
        """What becomes of v in a node."""
        return RESETS[self.reset or _kept(place, RESET, RESETS)]

    def threshold_of(self, place: Place) -> str:
        """What happens at the threshold of a node."""
        return THRESHOLDS[self.threshold or _kept(place, THRESHOLD, THRESHOLDS)]


def _kept(place: Place, name: str, known: Mapping[str, str]) -> str:
    """What the metadata say, if it is known, else the first of what is."""
    told = text_in(place.kept, name)
    return told if told in known else next(iter(known))


def neurons_of(place: Place, shape: Shape, bias: Array, dt_ms: float, as_: Firing) -> NeuronModel:
    """The model of a node, for what arrives of a shape, with a constant current.

    Raises:
        FormatError: a number makes no sense, or the time step is too long for it.
    """
    return _MODELS[place.kind](place, shape, bias, dt_ms, as_)


def _resistance(place: Place, shape: Shape, bias: Array) -> dict[str, Any]:
    return {"r": spread(place, "r", shape), "bias": bias}


def _tau_ms(place: Place, field: str, shape: Shape, dt_ms: float) -> Array:
    seconds = spread(place, field, shape)
    tau_ms = milliseconds(seconds, place.kept.get(TAUS_MS[field]))
    if np.any(tau_ms <= 0):
        raise place.error(f"{field} must be positive, got {tau_ms.min() / 1000.0:g} s")
    if np.any(tau_ms <= dt_ms):
        raise place.error(
            f"{field} is {tau_ms.min():g} ms, and an Euler step of {dt_ms:g} ms needs longer time "
            "constants"
        )
    return tau_ms


def _leaky(
    place: Place, shape: Shape, bias: Array, dt_ms: float, tau: str = "tau"
) -> dict[str, Any]:
    return _resistance(place, shape, bias) | {
        "tau_mem_ms": _tau_ms(place, tau, shape, dt_ms),
        "v_leak": spread(place, "v_leak", shape),
    }


def _filtered(place: Place, shape: Shape, bias: Array, dt_ms: float) -> dict[str, Any]:
    w_in = spread(place, "w_in", shape) if place.has("w_in") else np.ones(bias.shape)
    return _leaky(place, shape, bias, dt_ms, "tau_mem") | {
        "tau_syn_ms": _tau_ms(place, "tau_syn", shape, dt_ms),
        "w_in": w_in,
    }


def _firing(place: Place, shape: Shape, as_: Firing) -> dict[str, Any]:
    v_reset = spread(place, "v_reset", shape) if place.has("v_reset") else 0.0
    return {
        "v_threshold": spread(place, "v_threshold", shape),
        "v_reset": v_reset,
        "reset_by": as_.reset_of(place),
        "fires_where": as_.threshold_of(place),
    }


def _threshold(place: Place, shape: Shape, bias: Array, dt_ms: float, as_: Firing) -> Threshold:
    return Threshold(
        threshold=spread(place, "threshold", shape),
        bias=bias,
        fires_where=as_.threshold_of(place),  # type: ignore[arg-type]
    )


_Made = Callable[[Place, Shape, Array, float, Firing], NeuronModel]
_MODELS: Mapping[str, _Made] = {
    "I": lambda p, s, b, dt, _: Integrator(**_resistance(p, s, b)),
    "LI": lambda p, s, b, dt, _: LeakyIntegrator(**_leaky(p, s, b, dt)),
    "CubaLI": lambda p, s, b, dt, _: CubaLi(**_filtered(p, s, b, dt)),
    "IF": lambda p, s, b, dt, f: ResistiveIf(**_resistance(p, s, b), **_firing(p, s, f)),
    "LIF": lambda p, s, b, dt, f: ResistiveLif(**_leaky(p, s, b, dt), **_firing(p, s, f)),
    "CubaLIF": lambda p, s, b, dt, f: CubaLif(**_filtered(p, s, b, dt), **_firing(p, s, f)),
    "Threshold": _threshold,
}
