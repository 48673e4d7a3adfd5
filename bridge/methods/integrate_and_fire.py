"""A rate network as integrate-and-fire neurons that carry their remainder, whatever its activation.

Each unit becomes one neuron with the unit's activation inside (Cao et al. 2015, Diehl et al. 2015,
Rueckauer et al. 2017, for recurrent networks): it fires at `gain_hz` times its activation, and each
spike passes a filter that settles at 1 under a train of `gain_hz`. Weights, time constants, biases
and signs go over as they are; the more spikes, the nearer is the output to the rate network's.

Both networks mean the same by their samples: as sample 0 of the rate network's output is that of
its start, neurons and input wait for as long. In form x the output's filter lags by its time
constant, so there they wait for 5 ms less, or not at all.
"""

import math
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import number, of_kind
from bridge.errors import SpecError
from bridge.methods.one_to_one import OUTPUT, POPULATION, RECURRENT, STIMULUS
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import positive
from bridge.spiking.decay import decay_factor
from bridge.spiking.filters import Direct, Exponential, Filter, Side
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons.activation_if import ActivationIf
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

Array = NDArray[np.float64]
Plain = Literal["sigmoid", "softplus", "relu"]

DT_MS = 0.5
# Of form x: by how much the spiking network runs ahead of the rate network, at most by a sample.
# No output's filter that is tried lags by less.
LEAD_MS = 5.0
# A step is halved this often at most, unless it is given.
HALVINGS = 3
# A readout that forgets sooner shows the last spikes of a sample, and not its rate.
_LEAST_SHARE_OF_SAMPLE = 1 / 20


@dataclass(frozen=True)
class _Units:
    """Units whose activation is never negative, of either form.

    Attributes:
        activation: "sigmoid", "softplus" or "relu".
        highest: Where it is clipped.
        recurrent, w_in, bias: Of what the activation is taken of.
        start: x(0) of form x, h(0) of form h.
        activity: What is read at the start.
        w_out, b_out: Of the activities.
    """

    activation: Plain
    highest: float
    recurrent: Array
    w_in: Array
    bias: Array
    start: Array
    activity: Array
    w_out: Array
    b_out: Array


def map_integrate_and_fire(
    rate: RateNetwork,
    *,
    gain_hz: float,
    readout_tau_ms: float | None = None,
    dt_ms: float = DT_MS,
    highest_activity: float | None = None,
) -> SpikingNetwork:
    """A spiking network of the same size that follows a rate network of any activation and form.

    The noise of the rate network is left out.

    Args:
        rate: N units; of a conversion its rate network.
        gain_hz: The rate that stands for an activation of 1, Hz: 10 spikes in a time constant are
            good, 5 often enough.
        readout_tau_ms: Time constant of the output's filter, ms, in form x: a short one is noisy,
            a long one lags; None: each unit's own, which form h always has.
        dt_ms: Longest step, ms: it is shortened to a whole fraction of the rate network's, and
            halved where a neuron would have to fire more than once in it, at most three times.
        highest_activity: The highest activation that will occur, see `highest_activity_of`; None:
            the highest there can be.

    Returns:
        One population of N neurons with the names of the units' cell types, and one output.

    Raises:
        SpecError: the gain is too high for the step, or a number makes no sense.
    """
    rate = of_kind("rate", rate, RateNetwork)
    positive("gain_hz", number("gain_hz", gain_hz))
    read_ms = _readout_tau_ms(rate, readout_tau_ms)
    steps = steps_of_sample(rate, gain_hz, dt_ms, highest_activity)
    time = _Time(rate.dt_ms / steps, _waiting_steps(rate, steps), gain_hz)
    units = _never_negative(rate)
    return SpikingNetwork(
        dt_ms=time.dt_ms,
        populations=(_population(rate, units, time),),
        projections=_projections(rate, units, time),
        readouts=(_readout(units, read_ms, time),),
        input_size=rate.input_size,
        sample_steps=steps,
        task=rate.task,
        provenance={
            "made_by": f"spikebridge {version('spikebridge')}",
            "method": "integrate-and-fire neurons that carry their remainder",
            "gain_hz": float(gain_hz),
            "readout_tau_ms": "each unit's own" if readout_tau_ms is None else readout_tau_ms,
        },
    )


# Currents of spikes waver around those of rates.
_MARGIN = 1.2


def highest_activity_of(rate: RateNetwork, activity: Array) -> float:
    """The highest activation that a spiking network should be ready for.

    Args:
        rate: The rate network.
        activity: (T, B, N) of it in some trials, as it runs without noise.
    """
    ceiling = _ceiling(rate)
    if ceiling <= 1:
        return ceiling
    if rate.form == "h" and len(activity) > 1:
        # h follows the activation and never meets its peaks.
        keep = 1.0 - rate.dt_ms / rate.tau_ms
        activity = (activity[1:] - keep * activity[:-1]) / (1.0 - keep)
    # What is silent in these trials may do anything.
    return min(ceiling, _MARGIN * float(activity.max()) or 1.0)


def steps_of_sample(
    rate: RateNetwork,
    gain_hz: float,
    dt_ms: float = DT_MS,
    highest_activity: float | None = None,
) -> int:
    """Steps of the spiking network in one of the rate network, as `map_integrate_and_fire` takes.

    Raises:
        SpecError: the highest activation would need more than one spike in each of them.
    """
    positive("dt_ms", number("dt_ms", dt_ms))
    highest = _ceiling(rate) if highest_activity is None else highest_activity
    if not 0 < number("highest_activity", highest) < math.inf:
        raise SpecError(
            "highest_activity: has to be given for an activation without an upper end, as a "
            f"positive number, got {highest:g}"
        )
    first = max(1, math.ceil(rate.dt_ms / dt_ms - 1e-9))
    # At most one spike a step.
    needed = gain_hz * rate.dt_ms / 1000.0 * highest * (1 - 1e-9)
    for steps in (first << halvings for halvings in range(HALVINGS + 1)):
        if steps >= needed:
            return steps
    raise SpecError(
        f"gain_hz: at {gain_hz:g} Hz an activation of {highest:.3g} asks for more than one spike "
        f"in {rate.dt_ms / (first << HALVINGS):.3g} ms: a step of {1000 / gain_hz / highest:.2g} "
        "ms would do (dt_ms)"
    )


def shortest_readout_ms(rate: RateNetwork) -> float:
    """The shortest time constant that the output's filter may have, ms."""
    return rate.dt_ms * _LEAST_SHARE_OF_SAMPLE


def _ceiling(rate: RateNetwork) -> float:
    """The highest activation there can be, of tanh that of the sigmoid in its place."""
    return rate.highest_rate if rate.activation in ("softplus", "relu") else 1.0


def _readout_tau_ms(rate: RateNetwork, given: float | None) -> Array:
    """(N,) time constants of the output's filter, ms."""
    if given is None:
        return rate.tau_ms
    if rate.form == "h":
        raise SpecError(
            "readout_tau_ms: in form h the output reads what the units' own filters hold; leave it "
            "out"
        )
    least = shortest_readout_ms(rate)
    if not least <= number("readout_tau_ms", given) < math.inf:
        raise SpecError(f"readout_tau_ms: expected at least {least:g} ms, got {given:g}")
    return np.full(rate.size, float(given))


def _never_negative(rate: RateNetwork) -> _Units:
    """The units; tanh(c) = 2 sigmoid(2c) - 1 is rewritten, by factors of 2 and constants alone."""
    start = rate.initial_state
    activity = rate.phi(start) if rate.form == "x" else start
    if rate.activation != "tanh":
        kept = rate.recurrent, rate.w_in, rate.bias, start, activity, rate.w_out, rate.b_out
        plain: Plain = rate.activation  # type: ignore[assignment]
        return _Units(plain, math.inf if plain == "sigmoid" else _ceiling(rate), *kept)
    # Activities of sigmoids.
    activity = (activity + 1.0) / 2.0
    return _Units(
        "sigmoid",
        math.inf,
        4.0 * rate.recurrent,
        2.0 * rate.w_in,
        2.0 * (rate.bias - rate.recurrent.sum(axis=1)),
        2.0 * start if rate.form == "x" else activity,
        activity,
        2.0 * rate.w_out,
        rate.b_out - rate.w_out.sum(axis=1),
    )


def _waiting_steps(rate: RateNetwork, steps: int) -> int:
    """Steps before anything happens."""
    lead = round(LEAD_MS * steps / rate.dt_ms) if rate.form == "x" else 0
    return max(0, steps - lead)


@dataclass(frozen=True)
class _Time:
    """The step, and what it makes of filters.

    Attributes:
        dt_ms: The step.
        waits: Steps before any input arrives or neuron fires, in which filters decay.
        gain_hz: The rate that stands for 1.
    """

    dt_ms: float
    waits: int
    gain_hz: float

    def of_spikes(self, tau_ms: Array, side: Side = "post") -> Exponential:
        """A filter that a train of the gain makes settle at 1."""
        gain = self._new(tau_ms) / (self.gain_hz * (self.dt_ms / 1000.0))
        return Exponential(tau_ms=tau_ms, normalisation="gain", gain=gain, side=side)

    def of_input(self, tau_ms: Array) -> Exponential:
        """A filter that settles at a constant input."""
        return Exponential(tau_ms=tau_ms, normalisation="gain", gain=self._new(tau_ms))

    def start(self, tau_ms: Array, values: Array) -> dict[str, Array]:
        """What a filter starts with so as to hold these values after the wait."""
        return {"x": values / decay_factor(tau_ms, self.waits * self.dt_ms)}

    def _new(self, tau_ms: Array) -> Array:
        """The share of a filter that is new in each step."""
        return np.asarray(1.0 - decay_factor(tau_ms, self.dt_ms))


def _population(rate: RateNetwork, units: _Units, time: _Time) -> Population:
    return Population(
        name=POPULATION,
        size=rate.size,
        neurons=ActivationIf(
            activation=units.activation,
            gain_hz=time.gain_hz,
            bias=units.bias,
            highest_rate=units.highest,
            initial_refractory_steps=time.waits,
        ),
        initial_voltage=UniformVoltage(low_mv=0.0, high_mv=1.0),
        cell_types=rate.cell_types,
    )


def _projections(rate: RateNetwork, units: _Units, time: _Time) -> tuple[Projection, Projection]:
    tau_ms = rate.tau_ms
    side: Side = "post"
    held: dict[str, Array] = {}
    low: dict[str, Array] = {}
    through: Filter = Direct()
    if rate.form == "x":
        # What W_in and the start leave; a bias is there from the start, and needs no filter.
        through, low = time.of_input(tau_ms), time.start(tau_ms, units.start - units.bias)
    elif np.all(tau_ms == tau_ms[0]):
        held = time.start(tau_ms, units.recurrent @ units.start)
    else:
        side, held = "pre", time.start(tau_ms, units.start)
    recurrent = Projection(
        name=RECURRENT,
        source=POPULATION,
        target=POPULATION,
        weights=units.recurrent,
        filter=time.of_spikes(tau_ms, side),
        initial_states=held,
    )
    stimulus = Projection(
        name=STIMULUS,
        source=INPUT,
        target=POPULATION,
        weights=units.w_in,
        filter=through,
        delay_steps=time.waits,
        initial_states=low,
    )
    return recurrent, stimulus


def _readout(units: _Units, tau_ms: Array, time: _Time) -> Readout:
    channel = Channel(
        source=POPULATION,
        weights=units.w_out,
        filter=time.of_spikes(tau_ms),
        initial_states=time.start(tau_ms, units.activity),
    )
    return Readout(name=OUTPUT, channels=(channel,), bias=units.b_out)
