"""The scale factor predicted from how a neuron responds, without a search; beyond Kim et al. 2019.

A unit has the rate phi(x), its neuron fires f(I) at the current I = x, and the mapping asks that
f = s phi with s = 1/lambda: then the recurrent currents (W / s) f are those of the rate network.
No s makes the two curves equal, so s is the slope of the regression of f on phi over the currents
that the rate network visits in its trials. Each unit has an intercept of its own: an offset of f
shifts a current by a constant, while the slope decides the gain of every loop, and so whether
activity outlasts a stimulus. Units count by the square of their outgoing weights, since their
errors do.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.blas_threads import threads_for
from bridge.errors import SpecError
from bridge.methods.one_to_one import (
    DEFAULT,
    TAU_RISE_MS,
    SpikingOptions,
    check_units,
    map_one_to_one,
)
from bridge.methods.response import LOWEST_MV, averaged, firing_rates_hz
from bridge.methods.scoring import PREDICT
from bridge.methods.shown_trials import TrialSource
from bridge.rate.network import RateNetwork
from bridge.rate.spiking_step import DT_MS

Array = NDArray[np.float64]

_TRIALS = 20
# Rates change little from one sample to the next.
_EVERY = 4
_GRID_MV = 0.1
_ROUNDS = 20


@dataclass(frozen=True)
class _Visited:
    """What a rate network does in its trials, in S samples of N units.

    Attributes:
        current_mv: (S, N) mean currents of the neurons, were their rates right.
        rate: (S, N) phi(x).
        variance: (S, N) of the currents of Poisson spikes, times s.
        importance: (N,) weight of a unit in the regression.
    """

    current_mv: Array
    rate: Array
    variance: Array
    importance: Array


def predict_inverse_scale(
    source: TrialSource, rate: RateNetwork, options: SpikingOptions = DEFAULT, *, seed: int = 0
) -> float:
    """1/lambda from the response of the neurons at the currents that the rate network visits.

    Args:
        source: Where up to 20 trials of the rate network come from.
        rate: The network.
        options: What its units become.
        seed: Decides the rate network's noise.

    Raises:
        SpecError: the rate network's units and neurons do not vary together.
    """
    check_units(rate)
    inputs = source.shown(PREDICT, _TRIALS).trials.inputs
    visited = _visited(inputs, rate, options, seed)
    grid = np.arange(LOWEST_MV, visited.current_mv.max() + 10.0, _GRID_MV)
    # The response to a current, of which a bias is a part: the neurons differ in nothing else.
    population = map_one_to_one(replace(rate, bias=np.zeros(rate.size)), 1.0, options).populations[
        0
    ]
    response = firing_rates_hz(population, grid, DT_MS)
    scale = float(response.max()) / 2
    # Fluctuations depend on the scale factor, weakly: their variance goes with 1 / s.
    for _ in range(_ROUNDS):
        spread = np.sqrt(visited.variance / scale)
        fired = averaged(response, grid, visited.current_mv, spread)
        before, scale = scale, _slope(fired, visited)
        if not 0 < scale < np.inf:
            raise SpecError(
                "the scale factor cannot be predicted: no unit and its neuron vary together"
            )
        if abs(scale - before) < 1e-3 * scale:
            break
    return round(float(scale), 2)


def _slope(fired: Array, visited: _Visited) -> float:
    """Slope of the regression of f on phi with an intercept for each unit, Hz."""
    rate = visited.rate - visited.rate.mean(axis=0)
    common = float((visited.importance * rate * fired).sum())
    own = float((visited.importance * rate * rate).sum())
    return common / own if own > 0 else 0.0


def _visited(inputs: Array, rate: RateNetwork, options: SpikingOptions, seed: int) -> _Visited:
    _, activity = rate.run(inputs, np.random.default_rng((seed, PREDICT[1])))
    currents = _currents(rate, activity) + inputs @ rate.w_in.T + rate.bias
    seen, size = slice(0, None, _EVERY), rate.size
    kept = activity[seen].reshape(-1, size)
    return _Visited(
        current_mv=currents[seen].reshape(-1, size),
        rate=kept,
        variance=_variance(rate, options, kept),
        importance=np.square(rate.recurrent).sum(axis=0) + np.square(rate.w_out).sum(axis=0),
    )


def _currents(rate: RateNetwork, activity: Array) -> Array:
    """(T, B, N) recurrent drive W r, filtered with each unit's time constant.

    Unlike x it holds neither noise nor filtered input and bias: a neuron takes these unfiltered.
    """
    keep = 1.0 - rate.dt_ms / rate.tau_ms
    filtered = np.zeros_like(activity)
    with threads_for(activity.shape[1] * rate.size**2):
        for step in range(1, len(activity)):
            drive = activity[step - 1] @ rate.recurrent.T
            filtered[step] = keep * filtered[step - 1] + (1.0 - keep) * drive
    return filtered


def _variance(rate: RateNetwork, options: SpikingOptions, activity: Array) -> Array:
    """(S, N) s times the variance of the currents: shot noise of Poisson spikes at rates s phi.

    A spike of weight w / s and a kernel k adds (w / s)^2 times the integral of k^2, which is
    1 / (2 (tau_decay + tau_rise)) for a double exponential of unit area.
    """
    rise_ms = TAU_RISE_MS if options.synapse == "double" else 0.0
    power_hz = 1000.0 / (2 * (rate.tau_ms + rise_ms))
    squares = np.square(rate.recurrent).T
    if options.tau_side == "pre":
        return np.asarray((activity * power_hz) @ squares)
    return np.asarray(activity @ squares * power_hz)
