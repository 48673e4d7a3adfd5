"""A fit in progress: how it begins, goes on from a checkpoint, and ends."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bridge.blas_threads import threads_for
from bridge.errors import TrainingError
from bridge.methods.rate_targets.checkpoint import checkpoint_of, put_back
from bridge.methods.rate_targets.description import described
from bridge.methods.rate_targets.judgement import Judgement, closed_loop
from bridge.methods.rate_targets.learner import Learner, draw_fixed
from bridge.methods.rate_targets.plan import Plan
from bridge.methods.rate_targets.result import FINISHED, INTERRUPTED, TargetFit
from bridge.methods.rate_targets.targets import Lessons, LessonsInARow, Targets, project
from bridge.methods.rate_targets.teacher import Course, draw_teacher
from bridge.rate.interrupts import interrupts_held
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]
Report = Callable[[float, str], None]

METHOD = "rate dynamics as targets (DePasquale et al. 2016)"

# What is drawn for the teacher, for the spiking network, and for learning: a stream each.
_TEACHER, _SPIKING, _LEARNING = 0, 1, 2
# The error that is shown while learning is the median of so many trials.
_SHOWN = 20


@dataclass
class _Run:
    """A fit in progress.

    Attributes:
        plan: What it does.
        targets: What the teacher shows.
        lessons: Trial after trial.
        learner: The network.
        rng: Decides which steps are learned from.
        done: Is called after each trial.
        errors: nMSE of each trial of learning so far.
    """

    plan: Plan
    targets: Targets
    lessons: Lessons
    learner: Learner
    rng: np.random.Generator
    done: "_Counter"
    errors: list[float] = field(default_factory=list)


class _Counter:
    """Reports how many of all trials are done, and ends what an interrupt ends."""

    def __init__(self, total: int, report: Report, interrupted: threading.Event) -> None:
        self._total, self._report, self._done = total, report, 0
        self.interrupted = interrupted
        report(0.0, "")

    def __call__(self, note: str = "") -> None:
        """One more is done."""
        self._done += 1
        self._report(self._done / self._total, note)

    def before_learning(self) -> None:
        """One more is done of those before which there is nothing to keep."""
        if self.interrupted.is_set():
            raise KeyboardInterrupt
        self("listening to the teacher")


def fit_as_planned(plan: Plan, report: Report, resume: TargetFit | None = None) -> TargetFit:
    """Fit a network as planned, or go on with one; an interrupt ends it early with what there is.

    Where learning diverges, it ends with the state before that trial. `TargetFit.stopped` says how
    it ended; only what is finished is judged.
    """
    with (
        threads_for(0),
        np.errstate(over="ignore", invalid="ignore"),
        interrupts_held() as interrupted,
    ):
        run = _begun(plan, report, interrupted, resume)
        stopped = _learn(run)
        return _ended(run, stopped)


def _begun(
    plan: Plan, report: Report, interrupted: threading.Event, resume: TargetFit | None
) -> _Run:
    """A fit before its first trial of learning, or where it was left."""
    options, task = plan.options, plan.task
    rngs = [np.random.default_rng((options.seed, part)) for part in range(3)]
    teacher = draw_teacher(options, (task.input_size, task.output_size), rngs[_TEACHER])
    course = Course(teacher, plan.trial, task.step_ms)
    targets = project(teacher, course, options, rngs[_TEACHER])
    lessons = LessonsInARow(targets, course, plan.trial)
    learner = Learner(
        draw_fixed(options, targets, rngs[_SPIKING]), targets.onto, task.output_size, task.step_ms
    )
    phases = [options.settle_trials]
    if learner.is_random:
        phases += [options.settle_trials, options.mean_trials]
    before = sum(phases)
    learned = 0 if resume is None else len(resume.learning_errors)
    left = options.learn_trials - learned + 1 + (0 if resume else before)
    done = _Counter(left, report, interrupted)
    run = _Run(plan, targets, lessons, learner, rngs[_LEARNING], done)
    if resume is None:
        _listen(run)
    else:
        _go_on(run, resume, before + learned)
    return run


def _listen(run: _Run) -> None:
    """The phases before learning, with the teacher's feedback."""
    options, learner, lessons = run.plan.options, run.learner, run.lessons
    tell = run.done.before_learning
    if learner.is_random:
        learner.forced_trials(lessons, options.settle_trials, tell)
        mean = learner.forced_trials(lessons, options.mean_trials, tell)
        # The mean of the random currents goes off the bias, and all starts again.
        learner.fixed = replace(learner.fixed, bias=learner.fixed.bias - mean)
        learner.restart()
    learner.forced_trials(lessons, options.settle_trials, tell)


def _go_on(run: _Run, resume: TargetFit, passed: int) -> None:
    """Put a fit where it was left, after so many lessons."""
    if resume.checkpoint is not None:
        put_back(run.learner, resume.checkpoint)
    run.errors = resume.learning_errors.tolist()
    run.lessons.skip(passed)
    for _ in run.errors:
        _chosen(run)


def _chosen(run: _Run) -> NDArray[np.bool_]:
    """(T,) which steps of the next trial are learned from."""
    chosen: NDArray[np.bool_] = (
        run.rng.random(len(run.plan.trial.targets)) < run.plan.options.update_chance
    )
    return chosen


def _learn(run: _Run) -> str:
    """The trials of learning; why they ended."""
    while len(run.errors) < run.plan.options.learn_trials:
        if run.done.interrupted.is_set():
            return INTERRUPTED
        before = checkpoint_of(run.learner, len(run.errors))
        try:
            error = _learned_trial(run)
        except (TrainingError, KeyboardInterrupt) as reason:
            put_back(run.learner, before)
            return str(reason) or INTERRUPTED
        run.errors.append(error)
        run.done(
            f"trial {len(run.errors)} of {run.plan.options.learn_trials}, "
            f"nMSE while learning {np.median(run.errors[-_SHOWN:]):.2g}"
        )
    return FINISHED


def _learned_trial(run: _Run) -> float:
    """One trial of learning; its nMSE."""
    lesson = run.lessons.next()
    wanted = lesson.desired[:, lesson.signals.shape[1] :]
    outputs = run.learner.learning_trial(lesson, _chosen(run), len(run.errors))
    return float(np.square(outputs - wanted).sum() / np.square(wanted).sum())


def _ended(run: _Run, stopped: str) -> TargetFit:
    """The network, judged where it is finished."""
    network, options = _network(run, stopped), run.plan.options
    found = Judgement(errors=np.empty(0), rate_hz=0.0)
    if stopped == FINISHED:
        found = closed_loop(
            network,
            run.plan.trial,
            run.learner.v,
            options.test_trials,
            free=options.free_running,
        )
        run.done()
    return TargetFit(
        network=network,
        start_mv=run.learner.v,
        trial=run.plan.trial,
        learning_errors=np.array(run.errors),
        errors=found.errors,
        rate_hz=found.rate_hz,
        shifts_ms=found.shifts_ms,
        checkpoint=checkpoint_of(run.learner, len(run.errors)),
    )


def _network(run: _Run, stopped: str) -> SpikingNetwork:
    task, options = run.plan.task, run.plan.options
    return described(
        run.learner,
        run.targets,
        dt_ms=task.step_ms,
        task=task.name,
        factored=options.factored,
        provenance={
            "method": METHOD,
            "options": asdict(options),
            "components": run.targets.onto.shape[1],
            "learned_trials": len(run.errors),
            "stopped": stopped,
        },
    )
