"""Rate units that learn a task by the same recursive least squares as spiking neurons do."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import options_in
from bridge.blas_threads import threads_for
from bridge.methods.rate_targets.fit import told
from bridge.methods.rate_targets.judgement import Judgement, in_a_row, of_fresh
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.plan import Plan, plan_fit
from bridge.methods.rate_targets.rate_learner import RateLearner
from bridge.methods.rate_targets.running import (
    LEARNING,
    NETWORK,
    TEACHER,
    Report,
    Run,
    TrialCounter,
    learned_trial,
    noted,
    taught,
)
from bridge.methods.rate_targets.teacher import draw_teacher
from bridge.methods.scoring import SCORE, trials_of
from bridge.tasks import Task, check_task
from bridge.tasks import task as task_named

Array = NDArray[np.float64]

START_SD = 0.01


@dataclass(frozen=True, kw_only=True)
class RateUnitOptions:
    """Those of `TargetOptions` that rate units have, which learn all currents of their teacher.

    Attributes:
        units: Units N, as many as the teacher has.
        teacher_gain: See `TargetOptions`, as all that follow.
        variance_kept: As there; 1: all currents are learned.
        update_chance: As there.
        settle_trials: As there.
        component_trials: As there.
        learn_trials: As there.
        test_trials: As there.
        free_running: As there.
        seed: As there: the same seed and number of units give the same teacher.
    """

    units: int = 100
    teacher_gain: float = 1.4
    variance_kept: float = 1.0
    update_chance: float = 0.5
    settle_trials: int = 50
    component_trials: int = 300
    learn_trials: int = 500
    test_trials: int = 100
    free_running: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self.as_targets()

    def as_targets(self) -> TargetOptions:
        """The same for a spiking network."""
        return TargetOptions(teacher_units=self.units, **vars(self))


@dataclass(frozen=True, eq=False)
class RateUnitFit:
    """Rate units that have learned, and how good they are without their teacher.

    Attributes:
        learner: The units and their weights, where learning ended.
        learning_errors: (L,) nMSE of each trial of learning.
        errors: (B,) nMSE of each trial after it, as of `bridge.TargetFit`.
        right: How many of these were right, where trials differ and the task says which are.
        shifts_ms: (B,) as of `bridge.TargetFit`.
    """

    learner: RateLearner
    learning_errors: Array
    errors: Array
    right: int | None
    shifts_ms: Array | None

    @property
    def error(self) -> float:
        """Median of `errors`."""
        return float(np.median(self.errors))


def fit_rate_units(
    task: str | Task,
    *,
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> RateUnitFit:
    """Let rate units learn a task as `bridge.fit_targets` lets spiking neurons.

    This is full-FORCE (DePasquale et al. 2018): a teacher of as many units, driven with the desired
    output, shows each unit which current it needs. Lessons, least squares, schedule and scoring are
    those of the spiking network.

    Opposite inputs give opposite outputs, as no unit has a bias. A task whose answer is the same
    for opposite inputs, as in `xor`, is not learned, unless it has an input that is constant.

    Args:
        task: Name of a task, or a task.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Fields of `RateUnitOptions`.

    Raises:
        SpecError: an option or the task makes no sense.
        TrainingError: learning diverged.
    """
    chosen = options_in(RateUnitOptions, options)
    kind = task_named(task) if isinstance(task, str) else check_task(task)
    plan = plan_fit(kind, **vars(chosen.as_targets()))
    with (
        told(on_progress, progress) as report,
        threads_for(0),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        run = _begun(plan, report)
        for _ in range(chosen.learn_trials):
            noted(run, learned_trial(run))
        found = _judged(run)
        run.done()
    return RateUnitFit(
        run.learner, np.array(run.errors), found.errors, found.right, found.shifts_ms
    )


def _begun(plan: Plan, report: Report) -> Run[RateLearner]:
    """A fit before its first trial of learning."""
    options, task = plan.options, plan.task
    rngs = [np.random.default_rng((options.seed, part)) for part in range(3)]
    teacher = draw_teacher(options, (task.input_size, task.output_size), rngs[TEACHER])
    start = partial(_drawn_states, options.units)
    # Each unit takes the current of one unit of the teacher.
    targets, lessons = taught(plan, teacher, np.eye(options.units), start)
    learner = RateLearner(start(rngs[NETWORK]), targets.onto, task.output_size, plan.dt_ms)
    done = TrialCounter(options.settle_trials + options.learn_trials + 1, report, threading.Event())
    for _ in learner.forced_steps(lessons, options.settle_trials, done.before_learning):
        pass
    return Run(plan, targets, lessons, learner, rngs[LEARNING], done)


def _drawn_states(size: int, rng: np.random.Generator) -> Array:
    """(N,) states near rest."""
    return START_SD * rng.standard_normal(size)


def _judged(run: Run[RateLearner]) -> Judgement:
    """The units on their own, on the trials by which a spiking network is judged."""
    plan, options, learner = run.plan, run.plan.options, run.learner
    w_in = run.targets.w_in
    if plan.trial is not None:
        inputs = np.tile(plan.trial.inputs[:, 0], (options.test_trials, 1))
        made = _outputs(learner, np.repeat(inputs, plan.hold, axis=0) @ w_in.T, plan.hold)
        return in_a_row(made, plan.trial, plan.task.step_ms, free=options.free_running)
    trials = trials_of(plan.task, options.test_trials, options.seed, SCORE)
    rng = np.random.default_rng((options.seed, SCORE[1]))
    outputs = np.empty_like(trials.targets)
    for number in range(options.test_trials):
        learner.restart(_drawn_states(options.units, rng))
        held = np.repeat(trials.inputs[:, number], plan.hold, axis=0)
        outputs[:, number] = _outputs(learner, held @ w_in.T, plan.hold)
    return of_fresh(plan.task, outputs, trials)


def _outputs(learner: RateLearner, stimulus: Array, hold: int) -> Array:
    """(T, O) outputs with their own feedback, at the last of each `hold` steps."""
    components = learner.onto.shape[1]
    made = np.empty((len(stimulus), len(learner.rls.weights) - components))
    for step, given in enumerate(stimulus):
        learner.advance(given)
        found = learner.outputs()
        learner.close_loop(found)
        made[step] = found[components:]
    return made[hold - 1 :: hold]
