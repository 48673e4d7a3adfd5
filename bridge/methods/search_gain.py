"""The search for the gain of integrate-and-fire neurons: few spikes, and a faithful output."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.beside import RateAnswers
from bridge.methods.chance import chance_level
from bridge.methods.gain_options import GainOptions
from bridge.methods.gain_search import GainSearch
from bridge.methods.gain_steps import DT_MS, highest_activity_of, steps_of_sample
from bridge.methods.integrate_and_fire import map_integrate_and_fire, shortest_readout_ms
from bridge.methods.measured import Measured, measured_of
from bridge.methods.one_to_one import OUTPUT
from bridge.methods.output_error import output_error
from bridge.methods.scale_choice import least_error
from bridge.methods.shown_trials import Shown
from bridge.methods.unit_correlations import unit_correlations
from bridge.rate.network import RateNetwork
from bridge.spiking.decoding import decode
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import spiking_correct

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Spikes in a median time constant at an activation of 1: of the grid the lowest and the highest.
FEWEST, MOST, GAINS = 2.0, 40.0, 8
# By how much filters of the output lag in form x; 0 stands for each unit's own time constant.
READOUT_LAG_MS = (0.0, 10.0, 15.0, 20.0, 30.0, 50.0)
# In form h one more stage of the filters lags by shares of a sample; 0 stands for none.
READOUT_LAG_SAMPLES = (0.0, 1 / 8, 1 / 4, 1 / 2, 1.0)
# Correlations of units are of the first trials.
_SHARE = 5


def search_gain(
    shown: Shown,
    rate: RateNetwork,
    options: GainOptions,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[GainSearch, SpikingNetwork]:
    """How well a rate network's integrate-and-fire neurons do at each gain, and the chosen network.

    All gains see the same trials, and start from the same voltages. Outputs are read with several
    filters from the same spikes, and each gain goes with the one of the least error. The
    least gain wins whose output error is at most 0.1 and whose accuracy is at most 2 points below
    the rate network's; where there is none, the least error among those that are right about as
    often as the best.

    Args:
        shown: The trials; `options.trials` of them.
        rate: The network.
        options: Gains, where they run.
        on_progress: Called with the fraction done.

    Raises:
        SpecError: a gain that was asked for is too high for the step, or all of the grid are.
    """
    started = time.monotonic()
    answers = RateAnswers.of(rate, shown.task, shown.trials, options.seed)
    highest = highest_activity_of(rate, answers.activity)
    given = options.gain_hz
    gains = (
        default_gains(rate, highest, options.dt_ms)
        if given is None
        else np.atleast_1d(given).tolist()
    )
    report = on_progress or (lambda _fraction: None)
    tried = []
    for number, gain in enumerate(gains):
        trial = _Trial(shown, answers, rate, gain, highest, options.dt_ms)
        tried.append(trial.run(options, partial(_report, report, number, len(gains))))
    found = _found(shown, answers, tried, gains, options)
    best = _chosen(found, tried)
    chance = chance_level(shown.task, tried[best].outputs, shown.trials)
    seconds = round(time.monotonic() - started, 1)
    return replace(found, best=best, chance=chance, seconds=seconds), tried[best].network


def _report(report: Callable[[float], None], number: int, of: int, fraction: float) -> None:
    report((number + fraction) / of)


def default_gains(rate: RateNetwork, highest_activity: float, dt_ms: float = DT_MS) -> list[float]:
    """2 to 40 spikes in a median time constant, as far as one spike a step is enough, Hz.

    Raises:
        SpecError: it is enough for none of them.
    """
    per_tau = np.geomspace(FEWEST, MOST, GAINS)
    # Two digits are as good, and are read more easily.
    gains = [float(f"{n / np.median(rate.tau_ms) * 1000.0:.2g}") for n in per_tau]
    able = [gain for gain in gains if _fits(rate, gain, dt_ms, highest_activity)]
    if not able:
        steps_of_sample(rate, gains[0], dt_ms, highest_activity)
    return able


def _fits(rate: RateNetwork, gain_hz: float, dt_ms: float, highest_activity: float) -> bool:
    try:
        steps_of_sample(rate, gain_hz, dt_ms, highest_activity)
    except SpecError:
        return False
    return True


@dataclass(frozen=True)
class _Tried:
    """What a gain has done, with one filter of the output.

    Attributes:
        network: The network.
        readout_lag_ms: By how much that filter lags, ms; 0: as it is without a lag given.
        outputs: (T, B, O).
        right: (B,) trials answered rightly; None: nothing says which are.
        error: Output error; NaN where the rate network's output never varies.
        measured: What the task's number came to.
        rate_hz: Mean rate.
        correlations: (N,) of filtered spikes and rates.
    """

    network: SpikingNetwork
    readout_lag_ms: float
    outputs: Array
    right: Flags | None
    error: float
    measured: Measured | None
    rate_hz: float = 0.0
    correlations: Array | None = None


@dataclass(frozen=True)
class _Trial:
    """The trials of a search at one gain."""

    shown: Shown
    answers: RateAnswers
    rate: RateNetwork
    gain_hz: float
    highest_activity: float
    dt_ms: float

    def run(self, options: GainOptions, on_progress: Callable[[float], None]) -> _Tried:
        """What it does, with the filter of the output that is best at it."""
        where: dict[str, Any] = {"backend": options.where, **options.quick_options()}
        # Spikes do not depend on the filter of the output: one run shows all of them.
        own = self._network(0.0)
        recording = simulate(own, self.shown.drive(), on_progress=on_progress, **where)
        read = [self._read(lag_ms, recording) for lag_ms in _readouts(self.rate)]
        errors = np.array([0.0 if np.isnan(each.error) else each.error for each in read])
        best = read[least_error(_correct(read, self.shown.count), errors, self.shown.count)]
        fired = recording.spikes.count / (own.size * self.shown.count * recording.trial_s)
        return replace(best, rate_hz=fired, correlations=self._units(best.network, recording))

    def _network(self, lag_ms: float) -> SpikingNetwork:
        return map_integrate_and_fire(
            self.rate,
            gain_hz=self.gain_hz,
            readout_lag_ms=lag_ms or None,
            dt_ms=self.dt_ms,
            highest_activity=self.highest_activity,
        )

    def _read(self, lag_ms: float, recording: Recording) -> _Tried:
        network, task, trials = self._network(lag_ms), self.shown.task, self.shown.trials
        outputs = decode(network, recording.spikes)[OUTPUT]
        judged = self.answers.right is not None
        return _Tried(
            network=network,
            readout_lag_ms=lag_ms,
            outputs=outputs,
            right=spiking_correct(task, outputs, trials) if task is not None and judged else None,
            error=output_error(outputs, self.answers.outputs),
            measured=None if task is None else measured_of(task, outputs, trials),
        )

    def _units(self, network: SpikingNetwork, recording: Recording) -> Array:
        count = -(-self.shown.count // _SHARE)
        spikes = recording.spikes.chosen(np.arange(count))
        found: Array = unit_correlations(network, spikes, self.answers.activity[:, :count])[0]
        return found


def _readouts(rate: RateNetwork) -> Sequence[float]:
    """Filters of the output that are tried, the units' own first, ms."""
    if rate.form == "h":
        return [share * rate.dt_ms for share in READOUT_LAG_SAMPLES]
    shortest = shortest_readout_ms(rate)
    return [lag_ms for lag_ms in READOUT_LAG_MS if lag_ms == 0 or lag_ms >= shortest]


def _correct(tried: Sequence[_Tried], trials: int) -> NDArray[np.int64]:
    """(L,) right answers; where nothing says which are, none is wrong."""
    return np.array([trials if one.right is None else one.right.sum() for one in tried])


def _chosen(found: GainSearch, tried: Sequence[_Tried]) -> int:
    """Index of the chosen gain; see `search_gain`."""
    enough = found.enough()
    if enough.any():
        return int(np.argmax(enough))
    errors = np.zeros(len(tried)) if found.output_error is None else found.output_error
    return least_error(_correct(tried, found.trials), errors, found.trials)


def _found(
    shown: Shown,
    answers: RateAnswers,
    tried: Sequence[_Tried],
    gains: Sequence[float],
    options: GainOptions,
) -> GainSearch:
    """What came of all gains, the first of them chosen for now."""
    errors = np.array([each.error for each in tried])
    measured = tuple(each.measured for each in tried if each.measured is not None)
    return GainSearch(
        gains_hz=np.array(gains),
        dt_ms=np.array([each.network.dt_ms for each in tried]),
        rates_hz=np.array([each.rate_hz for each in tried]),
        readout_lag_ms=np.array([each.readout_lag_ms for each in tried]),
        trials=shown.count,
        best=0,
        seed=options.seed,
        backend=options.where,
        seconds=0.0,
        output_error=None if np.isnan(errors).any() else errors,
        unit_correlations=np.array([each.correlations for each in tried]),
        **_counts(answers.right, tried),
        measured=measured or None,
        rate_measured=answers.measured,
    )


def _counts(rate_right: Flags | None, tried: Sequence[_Tried]) -> dict[str, Any]:
    """Right answers at each gain, compared with the rate network's; None if unknown."""
    right = [each.right for each in tried if each.right is not None]
    if rate_right is None or not right:
        return dict.fromkeys(("correct", "lost", "gained"))
    return {
        "correct": np.array([one.sum() for one in right]),
        "lost": np.array([(rate_right & ~one).sum() for one in right]),
        "gained": np.array([(one & ~rate_right).sum() for one in right]),
    }
