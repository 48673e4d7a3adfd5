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
from bridge.methods.rate_targets.judgement import Judgement, apart, closed_loop
from bridge.methods.rate_targets.learner import RESET_MV, Learner, draw_fixed
from bridge.methods.rate_targets.plan import Plan
from bridge.methods.rate_targets.result import FINISHED, INTERRUPTED, TargetFit
from bridge.methods.rate_targets.targets import (
    Anew,
    Lessons,
    LessonsApart,
    LessonsInARow,
    Targets,
    project,
)
from bridge.methods.rate_targets.teacher import Course, Teacher, draw_teacher
from bridge.methods.rate_targets.trained_teacher import TrainedTeacher
from bridge.rate.interrupts import interrupts_held
from bridge.spiking.network import SpikingNetwork
from bridge.tasks import draw

Array = NDArray[np.float64]
Report = Callable[[float, str], None]

METHOD = "rate dynamics as targets (DePasquale et al. 2016)"

# What is drawn for the teacher, for the spiking network, for learning, and trials: a stream each.
_TEACHER, _SPIKING, _LEARNING, _TRIALS = 0, 1, 2, 3
# The error that is shown while learning is the median of so many trials.
_SHOWN = 20


@dataclass
class Run:
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
    done: "_Trials"
    errors: list[float] = field(default_factory=list)


class _Trials:
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
        run = begun(plan, report, interrupted, resume)
        stopped = _learn(run)
        return _ended(run, stopped)


def begun(
    plan: Plan, report: Report, interrupted: threading.Event, resume: TargetFit | None
) -> Run:
    """A fit before its first trial of learning, or where it was left."""
    options, task = plan.options, plan.task
    rngs = [np.random.default_rng((options.seed, part)) for part in range(3)]
    teacher: Teacher
    if plan.teacher is None:
        teacher = draw_teacher(options, (task.input_size, task.output_size), rngs[_TEACHER])
    else:
        teacher = TrainedTeacher(plan.teacher, plan.hold)
    targets, lessons = _taught(plan, teacher, rngs[_TEACHER])
    learner = Learner(
        draw_fixed(options, targets, rngs[_SPIKING]), targets.onto, task.output_size, plan.dt_ms
    )
    phases = [options.settle_trials]
    if learner.is_random:
        phases += [options.settle_trials, options.mean_trials]
    before = sum(phases)
    learned = 0 if resume is None else len(resume.learning_errors)
    left = options.learn_trials - learned + 1 + (0 if resume else before)
    done = _Trials(left, report, interrupted)
    run = Run(plan, targets, lessons, learner, rngs[_LEARNING], done)
    if resume is None:
        _listen(run)
    else:
        _go_on(run, resume, before + learned)
    return run


def _taught(plan: Plan, teacher: Teacher, rng: np.random.Generator) -> tuple[Targets, Lessons]:
    """What the teacher shows, trial after trial."""
    options, task = plan.options, plan.task
    if plan.trial is not None:
        trial = plan.held(plan.trial)
        course = Course(teacher, trial, plan.dt_ms)
        targets = project(teacher, course, options, rng)
        return targets, LessonsInARow(targets, course, trial)
    drawn = np.random.default_rng((options.seed, _TRIALS))
    anew = Anew(teacher, lambda: plan.held(draw(task, 1, drawn)), plan.dt_ms)
    targets = project(teacher, anew, options, rng)
    # As the description's own start, in its range.
    return targets, LessonsApart(targets, anew, lambda: drawn.uniform(RESET_MV, 0.0, options.units))


def _listen(run: Run) -> None:
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


def _go_on(run: Run, resume: TargetFit, passed: int) -> None:
    """Put a fit where it was left, after so many lessons."""
    if resume.checkpoint is not None:
        put_back(run.learner, resume.checkpoint)
    run.errors = resume.learning_errors.tolist()
    run.lessons.skip(passed)
    for _ in run.errors:
        _chosen(run)


def _chosen(run: Run) -> NDArray[np.bool_]:
    """(T,) which steps of the next trial are learned from."""
    chosen: NDArray[np.bool_] = (
        run.rng.random(run.plan.task.steps * run.plan.hold) < run.plan.options.update_chance
    )
    return chosen


def _learn(run: Run) -> str:
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


def _learned_trial(run: Run) -> float:
    """One trial of learning; its nMSE."""
    lesson = run.lessons.next()
    wanted = lesson.desired[:, lesson.signals.shape[1] :]
    outputs = run.learner.learning_trial(lesson, _chosen(run), len(run.errors))
    power = np.square(wanted).sum()
    # A trial whose answer is to be 0 throughout counts by its error alone.
    return float(np.square(outputs - wanted).sum() / (power if power > 0 else 1.0))


def _ended(run: Run, stopped: str) -> TargetFit:
    """The network, judged where it is finished."""
    plan, kept = run.plan, checkpoint_of(run.learner, len(run.errors))
    if plan.trial is None:
        # Trials begin anew, at rest.
        run.learner.restart()
    network = _network(run, stopped)
    found = Judgement(errors=np.empty(0), rate_hz=0.0)
    if stopped == FINISHED:
        try:
            found = _judged(run, network)
        except KeyboardInterrupt:
            network = _network(run, INTERRUPTED)
        else:
            run.done()
    return TargetFit(
        network=network,
        start_mv=None if plan.trial is None else run.learner.v,
        trial=plan.trial,
        learning_errors=np.array(run.errors),
        errors=found.errors,
        rate_hz=found.rate_hz,
        shifts_ms=found.shifts_ms,
        right=found.right,
        teacher=plan.teacher,
        checkpoint=kept,
    )


def _judged(run: Run, network: SpikingNetwork) -> Judgement:
    """The network on its own."""
    plan, options = run.plan, run.plan.options
    if plan.trial is None:
        return apart(network, plan.task, options.test_trials, options.seed)
    return closed_loop(
        network, plan.trial, run.learner.v, options.test_trials, free=options.free_running
    )


def _network(run: Run, stopped: str) -> SpikingNetwork:
    task, options = run.plan.task, run.plan.options
    network = described(
        run.learner,
        run.targets,
        dt_ms=run.plan.dt_ms,
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
    return replace(network, sample_steps=run.plan.hold)
