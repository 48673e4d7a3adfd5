"""The networks of the probes: parts of the network that is compared, kept from firing."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.backends.constants import membrane
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif, NeuronModel, NormalVoltage, Population, Qif
from bridge.spiking.values import unknown

Array = NDArray[np.float64]

# No current of a probe lifts a voltage as far, and what starts beyond it fires at once.
UNREACHABLE_MV, FIRES_MV = 1e6, 1e9


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
        )
        for population in network.populations
    )


def _linear(neurons: NeuronModel) -> Lif:
    """LIF neurons of the same membrane that never reach threshold, active in every step.

    A quadratic membrane lends its time constant: from its voltages currents could not be told.
    """
    if isinstance(neurons, Qif):
        return Lif(
            membrane_step="euler",
            tau_mem_ms=neurons.tau_mem_ms,
            v_rest_mv=0.0,
            v_threshold_mv=UNREACHABLE_MV,
            v_reset_mv=0.0,
            refractory_steps=0,
        )
    if not isinstance(neurons, Lif):
        raise unknown("neuron model", neurons)
    return replace(
        neurons,
        v_threshold_mv=UNREACHABLE_MV * np.ones_like(np.asarray(neurons.v_threshold_mv)),
        v_rest_mv=np.zeros_like(np.asarray(neurons.v_rest_mv)),
        v_reset_mv=np.zeros_like(np.asarray(neurons.v_reset_mv)),
        bias_mv=np.zeros_like(np.asarray(neurons.bias_mv)),
        refractory_steps=0,
        initial_refractory_steps=0,
    )


def currents_of(populations: Sequence[Population], dt_ms: float, before: Array, v: Array) -> Array:
    """(K, B, N) current that moved silent populations in each step.

    Args:
        populations: Silent ones.
        dt_ms: Time step, ms.
        before: (B, N) voltages before the first step, mV.
        v: (K, B, N) voltages after each step, mV.
    """
    constants = [membrane(population.neurons, dt_ms) for population in populations]
    gain = np.concatenate(
        [1.0 - each.factor if each.step == "exact" else each.factor for each in constants]
    )
    earlier = np.concatenate([before[None], v[:-1]])
    currents: Array = (v - earlier) / gain + earlier
    return currents
