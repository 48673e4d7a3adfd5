"""The search for the scale factor: which are tried, on how many trials, and which is chosen."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bridge.methods.chance import chance_level
from bridge.methods.halving import expected_counts, round_ends, still_faithful, still_in
from bridge.methods.measured import Measured
from bridge.methods.one_to_one import DEFAULT, SpikingOptions, check_units
from bridge.methods.scale_choice import (
    REFINED_TOLERANCE,
    TOLERANCE,
    beyond,
    halfway,
    least_error,
    middle_of_best_plateau,
)
from bridge.methods.scale_search import ScaleSearch
from bridge.methods.search_options import SearchOptions, default_inverse_scales
from bridge.methods.search_trials import Flags, SearchTrials, Tried
from bridge.methods.shown_trials import Shown
from bridge.rate.network import RateNetwork
from bridge.tasks import Task, measure_of

Progress = Callable[[float], None]

# Twice two scale factors are tried around the one that is chosen from the grid.
_REFINEMENTS = 2
# What share of the output's variation the first trials must have.
_VARIES = 1e-6


def search_scale(
    shown: Shown,
    rate: RateNetwork,
    options: SearchOptions,
    spiking: SpikingOptions = DEFAULT,
    on_progress: Progress | None = None,
) -> ScaleSearch:
    """How well a rate network's spiking counterpart does at each scale factor, and the best one.

    All scale factors see the same trials and the same noise. Those that can no longer win are
    dropped on the way (`bridge.methods.halving`).

    By the rule "faithful" the least output error wins among those whose accuracy is at most 2
    points below the best; where the choice is an end of the grid, the grid is extended; then twice
    two more are tried, halfway between the choice and its neighbours, and win by the same rule,
    except for a tolerance of 1 point. By the rule "score" the task's number stands in the output
    error's place, and each of the grid does all trials. By the rule "accuracy" the highest accuracy
    wins; among equals the middle of the longest plateau. Scale factors that are given are tried,
    and no others. Where no task judges the answers, none counts as wrong.

    Args:
        shown: The trials; `options.trials` of them.
        rate: The network.
        options: Scale factors, rule, trials, where they run.
        spiking: What the units become.
        on_progress: Called with the fraction done.

    Raises:
        SpecError: the task does not give what the rule goes by.
    """
    check_units(rate)
    started = time.monotonic()
    trials = SearchTrials(shown, rate, options, spiking)
    if not trials.judged and trials.variation(trials.first) < _VARIES * trials.variation(
        options.trials
    ):
        # Trials in which the output hardly varies say nothing that one could be dropped by.
        options = replace(options, exhaustive=True)
    by_number = trials.rule == "score"
    race = _Race(trials, on_progress, by_number=by_number)
    grid = list(options.inverse_scales or default_inverse_scales(rate.activation))
    if by_number:
        # A median of some trials says too little of the others to drop a scale factor by.
        tried, best = _by_error(race, grid, replace(options, exhaustive=True))
    # Where the rate network's output never varies there is no output error to go by.
    elif trials.rule == "faithful" and trials.variation(options.trials) > 0:
        tried, best = _by_error(race, grid, options)
    else:
        tried, best = grid, _by_accuracy(race, grid, options)
    return _found(trials, tried, best, options, round(time.monotonic() - started, 1))


def _by_accuracy(race: "_Race", grid: list[float], options: SearchOptions) -> float:
    """The paper's rule; the others of the grid were dropped on the way, or did all trials."""
    whole = options.trials
    ends, alive = round_ends(whole, exhaustive=options.exhaustive), grid
    for end in ends:
        race.advance(dict.fromkeys(alive, end), later=len(alive) * (whole - end))
        stays = still_in(np.array([race.tried[scale].correct for scale in alive]), whole - end)
        alive = [scale for scale, stay in zip(alive, stays, strict=True) if stay]
    tried = [race.tried[scale] for scale in grid]
    correct = np.array([each.correct.sum() for each in tried])
    tested = np.array([each.trials for each in tried])
    # Only those that did all trials can be best: the others had fewer to get right.
    return grid[middle_of_best_plateau(expected_counts(correct, tested, whole))]


def _by_error(
    race: "_Race", grid: list[float], options: SearchOptions
) -> tuple[list[float], float]:
    """The scale factors tried, ascending, and the chosen one."""
    whole, widens = options.trials, options.inverse_scales is None
    more = 2 * _REFINEMENTS * whole if widens else 0
    if options.exhaustive:
        race.advance(dict.fromkeys(grid, whole), later=more)
    else:
        _in_rounds(race, grid, whole, widens=widens)
    tried, best = list(grid), race.best(grid, whole)
    if not widens:
        return tried, best
    while (further := beyond(best, tried)) is not None:
        race.advance({further: whole}, later=more)
        tried.append(further)
        best = race.best(tried, whole)
    between: list[float] = []
    for left in range(_REFINEMENTS, 0, -1):
        between += halfway(best, [*tried, *between])
        race.advance(dict.fromkeys(between, whole), later=2 * (left - 1) * whole)
        best = race.best(tried, whole, between)
    return sorted([*tried, *between]), best


def _in_rounds(race: "_Race", grid: list[float], whole: int, *, widens: bool) -> None:
    """All trials for those of the grid that may be chosen, so that the choice is certain.

    What is likely to be tried next runs along: a batch more costs as much as many trials.
    """
    first = race.trials.first
    race.advance(dict.fromkeys(grid, first), later=5 * (whole - first))
    going = race.contenders(grid, whole)
    likely = race.best(grid, first)
    around = [*halfway(likely, grid), beyond(likely, grid)] if widens else []
    along = [scale for scale in around if scale is not None]
    race.advance(dict.fromkeys([*going, *along], whole), later=2 * whole * widens)
    # The one that was expected may have failed: then a dropped one may be the choice after all.
    while returning := race.overlooked(grid, whole):
        race.advance(dict.fromkeys(returning, whole), later=2 * whole * widens)


class _Race:
    """Scale factors on their way through the trials, with a progress that never goes back."""

    def __init__(
        self, trials: SearchTrials, on_progress: Progress | None, *, by_number: bool = False
    ) -> None:
        self.trials, self.tried = trials, trials.tried
        self.by_number = by_number
        self.on_progress, self.done, self.said = on_progress, 0, 0.0

    def advance(self, upto: Mapping[float, int], later: int) -> None:
        """Go on to so many trials each; about `later` more will follow after these."""
        before = {scale: self.tried[scale].trials for scale in upto if scale in self.tried}
        coming = sum(max(0, end - before.get(scale, 0)) for scale, end in upto.items())
        whole = self.done + coming + later

        def report(fraction: float) -> None:
            self.said = max(self.said, min(1.0, (self.done + fraction * coming) / max(1, whole)))
            if self.on_progress is not None:
                self.on_progress(self.said)

        self.trials.advance(upto, report)
        self.done += coming

    def best(self, grid: Sequence[float], trials: int, between: Sequence[float] = ()) -> float:
        """The choice by error, or number, among those that have done so many trials, on these.

        Args:
            grid: Scale factors of the grid.
            trials: How many.
            between: Those tried between them.
        """
        able = [one for one in sorted([*grid, *between]) if self.tried[one].trials >= trials]
        correct = np.array([self.tried[scale].correct[:trials].sum() for scale in able])
        judge = self.trials.shortfall if self.by_number else self.trials.error
        errors = np.array([judge(scale, trials) for scale in able])
        refined = np.isin(able, list(between))
        tolerance = np.where(refined, REFINED_TOLERANCE, TOLERANCE)
        return able[least_error(correct, errors, trials, tolerance)]

    def contenders(self, grid: list[float], whole: int) -> list[float]:
        """Those of the grid that may yet be chosen, by what all of it has done."""
        tried = [self.tried[scale] for scale in grid]
        stays = still_faithful(
            np.array([each.correct for each in tried]),
            np.array([each.errors for each in tried]),
            whole,
        )
        return [scale for scale, stay in zip(grid, stays, strict=True) if stay]

    def overlooked(self, grid: list[float], whole: int) -> list[float]:
        """Those that were dropped and may, by the trials that they have done, be the choice.

        Either they have the lesser error and may still be right often enough; or they are right so
        much more often than the choice that it would not stay one.
        """
        finished = [scale for scale in grid if self.tried[scale].trials == whole]
        dropped = [scale for scale in grid if scale not in finished]
        choice = self.best(finished, whole)
        right = self.tried[choice].correct.mean()
        best = max(self.tried[scale].correct.sum() for scale in finished)
        found = []
        for scale in dropped:
            correct = self.tried[scale].correct
            most = correct.sum() + whole - correct.size
            nearer = self.trials.error(scale) < self.trials.error(choice, correct.size)
            if (nearer and best - most <= TOLERANCE * whole) or correct.mean() - right > _SURPRISE:
                found.append(scale)
        return found


# By so much the choice was more often right when the others were dropped than it is now.
_SURPRISE = 0.05


def _found(
    trials: SearchTrials, scales: list[float], best: float, options: SearchOptions, seconds: float
) -> ScaleSearch:
    tried = [trials.tried[scale] for scale in scales]
    varies = trials.variation(min(each.trials for each in tried)) > 0
    return ScaleSearch(
        inverse_scales=np.array(scales),
        tested=np.array([each.trials for each in tried]),
        trials=options.trials,
        best=scales.index(best),
        seed=options.seed,
        backend=options.where,
        seconds=seconds,
        rule=trials.rule,
        rates_hz=np.array([each.rates_hz.mean() for each in tried]),
        output_error=np.array([trials.error(scale) for scale in scales]) if varies else None,
        unit_correlations=np.array([each.correlations for each in tried]),
        chance=chance_level(trials.task, trials.tried[best].outputs, trials.made),
        **_counts(trials.rate_right, tried),
        measured=_measured(trials.task, tried),
        rate_measured=trials.rate_measured,
    )


def _counts(rate_right: Flags | None, tried: list[Tried]) -> dict[str, NDArray[np.int64] | None]:
    """Right answers at each scale factor, compared with the rate network's; None if unknown."""
    if rate_right is None:
        return dict.fromkeys(("correct", "lost", "gained"))
    beside = [(each.correct, rate_right[: each.trials]) for each in tried]
    return {
        "correct": np.array([spiking.sum() for spiking, _ in beside]),
        "lost": np.array([(rate & ~spiking).sum() for spiking, rate in beside]),
        "gained": np.array([(spiking & ~rate).sum() for spiking, rate in beside]),
    }


def _measured(task: Task | None, tried: list[Tried]) -> tuple[Measured, ...] | None:
    """What the task's number came to at each scale factor; None for a task without."""
    measure = None if task is None else measure_of(task)
    numbers = [each.numbers for each in tried]
    if measure is None:
        return None
    return tuple(Measured.of(measure, one) for one in numbers if one is not None)
