"""The agreement gate: one network on several backends, level by level, and one verdict.

Exact: the same frozen noise must give the same spikes, for backends that claim so. Probe: parts of
the network whose outcome follows from a formula, for backends that integrate otherwise.
Statistical: noise of their own must give the same statistics as one backend run twice.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import callback, flag, of_kind, text, texts
from bridge.backends import COMPARED
from bridge.compare.account import Account, Parts
from bridge.compare.agreement import Agreement
from bridge.compare.asked import LEVELS, check_used, levels_of, to_compare
from bridge.compare.exactness import ExactComparison, exact_parts, run_exactly
from bridge.compare.faults import find_fault
from bridge.compare.probes.battery import ProbeReport, check_probes, probe_parts, run_probes
from bridge.compare.sides import Side, sides_of
from bridge.compare.statistics.comparison import (
    MOST_TRIALS,
    Plan,
    StatisticalComparison,
    check_trials,
    run_statistically,
    statistical_parts,
)
from bridge.compare.statistics.settled import check_from_ms
from bridge.errors import SpecError
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.driven_trials import DrivenTrials, driven_trials
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.scale_search import Conversion
from bridge.methods.scoring import COMPARE, RATE_NOISE, drive_of, needed_task
from bridge.progress import telling
from bridge.rate.network import RateNetwork
from bridge.spiking.computed_readouts import with_computed_readouts
from bridge.spiking.drive import Drive, SharedNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import Task, Trials, check_fit

EXACT_TRIALS = 20


# Each argument is an option of the command.
def compare(  # noqa: PLR0913
    what: Conversion | SpikingNetwork,
    *,
    backends: Sequence[str] = COMPARED,
    levels: Sequence[str] | None = None,
    trials: int | None = None,
    seed: int = 0,
    drive: Drive | None = None,
    inject: str | None = None,
    plan: Plan | None = None,
    from_ms: float | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    progress: bool = True,
) -> Agreement:
    """Hold the first backend against each other one, and say whether they agree.

    Args:
        what: A spiking network, or a conversion that holds one, as `bridge.load` returns them.
        backends: At least two of "reference", "brian2", "snntorch", "nest"; a target, device,
            precision or form may follow, as in "brian2:standalone", "snntorch:cuda",
            "snntorch:float32" or "nest:plain". With a fault both may be the same.
        levels: Any of "exact", "probe", "statistical"; None: for two that claim the same spikes
            "exact", else the other two.
        trials: Trials of the network's task; None: 20 on the exact level, on the statistical one
            as many as the promise of `plan` takes.
        seed: Decides trials, noise and initial voltages.
        drive: What to drive a network without a task with; its noise is replaced by `seed`'s.
        inject: Name of a fault that all backends but the first have: "weights-0.98", "delay-1ms",
            ...; `from bridge.compare.faults import FAULTS` has all of them with their meanings.
        plan: How sure the statistical level is to be:
            `from bridge.compare.statistics.comparison import Plan`.
        from_ms: Start of the part of a trial in which rates, intervals and correlations are
            described, ms; all spikes are judged. None: 50 ms if initial voltages lie above
            threshold and trials last at least 0.2 s, else 0.
        on_progress: Called with what is being done, as "part 2 of 4: snntorch, same noise, 50%",
            and the fraction done of everything.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.

    Raises:
        SpecError: fewer than two backends, an unknown one, level or fault; a level that a backend
            cannot be held to; neither a task nor a drive.
        BackendError: a simulator cannot run here.
    """
    what = to_compare(what)
    conversion = what if isinstance(what, Conversion) else None
    network = of_kind("what", what, SpikingNetwork)
    drive = None if drive is None else of_kind("drive", drive, Drive)
    plan = None if plan is None else of_kind("plan", plan, Plan)
    callback("on_progress", on_progress)
    fault = None if inject is None else find_fault(text("inject", inject))
    sides = sides_of(texts("backends", backends), fault)
    gate = _Gate(network, sides, seed, drive, trials, plan or Plan(), on_progress)
    gate.check_from_ms(from_ms)
    # What makes no sense is said before the first run.
    asked = levels_of(levels)
    if conversion is not None and drive is None:
        gate.check_rate(conversion)
    if fault is not None:
        touched = with_computed_readouts(network) if fault.of_readouts else network
        fault.change(touched, gate.drive(1)[1])
    held = {level for side in sides[1:] for level in gate.of(side, asked)}
    check_used(held, trials, plan, drive)
    if fault is not None and fault.of_readouts and held != {"exact"}:
        raise SpecError(
            f"fault {fault.name}: only on the exact level do simulators compute readouts, so give "
            "backends that claim the same spikes, and no other level"
        )
    for side in sides[1:]:
        for level in gate.of(side, asked):
            gate.check(side, level)
    with telling("comparing", wanted=flag("progress", progress) and on_progress is None) as teller:
        if teller is not None:
            gate.tell = teller.of_part
        found = gate.run(asked, conversion, "" if fault is None else fault.meaning)
    return replace(found, from_ms=from_ms)


_Shown = tuple[Trials, Recording]


class _Gate:
    """A comparison in progress."""

    def __init__(
        self,
        network: SpikingNetwork,
        sides: tuple[Side, ...],
        seed: int,
        drive: Drive | None,
        trials: int | None,
        plan: Plan,
        on_progress: Callable[[str, float], None] | None,
    ) -> None:
        self.network, self.sides, self.seed = network, sides, seed
        self.given, self.trials = drive, trials
        self.plan = plan if trials is None else replace(plan, trials=trials)
        self.tell = on_progress or (lambda _what, _fraction: None)

    def of(self, side: Side, asked: tuple[str, ...] | None) -> tuple[str, ...]:
        """The levels on which the first side is held against this one."""
        if asked is not None:
            return asked
        if side.exact and self.sides[0].exact:
            return ("exact",)
        return ("probe", "statistical") if self.network.noise_mv().any() else ("probe",)

    def check(self, side: Side, level: str) -> None:
        """Raise SpecError where two sides cannot be held to a level."""
        for one in (self.sides[0], side):
            if level == "exact" and not one.exact:
                raise SpecError(
                    f"{one.label} does not claim the same spikes, so the exact level says nothing; "
                    "use the levels probe and statistical"
                )
        if level == "statistical":
            if not self.network.noise_mv().any():
                raise SpecError("this network has no noise: without it statistics say nothing")
            trials = self.given.n_trials if self.given is not None else self.plan.trials
            if trials is not None:
                check_trials(trials, self.plan.design(3, readouts=bool(self.network.readouts)))
        if level == "probe":
            check_probes(self.network)

    def check_rate(self, conversion: Conversion) -> None:
        """Raise SpecError unless the rate network can be shown what the spiking network is."""
        if self.network.task:
            rate = conversion.rate
            shape = {"inputs": rate.input_size, "outputs": len(rate.w_out)}
            check_fit(self.task, step_ms=rate.dt_ms, **shape)

    @cached_property
    def task(self) -> Task:
        """What the network is to do."""
        return needed_task(self.network)

    def check_from_ms(self, from_ms: float | None) -> None:
        """Raise SpecError where a description would begin after the end of a trial."""
        if from_ms is not None:
            drive = self.drive(1)[1]
            check_from_ms(from_ms, drive.n_steps(self.network) * self.network.dt_ms)

    def drive(self, trials: int) -> tuple[Trials | None, Drive]:
        """Trials of the task, or the drive that was given, under shared noise."""
        if self.given is None:
            return drive_of(self.task, self.network, trials, self.seed)
        noise = SharedNoise(seed=derived_seed(self.seed, COMPARE[1]))
        return None, replace(self.given, noise=noise)

    def run(
        self, asked: tuple[str, ...] | None, conversion: Conversion | None, fault: str
    ) -> Agreement:
        """All levels that were asked for."""
        held = {level: self._held_to(level, asked) for level in LEVELS}
        report = Account(self._parts(held), self.tell)
        made, drive = self.drive(EXACT_TRIALS if self.trials is None else self.trials)
        own_trials, own_drive = made, drive
        if held["statistical"]:
            own_trials, own_drive = self.drive(self.plan.trials or MOST_TRIALS)
        exact: tuple[ExactComparison, ...] = ()
        frozen: dict[str, Recording] = {}
        seconds: dict[str, float] = {}
        if held["exact"]:
            sides = (self.sides[0], *held["exact"])
            exact, frozen, seconds = run_exactly(self.network, drive, sides, report)
        statistical = self._judged(held["statistical"], own_drive, report)
        rate = None if conversion is None else conversion.rate
        judge, rate_trials, own_rate_trials = None if made is None else self.task, made, own_trials
        driven = self._driven(conversion)
        if driven is not None:
            judge, rate_trials, own_rate_trials = driven.task, driven.trials, driven.trials
        shown = _first_side(frozen, rate_trials), _first_set(statistical, own_rate_trials)
        return Agreement(
            network=self.network,
            labels=tuple(side.label for side in self.sides),
            exact=exact,
            probes=tuple(self._probed(side, report) for side in self._to_probe(held["probe"])),
            statistical=statistical,
            frozen=frozen,
            seconds=seconds,
            seed=self.seed,
            fault=fault,
            task=None if made is None else self.task,
            trials=made,
            own_trials=own_trials,
            drive=self.given,
            rate_outputs=self._rate_outputs(rate, rate_trials),
            rate=rate,
            search=None if conversion is None else conversion.search,
            curves=() if conversion is None else conversion.error_curves(),
            faithfulness=self._faithfulness(rate, judge, next(filter(None, shown), None)),
        )

    def _held_to(self, level: str, asked: tuple[str, ...] | None) -> tuple[Side, ...]:
        return tuple(side for side in self.sides[1:] if level in self.of(side, asked))

    def _to_probe(self, held: tuple[Side, ...]) -> tuple[Side, ...]:
        return (self.sides[0], *held) if held else ()

    def _parts(self, held: dict[str, tuple[Side, ...]]) -> Parts:
        """All parts that are reported while it runs, in its order."""
        exact = (self.sides[0], *held["exact"]) if held["exact"] else ()
        parts = exact_parts(self.network, exact)
        if held["statistical"]:
            parts |= statistical_parts((self.sides[0], *held["statistical"]))
        return parts | probe_parts(self._to_probe(held["probe"]))

    def _probed(self, side: Side, report: Account) -> ProbeReport:
        return run_probes(self.network, side, self.seed, report)

    def _judged(
        self, others: tuple[Side, ...], drive: Drive, report: Account
    ) -> tuple[StatisticalComparison, ...]:
        if not others:
            return ()
        # What was given is run whole.
        plan = self.plan if self.given is None else replace(self.plan, trials=drive.n_trials)
        sides = (self.sides[0], *others)
        return run_statistically(self.network, drive, sides, plan, self.seed, report)

    def _rate_outputs(
        self, rate: RateNetwork | None, made: Trials | None
    ) -> NDArray[np.float64] | None:
        if rate is None or made is None:
            return None
        return rate.run(made.inputs, np.random.default_rng((self.seed, RATE_NOISE)))[0]

    def _driven(self, conversion: Conversion | None) -> DrivenTrials | None:
        """What was given as trials of a rate network whose conversion was searched on a drive."""
        if conversion is None or self.given is None or not conversion.driven:
            return None
        # What a rate network cannot be shown leaves simulators to be compared all the same.
        with suppress(SpecError):
            return driven_trials(conversion.rate, self.given, self.seed)
        return None

    def _faithfulness(
        self, rate: RateNetwork | None, judge: Task | None, shown: _Shown | None
    ) -> Faithfulness | None:
        if rate is None or shown is None or not shown[1].readouts:
            return None
        trials, recording = shown
        return beside(RateAnswers.of(rate, judge, trials, self.seed), self.network, recording)


def _first_side(frozen: dict[str, Recording], made: Trials | None) -> _Shown | None:
    """The trials that the first side has done under the same noise as the others."""
    return None if made is None or not frozen else (made, next(iter(frozen.values())))


def _first_set(found: tuple[StatisticalComparison, ...], made: Trials | None) -> _Shown | None:
    """The trials that the first side has done under noise of its own, the first of them."""
    if made is None or not found:
        return None
    recording = found[0].sets[0]
    numbers = np.arange(min(recording.spikes.n_trials, _MOST_BESIDE))
    return made.chosen(numbers), recording.chosen(numbers)


# Trials in which the rate network is run again, too: its activity is kept whole.
_MOST_BESIDE = 100
