"""The networks of the probes: parts of the network that is compared, kept from firing."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.probes.membranes import membrane
from bridge.spiking.initial_voltage import NormalVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif, NeuronModel
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]

# No current of a probe lifts a voltage as far, and what starts beyond it fires at once.
UNREACHABLE_MV, FIRES_MV = 1e6, 1e9
# Of silent neurons whose model has no membrane time constant.
_TAU_MS = 10.0


def silent(network: SpikingNetwork) -> tuple[Population, ...]:
    """The populations without noise, bias and spikes, at 0 mV where nothing drives them.

    At 0 mV small currents show in every precision; rest and bias are part of the f-I curve.
    """
    return tuple(
        replace(
            population,
            neurons=_linear(population.neurons),
            noise_mv=0.0,
            initial_voltage=NormalVoltage(mean_mv=0.0, sd_mv=0.0),
            initial_states={},
        )
        for population in network.populations
    )


def at_rest(projection: Projection) -> Projection:
    """The projection with a filter that is empty at the start."""
    return replace(projection, initial_states={})


def _linear(neurons: NeuronModel) -> Lif:
    """LIF neurons of the same membrane that never reach threshold, active in every step.

    One that is not leaky lends at most its time constant: from its voltages currents could not be
    stated.
    """
    arrays = neurons.arrays()
    exact = neurons.chosen().get("membrane_step") == "exact"
    return Lif(
        membrane_step="exact" if exact else "euler",
        tau_mem_ms=arrays.get("tau_mem_ms", _TAU_MS),
        v_rest_mv=0.0,
        v_threshold_mv=UNREACHABLE_MV,
        v_reset_mv=0.0,
    )


def currents_of(populations: Sequence[Population], dt_ms: float, before: Array, v: Array) -> Array:
    """(K, B, N) current that moved silent populations in each step.

    Args:
        populations: Silent ones.
        dt_ms: Time step, ms.
        before: (B, N) voltages before the first step, mV.
        v: (K, B, N) voltages after each step, mV.
    """
    gain = 1.0 - what_is_left(populations, dt_ms)
    earlier = np.concatenate([before[None], v[:-1]])
    currents: Array = (v - earlier) / gain + earlier
    return currents


def what_is_left(populations: Sequence[Population], dt_ms: float) -> Array:
    """(N,) what a step leaves of the voltages of silent populations without current."""
    return np.concatenate([membrane(part, dt_ms).left for part in populations])
