"""What a fit in progress is, whatever learns: its teacher's lessons, and its trials of learning."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.methods.rate_targets.follower import Follower
from bridge.methods.rate_targets.plan import Plan
from bridge.methods.rate_targets.targets import (
    Anew,
    Lessons,
    LessonsApart,
    LessonsInARow,
    Targets,
    project,
)
from bridge.methods.rate_targets.teacher import Course, Teacher
from bridge.tasks import draw

Array = NDArray[np.float64]
Report = Callable[[float, str], None]
Learns = TypeVar("Learns", bound=Follower)

# What is drawn for the teacher, for the network that learns, for learning, and trials: a stream
# each.
TEACHER, NETWORK, LEARNING, TRIALS = 0, 1, 2, 3
# The error that is shown while learning is the median of so many trials.
_SHOWN = 20


class TrialCounter:
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


@dataclass
class Run(Generic[Learns]):
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
    learner: Learns
    rng: np.random.Generator
    done: TrialCounter
    errors: list[float] = field(default_factory=list)


def taught(
    plan: Plan,
    teacher: Teacher,
    projection: Array,
    draw_start: Callable[[np.random.Generator], Array],
) -> tuple[Targets, Lessons]:
    """What the teacher shows, trial after trial.

    Args:
        plan: Of the fit.
        teacher: Of N~ units.
        projection: (N, N~) from them to the network that learns.
        draw_start: Draws the (N,) states in which it begins a trial anew.
    """
    options, task = plan.options, plan.task
    if plan.trial is not None:
        trial = plan.held(plan.trial)
        course = Course(teacher, trial, plan.dt_ms)
        targets = project(teacher, course, options, projection)
        return targets, LessonsInARow(targets, course, trial)
    drawn = np.random.default_rng((options.seed, TRIALS))
    anew = Anew(teacher, lambda: plan.held(draw(task, 1, drawn)), plan.dt_ms)
    targets = project(teacher, anew, options, projection)
    return targets, LessonsApart(targets, anew, lambda: draw_start(drawn))


def chosen(run: Run[Learns]) -> NDArray[np.bool_]:
    """(T,) which steps of the next trial are learned from."""
    found: NDArray[np.bool_] = (
        run.rng.random(run.plan.task.steps * run.plan.hold) < run.plan.options.update_chance
    )
    return found


def learned_trial(run: Run[Learns]) -> float:
    """One trial of learning; its nMSE."""
    lesson = run.lessons.next()
    wanted = lesson.desired[:, lesson.signals.shape[1] :]
    outputs = run.learner.learning_trial(lesson, chosen(run), len(run.errors))
    power = np.square(wanted).sum()
    # A trial whose answer is to be 0 throughout counts by its error alone.
    return float(np.square(outputs - wanted).sum() / (power if power > 0 else 1.0))


def noted(run: Run[Learns], error: float) -> None:
    """Keep the error of a trial of learning, and report it."""
    run.errors.append(error)
    run.done(
        f"trial {len(run.errors)} of {run.plan.options.learn_trials}, "
        f"nMSE while learning {np.median(run.errors[-_SHOWN:]):.2g}"
    )
