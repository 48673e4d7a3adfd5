"""A rate network's time in one of integrate-and-fire neurons: its step, its filters, its delays.

Both networks mean the same by their samples: as sample 0 of the rate network's output is that of
its start, neurons and input wait for as long. In form x the output's filter lags, so there they
wait for 10 ms less, or not at all.

A rate network takes long steps. In one of them its state keeps the share 1 - dt/tau, so the filters
of the spiking network have the time constant -dt / ln(1 - dt/tau) that keeps as much in a sample;
and what a unit receives remains as it was at the beginning of the step. So spikes are late by what
tau is longer than that, about half a step. Both networks then differ by the square of dt, no longer
by dt itself: at 10 ms and 100 ms the output error that more spikes could not remove falls to a
tenth.

Neurons that carry their remainder fire nearly evenly, so that what a filter leaves of the single
spikes falls with every stage that it has. In form x, where the output reads the activities of the
moment, its filter has two stages that turn about each other (`SecondOrder`): where a neuron fires
ten times in a time constant, the output error is half of that with one stage, and a fifth less than
with two that do not turn. In form h the output may have one more stage after the units' own filter.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bridge.rate.network import RateNetwork
from bridge.spiking.decay import decay_factor
from bridge.spiking.filters import DoubleExponential, Exponential, Filter, SecondOrder, Side

Array = NDArray[np.float64]

# Of form x: by how much the spiking network runs ahead of the rate network, at most by a sample.
# No output's filter that is tried lags by less.
LEAD_MS = 10.0
# Where tau is hardly longer than the step, little is kept from step to step. Filters then forget in
# half a step, and spikes are late by the other half.
_LEAST_SHARE_OF_STEP = 1 / 2


class Read(NamedTuple):
    """A filter of the output, its states' start, and (N,) where a train of the gain settles."""

    filter: Filter
    start: dict[str, Array]
    settled: Array


@dataclass(frozen=True)
class Timing:
    """The step, and what it makes of filters.

    Attributes:
        dt_ms: The step.
        waits: Steps before any input arrives or neuron fires, in which filters decay.
        late: Steps after which what a unit does takes effect.
        kept_ms: (N,) time constants of the filters, which keep as much as the units do.
        gain_hz: The rate that stands for 1.
    """

    dt_ms: float
    waits: int
    late: int
    kept_ms: Array
    gain_hz: float

    @classmethod
    def of(cls, rate: RateNetwork, steps: int, gain_hz: float) -> Self:
        """With so many steps in one of the rate network."""
        dt_ms = rate.dt_ms / steps
        lead = round(LEAD_MS / dt_ms) if rate.form == "x" else 0
        kept = kept_ms(rate)
        late = round(float(np.median(rate.tau_ms - kept)) / dt_ms)
        return cls(dt_ms, max(0, steps - lead), late, kept, gain_hz)

    @property
    def _in_a_step(self) -> float:
        """Spikes in a step at an activation of 1."""
        return self.gain_hz * (self.dt_ms / 1000.0)

    def of_spikes(self, tau_ms: Array, side: Side = "post") -> Exponential:
        """A filter that a train of the gain makes settle at 1."""
        gain = self._new(tau_ms) / self._in_a_step
        return Exponential(tau_ms=tau_ms, normalisation="gain", gain=gain, side=side)

    def of_input(self, tau_ms: Array) -> Exponential:
        """A filter that settles at a constant input."""
        return Exponential(tau_ms=tau_ms, normalisation="gain", gain=self._new(tau_ms))

    def start(self, tau_ms: Array, values: Array, later: int = 0) -> dict[str, Array]:
        """What a filter starts with so as to hold these values so many steps after the wait."""
        return {"x": values / decay_factor(tau_ms, (self.waits + later) * self.dt_ms)}

    def smooth(self, lag_ms: Array, values: Array) -> Read:
        """What lags by so much, and stands after the wait where these activities settle."""
        filter_ = SecondOrder(lag_ms=lag_ms)
        constants = filter_.constants(self.dt_ms)
        stays, turns = constants["stays"], constants["turns"]
        x, whole = values * self.gain_hz, stays * stays + turns * turns
        h = x * ((1.0 - stays) / turns)
        # Back through the wait, step by step.
        for _ in range(self.waits):
            h, x = (h * stays + x * turns) / whole, (x * stays - h * turns) / whole
        return Read(filter_, {"h": h, "x": x}, np.full(lag_ms.shape, self.gain_hz))

    def after(self, tau_ms: Array, lag_ms: float, values: Array) -> Read:
        """A filter of `tau_ms` and one more stage, and what it starts with, as `smooth`."""
        filter_ = DoubleExponential(tau_rise_ms=np.full(tau_ms.shape, lag_ms), tau_decay_ms=tau_ms)
        constants, dt_s = filter_.constants(self.dt_ms), self.dt_ms / 1000.0
        decay, rise = constants["decay"], constants["rise"]
        entry = self._in_a_step * constants["gain"] / (1.0 - rise)
        settled = dt_s * entry / (1.0 - decay)
        h, x = values * entry, values * settled
        for _ in range(self.waits):
            h = h / rise
            x = (x - dt_s * h) / decay
        return Read(filter_, {"h": h, "x": x}, settled)

    def _new(self, tau_ms: Array) -> Array:
        """The share of a filter that is new in each step."""
        return np.asarray(1.0 - decay_factor(tau_ms, self.dt_ms))


def kept_ms(rate: RateNetwork) -> Array:
    """(N,) time constants that leave of a state in a step what the rate network leaves, ms."""
    kept = np.full(rate.size, _LEAST_SHARE_OF_STEP * rate.dt_ms)
    leaky = rate.tau_ms > rate.dt_ms
    kept[leaky] = -rate.dt_ms / np.log(1.0 - rate.dt_ms / rate.tau_ms[leaky])
    return np.asarray(np.maximum(kept, _LEAST_SHARE_OF_STEP * rate.dt_ms))
