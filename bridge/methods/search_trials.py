"""The trials of a search, and what comes of them at a scale factor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.beside import RateAnswers
from bridge.methods.halving import round_ends
from bridge.methods.one_to_one import DEFAULT, OUTPUT, SpikingOptions, map_one_to_one
from bridge.methods.output_error import squared_errors, variation
from bridge.methods.scale_choice import rule_for
from bridge.methods.search_options import SearchOptions
from bridge.methods.shown_trials import Shown
from bridge.methods.unit_correlations import unit_correlations
from bridge.rate.network import RateNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import judges, measure_of, measured, spiking_correct

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Tried:
    """What a scale factor has done in the first n trials.

    Attributes:
        correct: (n,) whether each was answered rightly; where the task does not say, none is wrong.
        errors: (n,) squared deviations from the rate network's output, summed in each trial.
        outputs: (T, n, O).
        correlations: (N,) of filtered spikes and rates in the first fifth of all trials.
        rates_hz: (n,) mean rate over neurons in each, Hz.
        numbers: (n,) what the task's measure gives each; None: it has none.
    """

    correct: Flags
    errors: Array
    outputs: Array
    correlations: Array
    rates_hz: Array
    numbers: Array | None = None

    @property
    def trials(self) -> int:
        """How many it has done."""
        return self.correct.size

    def joined(self, more: "Tried") -> "Tried":
        """With the trials that follow."""
        return Tried(
            np.concatenate([self.correct, more.correct]),
            np.concatenate([self.errors, more.errors]),
            np.concatenate([self.outputs, more.outputs], axis=1),
            self.correlations,
            np.concatenate([self.rates_hz, more.rates_hz]),
            None
            if self.numbers is None or more.numbers is None
            else np.concatenate([self.numbers, more.numbers]),
        )


class SearchTrials:
    """The trials of a search, the same at each scale factor, and where they run.

    Attributes:
        rate_outputs: (T, B, O) what the rate network answers without noise.
        rate_right: (B,) which trials it answers rightly, with its noise; None: nothing says so.
        rate_measured: What the task's number comes to in its answers, with its noise.
        rule: By which a scale factor is chosen.
        judged: Whether a task says which answers are right.
        tried: What has been done, by 1/lambda.
    """

    def __init__(
        self,
        shown: Shown,
        rate: RateNetwork,
        search: SearchOptions,
        spiking: SpikingOptions = DEFAULT,
    ) -> None:
        self.shown, self.task, self.made = shown, shown.task, shown.trials
        self.rule = rule_for(self.task, search.rule)
        self.judged = self.task is not None and judges(self.task)
        self.unscaled = map_one_to_one(rate, 1.0, spiking)
        self.backend, self.options = search.where, search.quick_options()
        answers = RateAnswers.of(rate, self.task, self.made, search.seed)
        self.rate_right, self.rate_measured = answers.right, answers.measured
        self.rate_outputs = answers.outputs
        # All scale factors do at least so many, so their correlations are of the same trials.
        self.first = round_ends(shown.count, exhaustive=False)[0]
        self.activity = answers.activity[:, : self.first].copy()
        self.tried: dict[float, Tried] = {}

    def variation(self, trials: int) -> float:
        """What output errors of the first trials are measured by."""
        return variation(self.rate_outputs[:, :trials])

    def error(self, scale: float, trials: int | None = None) -> float:
        """The output error at a scale factor in its first trials, or in all it has done.

        Where the rate network's output never varies, the squared deviation itself.
        """
        errors = self.tried[scale].errors[:trials]
        return float(errors.sum()) / (self.variation(errors.size) or 1.0)

    def shortfall(self, scale: float, trials: int) -> float:
        """Median of the task's number in the first trials, so that less is better."""
        numbers = self.tried[scale].numbers
        measure = None if self.task is None else measure_of(self.task)
        if numbers is None or measure is None:
            raise SpecError("rule: nothing gives a number to choose a scale factor by")
        median = float(np.median(numbers[:trials]))
        return median if measure.better == "lower" else -median

    def advance(self, upto: Mapping[float, int], on_progress: Callable[[float], None]) -> None:
        """Let scale factors go on to so many trials, in one batch."""
        begun = {scale: self._done(scale) for scale in upto}
        spans = {s: np.arange(begun[s], end) for s, end in upto.items() if end > begun[s]}
        if not spans:
            return
        recording = self._run(spans, on_progress)
        correlations = self._correlations(recording, spans)
        rates_hz = _rates_hz(recording)
        place = 0
        for scale, numbers in spans.items():
            mine = slice(place, place + numbers.size)
            place += numbers.size
            outputs = recording.readouts[OUTPUT][:, mine]
            found = self._judged(outputs, numbers, rates_hz[mine], correlations.get(scale))
            known = self.tried.get(scale)
            self.tried[scale] = found if known is None else known.joined(found)

    def _done(self, scale: float) -> int:
        return self.tried[scale].trials if scale in self.tried else 0

    def _run(
        self, spans: Mapping[float, NDArray[np.int64]], on_progress: Callable[[float], None]
    ) -> Recording:
        """One scale factor's trials after the other's."""
        sizes = [numbers.size for numbers in spans.values()]
        chosen = np.concatenate(list(spans.values()))
        drive = self.shown.repeated(chosen, np.repeat(1.0 / np.array(list(spans)), sizes))
        options: dict[str, Any] = self.options
        return simulate(
            self.unscaled, drive, backend=self.backend, on_progress=on_progress, **options
        )

    def _correlations(
        self, recording: Recording, spans: Mapping[float, NDArray[np.int64]]
    ) -> dict[float, Array]:
        """Of the scale factors that begin here."""
        starts = np.cumsum([0, *(numbers.size for numbers in spans.values())])
        fresh = {
            scale: start + np.arange(self.first)
            for (scale, numbers), start in zip(spans.items(), starts, strict=False)
            if numbers[0] == 0
        }
        if not fresh:
            return {}
        spikes = recording.spikes.chosen(np.concatenate(list(fresh.values())))
        found = unit_correlations(self.unscaled, spikes, self.activity)
        return dict(zip(fresh, found, strict=True))

    def _judged(
        self,
        outputs: Array,
        numbers: NDArray[np.int64],
        rates_hz: Array,
        correlations: Array | None,
    ) -> Tried:
        part = self.made.chosen(numbers)
        judge = self.task
        right = spiking_correct(judge, outputs, part) if judge is not None and self.judged else None
        return Tried(
            np.ones(numbers.size, dtype=np.bool_) if right is None else right,
            squared_errors(outputs, self.rate_outputs[:, numbers]),
            outputs,
            np.zeros(0) if correlations is None else correlations,
            rates_hz,
            None if judge is None else measured(judge, outputs, part),
        )


def _rates_hz(recording: Recording) -> Array:
    """(B,) mean rate over neurons in each trial."""
    spikes = recording.spikes
    found: Array = spikes.trial_counts() / (spikes.n_neurons * recording.trial_s)
    return found
