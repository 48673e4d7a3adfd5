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
moment, its filter has two stages, each of half the lag: where a neuron fires ten times in a time
constant, the output error is a third to a half less than with one stage.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bridge.rate.network import RateNetwork
from bridge.spiking.decay import decay_factor
from bridge.spiking.filters import DoubleExponential, Exponential, Side

Array = NDArray[np.float64]

# Of form x: by how much the spiking network runs ahead of the rate network, at most by a sample.
# No output's filter that is tried lags by less.
LEAD_MS = 10.0
# Where tau is hardly longer than the step, little is kept from step to step. Filters then forget in
# half a step, and spikes are late by the other half.
_LEAST_SHARE_OF_STEP = 1 / 2


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
        return self.gain_hz * self._dt_s

    @property
    def _dt_s(self) -> float:
        return self.dt_ms / 1000.0

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

    def smooth(self, lag_ms: Array) -> tuple[DoubleExponential, Array]:
        """A filter of two stages of half the lag, and (N,) where a train of the gain settles."""
        stage_ms = lag_ms / 2.0
        filter_ = DoubleExponential(tau_rise_ms=stage_ms, tau_decay_ms=stage_ms)
        return filter_, self._dt_s * self._entry(stage_ms) / self._new(stage_ms)

    def smooth_start(self, lag_ms: Array, values: Array) -> dict[str, Array]:
        """What it starts with so as to stand after the wait where these activities settle."""
        stage_ms = lag_ms / 2.0
        h = values * self._entry(stage_ms)
        x = self._dt_s * h / self._new(stage_ms)
        # In the wait x takes h once in each step.
        taken = self.waits * self._dt_s * h / decay_factor(stage_ms, self.dt_ms)
        left = decay_factor(stage_ms, self.waits * self.dt_ms)
        return {"h": h / left, "x": (x - taken) / left}

    def _entry(self, stage_ms: Array) -> Array:
        """(N,) where a train of the gain settles in the first stage."""
        jump = 1.0 / np.square(stage_ms / 1000.0)
        return np.asarray(self._in_a_step * jump / self._new(stage_ms))

    def _new(self, tau_ms: Array) -> Array:
        """The share of a filter that is new in each step."""
        return np.asarray(1.0 - decay_factor(tau_ms, self.dt_ms))


def kept_ms(rate: RateNetwork) -> Array:
    """(N,) time constants that leave of a state in a step what the rate network leaves, ms."""
    kept = np.full(rate.size, _LEAST_SHARE_OF_STEP * rate.dt_ms)
    leaky = rate.tau_ms > rate.dt_ms
    kept[leaky] = -rate.dt_ms / np.log(1.0 - rate.dt_ms / rate.tau_ms[leaky])
    return np.asarray(np.maximum(kept, _LEAST_SHARE_OF_STEP * rate.dt_ms))
