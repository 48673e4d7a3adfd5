"""A rate network as integrate-and-fire neurons that carry their remainder, whatever its activation.

Each unit becomes one neuron with the unit's activation inside (Cao et al. 2015, Diehl et al. 2015,
Rueckauer et al. 2017, for recurrent networks): it fires at `gain_hz` times its activation, and each
spike passes a filter that settles at 1 under a train of `gain_hz`. Weights, biases and signs go
over as they are; the more spikes, the nearer is the output to the rate network's. What becomes of
its time constants and of its step, `bridge.methods.rate_timing` says.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import number, of_kind
from bridge.errors import SpecError
from bridge.methods.gain_steps import DT_MS, ceiling_of, steps_of_sample
from bridge.methods.one_to_one import OUTPUT, POPULATION, RECURRENT, STIMULUS
from bridge.methods.rate_timing import Read, Timing
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import positive
from bridge.spiking.decay import decay_factor
from bridge.spiking.filters import Direct, Filter, Side
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons.activation_if import ActivationIf
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.versions import version

Array = NDArray[np.float64]
Plain = Literal["sigmoid", "softplus", "relu"]

# A readout that forgets sooner shows the last spikes of a sample, and not its rate.
_LEAST_SHARE_OF_SAMPLE = 1 / 20
_LONGEST_LAG_MS = 1e6
# Filters start as if neurons had been firing before, in the mean half way to the next spike. A
# remainder of any other size is a spike's share too many or too few, which a network that
# remembers carries through the trial.
_FIRST_REMAINDER = 0.5


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
    readout_lag_ms: float | None = None,
    dt_ms: float = DT_MS,
    highest_activity: float | None = None,
) -> SpikingNetwork:
    """A spiking network of the same size that follows a rate network of any activation and form.

    The noise of the rate network is left out.

    Args:
        rate: N units; of a conversion its rate network.
        gain_hz: The rate that stands for an activation of 1, Hz: 10 spikes in a time constant are
            good, 5 often enough.
        readout_lag_ms: By how much the output's filter lags, ms: a short one is noisy. In form h
            that of one more stage after the units' own filters. None: in form x by each unit's own
            time constant, in form h no more stage.
        dt_ms: Longest step, ms: it is shortened to a whole fraction of the rate network's. It is
            halved, at most three times, if a neuron would have to fire more than once in it.
        highest_activity: The highest activation that will occur, see `highest_activity_of`; None:
            the highest there can be.

    Returns:
        One population of N neurons with the names of the units' cell types, and one output.

    Raises:
        SpecError: the gain is too high for the step, or a number makes no sense.
    """
    rate = of_kind("rate", rate, RateNetwork)
    positive("gain_hz", number("gain_hz", gain_hz))
    _check_lag(rate, readout_lag_ms)
    steps = steps_of_sample(rate, gain_hz, dt_ms, highest_activity)
    time = Timing.of(rate, steps, gain_hz)
    units = _never_negative(rate)
    return SpikingNetwork(
        dt_ms=time.dt_ms,
        populations=(_population(rate, units, time),),
        projections=_projections(rate, units, time),
        readouts=(_readout(rate, units, readout_lag_ms, time),),
        input_size=rate.input_size,
        sample_steps=steps,
        task=rate.task,
        provenance={
            "made_by": f"spikebridge {version('spikebridge')}",
            "method": "integrate-and-fire neurons that carry their remainder",
            "gain_hz": float(gain_hz),
            "readout_lag_ms": "each unit's own" if readout_lag_ms is None else readout_lag_ms,
        },
    )


def shortest_readout_ms(rate: RateNetwork) -> float:
    """The least by which the output's filter may lag, ms."""
    return rate.dt_ms * _LEAST_SHARE_OF_SAMPLE


def _check_lag(rate: RateNetwork, given: float | None) -> None:
    """Raise SpecError for a lag that the output's filter cannot have."""
    least = shortest_readout_ms(rate)
    if given is not None and not least <= number("readout_lag_ms", given) <= _LONGEST_LAG_MS:
        raise SpecError(
            f"readout_lag_ms: expected at least {least:g} and at most {_LONGEST_LAG_MS:g} ms, got "
            f"{given:g}"
        )


def _never_negative(rate: RateNetwork) -> _Units:
    """The units; tanh(c) = 2 sigmoid(2c) - 1 is rewritten, by factors of 2 and constants alone."""
    start = rate.initial_state
    activity = rate.phi(start) if rate.form == "x" else start
    if rate.activation != "tanh":
        kept = rate.recurrent, rate.w_in, rate.bias, start, activity, rate.w_out, rate.b_out
        plain: Plain = rate.activation  # type: ignore[assignment]
        return _Units(plain, math.inf if plain == "sigmoid" else ceiling_of(rate), *kept)
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


def _population(rate: RateNetwork, units: _Units, time: Timing) -> Population:
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
        initial_voltage=UniformVoltage(low_mv=_FIRST_REMAINDER, high_mv=_FIRST_REMAINDER),
        cell_types=rate.cell_types,
    )


def _projections(rate: RateNetwork, units: _Units, time: Timing) -> tuple[Projection, Projection]:
    tau_ms = time.kept_ms
    side: Side = "post"
    low: dict[str, Array] = {}
    through: Filter = Direct()
    # Until the first spikes are heard, filters hold what units did at the start.
    if rate.form == "x":
        # What W_in and the start leave; a bias is there from the start, and needs no filter.
        through, low = time.of_input(tau_ms), time.start(tau_ms, units.start - units.bias)
        new = 1.0 - decay_factor(tau_ms, time.late * time.dt_ms)
        held = time.start(tau_ms, new * (units.recurrent @ units.activity), time.late)
    elif np.all(tau_ms == tau_ms[0]):
        held = time.start(tau_ms, units.recurrent @ units.start, time.late)
    else:
        side, held = "pre", time.start(tau_ms, units.start, time.late)
    recurrent = Projection(
        name=RECURRENT,
        source=POPULATION,
        target=POPULATION,
        weights=units.recurrent,
        filter=time.of_spikes(tau_ms, side),
        delay_steps=time.late,
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


def _readout(rate: RateNetwork, units: _Units, lag_ms: float | None, time: Timing) -> Readout:
    tau_ms = time.kept_ms
    if rate.form == "x":
        lags_ms = rate.tau_ms if lag_ms is None else np.full(rate.size, float(lag_ms))
        read = time.smooth(lags_ms, units.activity)
    elif lag_ms is None:
        # The output reads what the units' own filters hold.
        start = time.start(tau_ms, units.activity)
        read = Read(time.of_spikes(tau_ms), start, np.ones(rate.size))
    else:
        read = time.after(tau_ms, float(lag_ms), units.activity)
    channel = Channel(
        source=POPULATION,
        weights=units.w_out / read.settled,
        filter=read.filter,
        initial_states=read.start,
    )
    return Readout(name=OUTPUT, channels=(channel,), bias=units.b_out)
