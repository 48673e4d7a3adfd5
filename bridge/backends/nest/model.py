"""What a description becomes in NEST's `iaf_psc_exp_multisynapse`: numbers only, no simulator.

C_m is the membrane time constant, so that a current in pA is one in mV. NEST propagates membrane
and currents exactly; the parameters "euler" are those with which it takes the reference's steps:

- membrane: tau' = -dt / ln(1 - dt/tau) for "euler" steps, so that 1 - dt/tau of v is left;
- currents: within a step one of 1 pA that decays moves v by c (1 - e^(-dt/tau')) instead of the
  1 - e^(-dt/tau') of the reference's, held through the step. Its weights are divided by c.

A double exponential is the difference of two currents. NEST's first moves v in the step in which
the reference's does, where h and one decay have already passed: weights g dt d / (d - r) and
-g dt r / (d - r), with d and r what a step leaves of decay and rise.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.backends.reference.synapses import filtered_input
from bridge.backends.weighted_sums import input_current
from bridge.errors import SpecError
from bridge.spiking.decay import decay_factor
from bridge.spiking.drive import Drive
from bridge.spiking.exact_constants import expm1_rounded, log1p_rounded
from bridge.spiking.filters import DoubleExponential, Exponential
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif, known_neurons
from bridge.spiking.projection import Projection

Array = NDArray[np.float64]
Parameters: TypeAlias = Literal["euler", "plain"]

# The part by which time constants are changed that may not be equal.
_APART = 1e-5


def tics_per_ms(dt_ms: float) -> int:
    """The grid of time that NEST needs for a step; SpecError where it has none."""
    step = Fraction(dt_ms).limit_denominator(100_000)
    if not step or abs(float(step) / dt_ms - 1) > 1e-9:
        raise SpecError(f"NEST's clock counts whole fractions of a ms; it has no dt_ms of {dt_ms}")
    return lcm(1000, step.denominator)


def membrane_tau_ms(neurons: Lif, dt_ms: float, parameters: Parameters) -> Array:
    """NEST's membrane time constants, (n,) ms.

    Raises:
        SpecError: Euler steps that no exact propagation can equal.
    """
    tau_ms = np.asarray(neurons.tau_mem_ms)
    if neurons.membrane_step == "exact" or parameters == "plain":
        return tau_ms
    if np.any(tau_ms <= dt_ms):
        raise SpecError(
            f"NEST cannot take Euler steps of {dt_ms} ms where tau_mem_ms is {tau_ms.min()}; "
            "use parameters='plain'"
        )
    return np.asarray(-dt_ms / log1p_rounded(-dt_ms / tau_ms))


@dataclass(frozen=True)
class Port:
    """One exponential current of the neurons of a population, both arrays (n_post,).

    Attributes:
        tau_ms: Its time constant, ms.
        weight: pA by which a spike of weight 1 moves it.
    """

    tau_ms: Array
    weight: Array


def ports(
    projection: Projection, network: SpikingNetwork, parameters: Parameters
) -> tuple[Port, ...]:
    """The currents that each spike of a projection of the network moves.

    Time constants that are equal to each other or to the membrane's are set apart by up to 2e-5.
    """
    filter_, dt_ms = projection.filter, network.dt_ms
    neurons = lif(network.population(projection.target).neurons)
    tau_mem_ms = membrane_tau_ms(neurons, dt_ms, parameters)
    found: tuple[Port, ...]
    if isinstance(filter_, Exponential):
        found = (Port(_unlike(filter_.tau_ms, tau_mem_ms), filter_.constants(dt_ms)["gain"]),)
    elif isinstance(filter_, DoubleExponential):
        found = _double(filter_, tau_mem_ms, dt_ms, parameters)
    else:
        raise SpecError(
            f"projection {projection.name}: NEST has no filter {filter_.title} for spikes"
        )
    if parameters == "plain":
        return found
    return tuple(
        Port(port.tau_ms, port.weight / _held_share(port.tau_ms, tau_mem_ms, dt_ms))
        for port in found
    )


def _double(
    filter_: DoubleExponential, tau_mem_ms: Array, dt_ms: float, parameters: Parameters
) -> tuple[Port, Port]:
    tau_decay = _unlike(filter_.tau_decay_ms, tau_mem_ms)
    tau_rise = _unlike(filter_.tau_rise_ms, tau_mem_ms)
    # Where both are equal the difference of their currents vanishes.
    alike = np.abs(tau_rise - tau_decay) < _APART * tau_decay
    tau_rise = np.where(alike, tau_decay * (1 - 2 * _APART), tau_rise)
    if parameters == "plain":
        weight = 1000.0 / (tau_decay - tau_rise)
        return Port(tau_decay, weight), Port(tau_rise, -weight)
    decay, rise = decay_factor(tau_decay, dt_ms), decay_factor(tau_rise, dt_ms)
    gain = 1e6 / (tau_rise * tau_decay)
    weight = gain * (dt_ms / 1000.0) / (decay - rise)
    return Port(tau_decay, weight * decay), Port(tau_rise, -weight * rise)


def _unlike(tau_ms: ArrayLike, tau_mem_ms: Array) -> Array:
    """The time constants, a little longer where they are the membrane's, which NEST refuses."""
    return np.where(np.equal(tau_ms, tau_mem_ms), tau_mem_ms * (1 + _APART), tau_ms)


def _held_share(tau_ms: Array, tau_mem_ms: Array, dt_ms: float) -> Array:
    """What a decaying current moves v by in a step, relative to one held through the step."""
    apart = dt_ms * (1 / tau_mem_ms - 1 / tau_ms)
    level = np.where(apart == 0, 1.0, apart)
    mean = np.where(apart == 0, 1.0, expm1_rounded(level) / level)
    moved = dt_ms / tau_mem_ms * decay_factor(tau_mem_ms, dt_ms) * mean
    return np.asarray(moved / -expm1_rounded(-dt_ms / tau_mem_ms))


def delay_steps(projection: Projection) -> NDArray[np.int64]:
    """NEST's delay of each presynaptic neuron, (pre,), at least one step.

    A spike of step k moves v first in step k + delay + 1: where the contract says so, except for
    single exponentials without delay, which act one step late.
    """
    if isinstance(projection.filter, DoubleExponential):
        return projection.delays + 1
    return np.maximum(1, projection.delays)


def noise_weights(network: SpikingNetwork, parameters: Parameters) -> Array:
    """S.d. of a current that moves v by the noise's s.d. when held for one step, (N,) pA."""
    weights = []
    for population in network.populations:
        tau_ms = membrane_tau_ms(lif(population.neurons), network.dt_ms, parameters)
        weights.append(np.asarray(population.noise_mv) / -expm1_rounded(-network.dt_ms / tau_ms))
    return np.concatenate(weights)


def lif(neurons: object) -> Lif:
    """The neurons, if they are integrate-and-fire neurons with a leak; SpecError if not."""
    model = known_neurons("NEST", neurons)
    if not isinstance(model, Lif):
        raise SpecError(f"NEST has no {model.title} neuron in steps of the contract")
    if model.strictly or model.reset_by != "value":
        raise SpecError("NEST's neuron fires at its threshold, and is reset to a value")
    return model


def input_currents(network: SpikingNetwork, drive: Drive) -> tuple[NDArray[np.int64], Array]:
    """The current of the analog inputs in the one trial of a drive.

    Returns:
        Steps (E,) from which on a current holds, the first of them 0, and the currents (E, N).
    """
    steps, samples = drive.n_steps(network), len(drive.inputs)
    parts = [part for part in network.projections if network.is_analog(part.source)]
    sample = np.array([network.input_sample(step, samples) for step in range(steps)])
    starts: NDArray[np.int64] = np.arange(steps)
    if all(_held(part) for part in parts):
        starts = np.flatnonzero(np.diff(sample, prepend=-1)).astype(np.int64)
    currents = np.zeros((starts.size, network.size))
    for part in parts:
        target = network.span(part.target)
        if _held(part):
            shown = drive.inputs[:, 0, network.channels(part.source)]
            currents[:, target] += input_current(part, shown)[sample[starts]]
        else:
            currents[:, target] += filtered_input(network, part, drive)[:, 0]
    return starts, currents


def _held(part: Projection) -> bool:
    """Whether an input's current is that of its sample as long as this lasts."""
    return part.filter.memoryless and not part.longest_delay_steps
