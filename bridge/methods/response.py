"""How fast a neuron fires at a constant current, under the noise of its population.

The membrane step with noise is, for steps as short as ours, a diffusion. Its stationary density
below threshold, carried by a constant flux from reset to threshold, is integrated from the
threshold down (threshold integration: M. J. E. Richardson, Phys. Rev. E 76:021919, 2007); the rate
is the flux that makes density and refractory time add up to one.
"""

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population

Array = NDArray[np.float64]

# Below this current a neuron at threshold without input does not fire at all: at -12 mV a LIF
# neuron of the mapping, whose voltage has an s.d. of 1 mV, does so less than once in a century.
LOWEST_MV = -12.0

_GRID_MV = 0.02

# A diffusion seen only at whole steps crosses a threshold later, as if it were higher by this
# share of the s.d. of one step: -zeta(1/2) / sqrt(2 pi) (Broadie, Glasserman & Kou, Mathematical
# Finance 7:325, 1997).
_SEEN_IN_STEPS = 0.5826


def firing_rates_hz(population: Population, current_mv: Array, dt_ms: float) -> Array:
    """Firing rates of the population's first neuron at constant currents, (M,) in Hz.

    Args:
        population: LIF or QIF neurons with noise.
        current_mv: (M,) current without the bias, mV; what lies below `LOWEST_MV` counts as that.
        dt_ms: Step of the network, ms.

    Raises:
        SpecError: the population has no noise.
    """
    noise = float(np.asarray(population.noise_mv)[0])
    if noise <= 0:
        raise SpecError(f"population {population.name}: its response is known only with noise")
    neurons = _known(population)
    threshold, reset = (
        float(np.asarray(value)[0]) for value in (neurons.v_threshold_mv, neurons.v_reset_mv)
    )
    diffusion = noise**2 / (2 * dt_ms)
    # Six times the s.d. of a leaky membrane: hardly any voltage lies deeper below reset.
    tau_ms = float(np.asarray(neurons.tau_mem_ms)[0])
    lowest = reset - 6 * np.sqrt(diffusion * tau_ms)
    edges = np.arange(threshold + _SEEN_IN_STEPS * noise, lowest, -_GRID_MV)
    current = np.maximum(np.asarray(current_mv, dtype=np.float64), LOWEST_MV)
    density, total = np.zeros_like(current), np.zeros_like(current)
    for voltage in edges - _GRID_MV / 2:
        steepness = _drift(population, voltage, current) / diffusion * _GRID_MV
        flux = _GRID_MV / diffusion if voltage > reset else 0.0
        below = density * np.exp(-steepness) + flux * _decayed_share(steepness)
        total += 0.5 * (density + below) * _GRID_MV
        density = below
    return 1000.0 / (neurons.refractory_steps * dt_ms + total)


def _drift(population: Population, voltage: float, current: Array) -> Array:
    """(M,) how fast the voltage moves without noise, mV/ms."""
    neurons = _known(population)
    push = current + float(np.asarray(neurons.bias_mv)[0])
    if isinstance(neurons, Lif):
        push = push + float(np.asarray(neurons.v_rest_mv)[0]) - voltage
    else:
        push = push + voltage**2
    moved: Array = push / float(np.asarray(neurons.tau_mem_ms)[0])
    return moved


def _known(population: Population) -> Lif | Qif:
    """Its neurons, where it is known how they answer to a current."""
    neurons = population.neurons
    if not isinstance(neurons, Lif | Qif):
        raise SpecError(
            f"population {population.name}: the response of {neurons.title} neurons is not known"
        )
    return neurons


def _decayed_share(steepness: Array) -> Array:
    """(1 - e^-z) / z, which is 1 at 0."""
    safe = np.where(steepness == 0, 1.0, steepness)
    return np.where(steepness == 0, 1.0, -np.expm1(-safe) / safe)


def averaged(rates_hz: Array, current_mv: Array, at_mv: Array, sd_mv: Array) -> Array:
    """Mean rates where the current fluctuates slowly, normally distributed.

    Args:
        rates_hz: (M,) at
        current_mv: (M,), ascending; outside, the rates at its ends hold.
        at_mv: Mean currents, of any shape.
        sd_mv: Their s.d., of a shape that fits.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(11)
    weights = weights / weights.sum()
    total = np.zeros(np.broadcast_shapes(np.shape(at_mv), np.shape(sd_mv)))
    for node, weight in zip(nodes, weights, strict=True):
        total += weight * np.interp(at_mv + node * sd_mv, current_mv, rates_hz)
    return total
