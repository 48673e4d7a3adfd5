"""Two simulators with noise of their own: the same statistics as one simulator run twice.

A and A' are runs of the first backend, B is one of the second. Nothing about a single spike can be
asked; what can is whether B differs from A by more than A' does
(`bridge.compare.statistics.significance`).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bridge.compare.account import Parts
from bridge.compare.sides import Side
from bridge.compare.statistics.design import LEAST_ALPHA, Design, QuantityResult
from bridge.compare.statistics.power import Sensitivity, Spread
from bridge.compare.statistics.quantities import (
    distances,
    left_out,
    longest_step_ms,
    quantities_of,
    rates_of,
    shared_readouts,
    time_courses_alike,
)
from bridge.compare.statistics.significance import compare_sets
from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive, OwnNoise, derived_seed
from bridge.spiking.essentials import essentials
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

Report = Callable[[str, float], None]

ALPHA, POWER, EFFECT = 0.01, 0.9, 0.02
PILOT_TRIALS, MOST_TRIALS = 24, 1000
_NAMES_STREAM, _POWER_STREAM = 9, 10
_SETS = ("A", "A'", "B")


@dataclass(frozen=True, kw_only=True, eq=False)
class StatisticalComparison:
    """What was found between two simulators with noise of their own.

    Attributes:
        labels: Names of A and B.
        trials: Trials of each set.
        alpha: Chance of a false alarm that was promised.
        p: Chance of a difference like the largest one if there is none.
        quantities: Each quantity's result.
        distances: Earth mover's distances of B and of A' from A, of the distributions over units
            or pairs, by name.
        time_course: Correlation over time of the mean rate in 20 ms (PSTH) of A with that of B and
            with that of A'; NaN where nothing varies or there is no A'.
        step_ms: The step, ms, in which intervals and bins were taken: the longest of any set.
        left_out: What was not compared, a sentence each.
        power: Chance with which the difference `effect` is found.
        effect: Relative difference of every unit's rate that is found with chance `power`.
        sets: Recordings of A, A' and B; or of A and B, where there is no A'.
        seconds: Wall time; that of A and A' counts where the first B is compared with them.
        draws: How often names were drawn.
    """

    labels: tuple[str, str]
    trials: int
    alpha: float
    p: float
    quantities: tuple[QuantityResult, ...]
    distances: dict[str, tuple[float, float]]
    time_course: tuple[float, float]
    power: float
    effect: float
    sets: tuple[Recording, ...]
    seconds: float
    draws: int
    step_ms: float
    left_out: tuple[str, ...]

    __repr__ = essentials

    @property
    def agreed(self) -> bool:
        """Whether nothing was found that chance does not explain."""
        return self.p >= self.alpha

    @property
    def identical(self) -> bool:
        """Whether B holds A's very spikes."""
        one, other = self.sets[0], self.sets[-1]
        return one.dt_ms == other.dt_ms and np.array_equal(one.spikes.codes(), other.spikes.codes())


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How sure a statistical comparison is to be.

    Attributes:
        trials: Trials of each set; None: as many as the promise takes.
        alpha: Chance of a false alarm.
        effect: Relative difference of every unit's rate that is to be found with chance
        power: Chance with which it is.
    """

    trials: int | None = None
    alpha: float = ALPHA
    effect: float = EFFECT
    power: float = POWER

    def __post_init__(self) -> None:
        if self.trials is not None:
            counted("trials", self.trials, least=1)
        for name in ("alpha", "effect", "power"):
            if not 0 < getattr(self, name) < 1:
                raise SpecError(f"{name}: must lie between 0 and 1, got {getattr(self, name)}")
        if self.alpha < LEAST_ALPHA:
            raise SpecError(f"alpha: at least {LEAST_ALPHA:g}, got {self.alpha:g}")

    def design(self, sets: int, *, readouts: bool) -> Design:
        """The test: rates, intervals and rates in bins, and readouts where there are any."""
        return Design(sets=sets, quantities=3 + readouts, alpha=self.alpha)


def run_statistically(
    network: SpikingNetwork,
    drive: Drive,
    sides: tuple[Side, ...],
    plan: Plan,
    seed: int,
    on_progress: Report,
) -> tuple[StatisticalComparison, ...]:
    """Run A and A' once and each B, and test whether each B is like A.

    Args:
        network: What to run; it needs noise, or the sets would be the same.
        drive: Its drive, of as many trials as may be needed; the first ones are run.
        sides: The first gives A and A', each other one a B.
        plan: How sure it is to be.
        seed: Decides the noise; that of each B is the same.
        on_progress: Called with what is being done and its fraction done.

    Raises:
        SpecError: there is no noise, or there are too few trials.
    """
    if not network.noise_mv().any():
        raise SpecError("this network has no noise: without it statistics say nothing")
    began = time.monotonic()
    first, *others = sides

    def new(side: Side, name: str) -> _Set:
        own = derived_seed(seed, _NAMES_STREAM, _SETS.index(name))
        return _Set(network, side, own, _run_of(side, name), on_progress)

    pair = new(first, "A"), new(first, "A'")
    trials = _enough(drive, pair, plan) if plan.trials is None else plan.trials
    whole = drive.trials(0, trials)
    a, again = (run.upto(whole) for run in pair)
    found = []
    for side in others:
        b = new(side, "B").upto(whole)
        labels = (first.label, side.label)
        one = compare_statistically((a, again, b), labels, plan, seed, on_progress)
        found.append(replace(one, seconds=time.monotonic() - began))
        began = time.monotonic()
    return tuple(found)


def _enough(drive: Drive, pair: "tuple[_Set, _Set]", plan: Plan) -> int:
    """As many trials as the promise takes, as A and A' show; those of the drive at most.

    How much trials vary is known better the more there are, so it is looked at again.
    """
    trials, most = min(PILOT_TRIALS, drive.n_trials), drive.n_trials
    while True:
        sets = tuple(run.upto(drive.trials(0, trials)) for run in pair)
        design = plan.design(3, readouts=bool(shared_readouts(sets)))
        found = _sensitivity(sets, design, pair[0].seed).effect(plan.power)
        # Where nothing varies, more trials tell no more.
        if found <= plan.effect or trials == most or not math.isfinite(found):
            return trials
        one, again = rates_of(sets)
        guess = Spread.of(one, again, design.sets)
        needed = guess.trials(plan.effect, plan.power, design.alpha_each, most)
        if needed <= trials:
            # What can be found shrinks with the root of the number of trials.
            needed = math.ceil(trials * (found / plan.effect) ** 2)
        trials = min(most, max(needed, math.ceil(_GROWTH * trials)))


# By which factor trials grow at least: another look costs, too.
_GROWTH = 1.1


class _Set:
    """One of the three sets of trials, which may grow."""

    def __init__(
        self, network: SpikingNetwork, side: Side, seed: int, name: str, on_progress: Report
    ) -> None:
        self.network, self.side, self.seed = network, side, seed
        self.name, self.on_progress = name, on_progress
        self.done: list[Recording] = []

    def upto(self, drive: Drive) -> Recording:
        """All trials of the drive; those that are done already are not done again."""
        begun = sum(part.spikes.n_trials for part in self.done)
        if begun < drive.n_trials:
            own = replace(drive, noise=OwnNoise(seed=self.seed)).trials(begun, drive.n_trials)

            def report(fraction: float) -> None:
                whole = begun + fraction * (drive.n_trials - begun)
                self.on_progress(self.name, whole / drive.n_trials)

            report(0.0)
            self.done.append(self.side.run(self.network, own, report))
        return Recording.joined(self.done)


def compare_statistically(
    sets: tuple[Recording, ...],
    labels: tuple[str, str],
    plan: Plan,
    seed: int,
    on_progress: Report | None = None,
) -> StatisticalComparison:
    """Compare B, the last one, with A and A', or with A alone, all of the same trials.

    Raises:
        SpecError: they differ in trials, steps or neurons, or there are too few trials.
    """
    shapes = {(r.spikes.n_trials, r.spikes.n_neurons, round(r.trial_s, 9)) for r in sets}
    if len(shapes) > 1:
        raise SpecError(
            "recordings of different trials, neurons or lengths cannot be compared: "
            + ", ".join(str(shape) for shape in sorted(shapes))
        )
    trials = sets[0].spikes.n_trials
    design = plan.design(len(sets), readouts=bool(shared_readouts(sets)))
    check_trials(trials, design)
    report = on_progress or (lambda _what, _fraction: None)
    what = _tests_of(labels)
    report(what, 0.0)
    quantities = quantities_of(sets)
    rng = np.random.default_rng((seed, _NAMES_STREAM))
    # What is left is how small a difference would be found.
    results, p = compare_sets(
        quantities, rng, design.draws, lambda done: report(what, _TESTS_SHARE * done)
    )
    effect = _sensitivity(sets, design, seed).effect(plan.power)
    apart = distances(sets, quantities)
    report(what, 1.0)
    return StatisticalComparison(
        labels=labels,
        trials=trials,
        alpha=plan.alpha,
        p=p,
        quantities=tuple(results),
        distances=apart,
        time_course=time_courses_alike(sets),
        power=plan.power,
        effect=effect,
        sets=sets,
        seconds=0.0,
        draws=design.draws,
        step_ms=longest_step_ms(sets),
        left_out=left_out(sets),
    )


_TESTS_SHARE = 0.9


def statistical_parts(sides: tuple[Side, ...]) -> Parts:
    """The parts that `run_statistically` reports, in its order."""
    first, *others = sides
    parts = {_run_of(first, name): 2.0 for name in ("A", "A'")}
    for side in others:
        parts |= {_run_of(side, "B"): 2.0, _tests_of((first.label, side.label)): 1.0}
    return parts


def _run_of(side: Side, name: str) -> str:
    return f"{side.label}, own noise ({name})"


def _tests_of(labels: tuple[str, str]) -> str:
    return f"{' and '.join(labels)}, tests"


def check_trials(trials: int, design: Design) -> None:
    """Raise SpecError where so few trials could not show any difference."""
    if trials < design.least_trials:
        raise SpecError(
            f"trials: at a rate of false alarms of {design.alpha:g} statistics of {design.sets} "
            f"sets need at least {design.least_trials}, got {trials}"
        )


def _sensitivity(sets: tuple[Recording, ...], design: Design, seed: int) -> Sensitivity:
    rng = np.random.default_rng((seed, _POWER_STREAM))
    return Sensitivity.of(np.stack(rates_of(sets)), design, rng)
