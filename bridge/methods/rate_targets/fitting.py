"""A fit in progress: how it begins, goes on from a checkpoint, and ends."""

import threading
from dataclasses import asdict, replace
from functools import partial

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
from bridge.methods.rate_targets.running import (
    LEARNING,
    NETWORK,
    TEACHER,
    Report,
    Run,
    TrialCounter,
    chosen,
    learned_trial,
    noted,
    taught,
)
from bridge.methods.rate_targets.targets import draw_projection
from bridge.methods.rate_targets.teacher import Teacher, draw_teacher
from bridge.methods.rate_targets.trained_teacher import TrainedTeacher
from bridge.rate.interrupts import interrupts_held
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]
LearnerRun = Run[Learner]

METHOD = "rate dynamics as targets (DePasquale et al. 2016)"


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
) -> LearnerRun:
    """A fit before its first trial of learning, or where it was left."""
    options, task = plan.options, plan.task
    rngs = [np.random.default_rng((options.seed, part)) for part in range(3)]
    teacher: Teacher
    if plan.teacher is None:
        teacher = draw_teacher(options, (task.input_size, task.output_size), rngs[TEACHER])
    else:
        teacher = TrainedTeacher(plan.teacher, plan.hold)
    projection = draw_projection(options, rngs[TEACHER])
    targets, lessons = taught(plan, teacher, projection, partial(_drawn_voltages, options.units))
    learner = Learner(
        draw_fixed(options, targets, rngs[NETWORK]), targets.onto, task.output_size, plan.dt_ms
    )
    phases = [options.settle_trials]
    if learner.is_random:
        phases += [options.settle_trials, options.mean_trials]
    before = sum(phases)
    learned = 0 if resume is None else len(resume.learning_errors)
    left = options.learn_trials - learned + 1 + (0 if resume else before)
    done = TrialCounter(left, report, interrupted)
    run = LearnerRun(plan, targets, lessons, learner, rngs[LEARNING], done)
    if resume is None:
        _listen(run)
    else:
        _go_on(run, resume, before + learned)
    return run


def _drawn_voltages(size: int, rng: np.random.Generator) -> Array:
    """(N,) voltages in which a trial begins anew, mV: as the description's own, in its range."""
    return rng.uniform(RESET_MV, 0.0, size)


def _listen(run: LearnerRun) -> None:
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


def _go_on(run: LearnerRun, resume: TargetFit, passed: int) -> None:
    """Put a fit where it was left, after so many lessons."""
    if resume.checkpoint is not None:
        put_back(run.learner, resume.checkpoint)
    run.errors = resume.learning_errors.tolist()
    run.lessons.skip(passed)
    for _ in run.errors:
        chosen(run)


def _learn(run: LearnerRun) -> str:
    """The trials of learning; why they ended."""
    while len(run.errors) < run.plan.options.learn_trials:
        if run.done.interrupted.is_set():
            return INTERRUPTED
        before = checkpoint_of(run.learner, len(run.errors))
        try:
            error = learned_trial(run)
        except (TrainingError, KeyboardInterrupt) as reason:
            put_back(run.learner, before)
            return str(reason) or INTERRUPTED
        noted(run, error)
    return FINISHED


def _ended(run: LearnerRun, stopped: str) -> TargetFit:
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


def _judged(run: LearnerRun, network: SpikingNetwork) -> Judgement:
    """The network on its own."""
    plan, options = run.plan, run.plan.options
    if plan.trial is None:
        return apart(network, plan.task, options.test_trials, options.seed)
    return closed_loop(
        network, plan.trial, run.learner.v, options.test_trials, free=options.free_running
    )


def _network(run: LearnerRun, stopped: str) -> SpikingNetwork:
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
