"""Populations as nodes: neuron models in the numbers of NIR, which takes Euler steps.

Models of NIR go over as they are. Of those in mV the voltage is counted from the reset value on,
where they are reset to one: readers of NIR begin at 0, and some know no other reset. An exact step
v = I + (v - I) q is the Euler step of a time constant dt / (1 - q).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bridge.errors import SpecError
from bridge.exchange.nir.cells import RESETS, THRESHOLDS
from bridge.exchange.nir.file import Array
from bridge.exchange.nir.metadata import RESET, TAUS_MS, THRESHOLD, Field, seconds_of
from bridge.spiking.neurons import NeuronModel
from bridge.spiking.neurons.cuba_li import CubaLi
from bridge.spiking.neurons.cuba_lif import CubaLif
from bridge.spiking.neurons.integrate_and_fire import IntegrateAndFire
from bridge.spiking.neurons.integrator import Integrator
from bridge.spiking.neurons.leaky_integrator import LeakyIntegrator
from bridge.spiking.neurons.lif import Lif
from bridge.spiking.neurons.resistive_if import ResistiveIf
from bridge.spiking.neurons.resistive_lif import ResistiveLif
from bridge.spiking.neurons.threshold import Threshold
from bridge.spiking.population import Population


@dataclass(frozen=True, eq=False)
class Cell:
    """A node with a state or a threshold.

    Attributes:
        kind: Its type in NIR.
        fields: Its numbers, (N,) each; time constants in s.
        bias: (N,) constant current, which has to come from a node before.
        kept: What is kept in its metadata.
        shift: (N,) the voltage that is 0 in the node.
        said: How its numbers are not those of the population, in words; "" where they are.
    """

    kind: str
    fields: Mapping[str, Array]
    bias: Array
    kept: Mapping[str, Field]
    shift: Array
    said: str = ""


def cell_of(population: Population, dt_ms: float) -> Cell:
    """The node of a population.

    Raises:
        SpecError: NIR has no node for such neurons.
    """
    make = _MADE.get(type(population.neurons))
    if make is None:
        raise SpecError(
            f"population {population.name}: NIR has no node for neurons of type "
            f"{population.neurons.title}"
        )
    return make(_Source(population.neurons, population.name, dt_ms))


@dataclass(frozen=True, eq=False)
class _Source:
    """The neurons of a population, and what the metadata are to hold."""

    neurons: Any
    name: str
    dt_ms: float
    kept: dict[str, Field] = field(default_factory=dict)

    def numbers(self, *names: str) -> dict[str, Array]:
        """Parameters of the same name in NIR."""
        return {name: np.asarray(getattr(self.neurons, name)) for name in names}

    def tau(self, name: str, tau_ms: Array) -> dict[str, Array]:
        """A time constant in s; in ms in the metadata, where no number of seconds gives that."""
        return {name: tau_in_seconds(f"population {self.name}", name, tau_ms, self)}

    def cell(self, kind: str, fields: Mapping[str, Array], **more: Any) -> Cell:
        """The node."""
        bias = more.pop("bias", None)
        bias = np.asarray(self.neurons.bias) if bias is None else bias
        shift = more.pop("shift", np.zeros(bias.shape))
        return Cell(kind, fields, bias, self.kept, shift, **more)

    def firing(self) -> None:
        """Keep what NIR does not say of spikes, where it is not as readers take it."""
        for kept, known, here in (
            (RESET, RESETS, getattr(self.neurons, "reset_by", "value")),
            (THRESHOLD, THRESHOLDS, self.neurons.fires_where),
        ):
            word = next(word for word, ours in known.items() if ours == here)
            if word != next(iter(known)):
                self.kept[kept] = word


def tau_in_seconds(part: str, name: str, tau_ms: Array, source: Any) -> Array:
    """Time constants in s; `source.kept` takes the ms that no number of seconds gives.

    Raises:
        SpecError: they are not longer than the step.
    """
    if np.any(tau_ms <= source.dt_ms):
        raise SpecError(
            f"{part}: {name} of {tau_ms.min():g} ms is not longer than the time step of "
            f"{source.dt_ms:g} ms, and an Euler step needs that"
        )
    seconds = seconds_of(tau_ms)
    if np.any(seconds * 1000.0 != tau_ms):
        source.kept[TAUS_MS[name]] = tau_ms
    return seconds


def _leaky(source: _Source, tau: str = "tau") -> dict[str, Array]:
    return source.tau(tau, np.asarray(source.neurons.tau_mem_ms)) | source.numbers("r", "v_leak")


def _filtered(source: _Source) -> dict[str, Array]:
    syn = source.tau("tau_syn", np.asarray(source.neurons.tau_syn_ms))
    return _leaky(source, "tau_mem") | syn | source.numbers("w_in")


def _fires(source: _Source) -> dict[str, Array]:
    source.firing()
    return source.numbers("v_threshold", "v_reset")


def _threshold(source: _Source) -> Cell:
    source.firing()
    return source.cell("Threshold", source.numbers("threshold"))


def _lif(source: _Source) -> Cell:
    """Tau v' = v_rest - v + I in mV: no resistance, and the resting voltage is in the bias."""
    held, exact = source.neurons.constants(source.dt_ms), source.neurons.membrane_step == "exact"
    tau_ms = np.asarray(source.neurons.tau_mem_ms)
    if exact:
        tau_ms = source.dt_ms / (1.0 - held["factor"])
    shift = _shift(source, held)
    ones = np.ones(tau_ms.shape)
    fields = source.tau("tau", tau_ms) | {"r": ones, "v_leak": 0.0 * ones}
    fields |= _counted_from(source, held, shift)
    said = ["its time constants are those of Euler steps"] if exact else []
    said += _said(shift)
    return source.cell(
        "LIF", fields, bias=held["bias"] - shift, shift=shift, said=" and ".join(said)
    )


def _integrate_and_fire(source: _Source) -> Cell:
    held = source.neurons.constants(source.dt_ms)
    shift = _shift(source, held)
    fields = {"r": 1000.0 / np.asarray(source.neurons.tau_mem_ms)}
    fields |= _counted_from(source, held, shift)
    return source.cell(
        "IF", fields, bias=held["bias"], shift=shift, said=" and ".join(_said(shift))
    )


def _shift(source: _Source, held: Mapping[str, Array]) -> Array:
    """Where voltages are counted from. What subtracts the threshold cannot be shifted."""
    return held["reset"] if source.neurons.reset_by == "value" else np.zeros(held["reset"].shape)


def _counted_from(source: _Source, held: Mapping[str, Array], shift: Array) -> dict[str, Array]:
    source.firing()
    return {"v_threshold": held["threshold"] - shift, "v_reset": np.zeros(shift.shape)}


def _said(shift: Array) -> list[str]:
    return ["its voltages are counted from the reset value on"] if np.any(shift) else []


_MADE: Mapping[type[NeuronModel], Callable[[_Source], Cell]] = {
    Integrator: lambda s: s.cell("I", s.numbers("r")),
    LeakyIntegrator: lambda s: s.cell("LI", _leaky(s)),
    CubaLi: lambda s: s.cell("CubaLI", _filtered(s)),
    ResistiveIf: lambda s: s.cell("IF", s.numbers("r") | _fires(s)),
    ResistiveLif: lambda s: s.cell("LIF", _leaky(s) | _fires(s)),
    CubaLif: lambda s: s.cell("CubaLIF", _filtered(s) | _fires(s)),
    Threshold: _threshold,
    Lif: _lif,
    IntegrateAndFire: _integrate_and_fire,
}
