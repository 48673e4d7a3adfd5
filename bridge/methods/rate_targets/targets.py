"""What a network is to follow: components of the teacher, projected to its units.

Currents of spiking neurons are in mV, those of rate units have no unit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.teacher import Course, Teacher
from bridge.tasks import Trials

Array = NDArray[np.float64]

# At most so many trials show the components of a teacher whose trials differ.
_MOST_SHOWN = 40
# So many different trials of a task are remembered, not computed again.
_MOST_KNOWN = 64


@dataclass(frozen=True, eq=False)
class Targets:
    """How a teacher's trials become targets of the network that learns.

    Attributes:
        directions: (K, M) Q, the components: y~ = Q' times what the teacher does.
        onto: (N, M) B: what y~ is, as currents of its units.
        w_in: (N, C) what the task's input gives its units.
        mean: (M,) of y~ over time.
    """

    directions: Array
    onto: Array
    w_in: Array
    mean: Array


class Lesson:
    """A trial as the network is to learn it, of T steps.

    Attributes:
        signals: (T, M) y~.
        desired: (T, M + O) y~, and the outputs of the task.
        forced: (T, N) B y~.
        stimulus: (T, N) what the task's input gives.
        stimulated: (T,) whether it gives anything.
        start: (N,) states in which the network begins anew; None: it goes on.
        label: Number of its condition.
    """

    def __init__(
        self, targets: Targets, course: Array, trial: Trials, start: Array | None = None
    ) -> None:
        self.signals: Array = course @ targets.directions
        self.desired: Array = np.hstack((self.signals, trial.targets[:, 0]))
        self.forced: Array = self.signals @ targets.onto.T
        self.stimulus: Array = trial.inputs[:, 0] @ targets.w_in.T
        self.stimulated: NDArray[np.bool_] = np.any(self.stimulus, axis=1)
        self.start = start
        self.label = int(trial.labels[0])


class Lessons(Protocol):
    """The lessons of a teacher, one after the other."""

    def next(self) -> Lesson:
        """The next one."""

    def skip(self, count: int) -> None:
        """Let so many pass."""


class LessonsInARow:
    """Of one trial over and over, each going on from the last."""

    def __init__(self, targets: Targets, course: Course, trial: Trials) -> None:
        self._targets, self._course, self._trial = targets, course, trial
        self._lesson: Lesson | None = None

    def next(self) -> Lesson:
        """The next one; the very same, where the teacher repeats itself."""
        if self._lesson is None or not self._course.repeats:
            self._lesson = Lesson(self._targets, self._course.next(), self._trial)
        return self._lesson

    def skip(self, count: int) -> None:
        """Let so many pass."""
        for _ in range(count):
            self._course.next()


class Anew:
    """What a teacher shows in trials that differ, each of which begins anew from rest.

    Attributes:
        repeats: Never.
        trial: The one that came last.
    """

    repeats = False
    trial: Trials

    def __init__(self, teacher: Teacher, draw_one: Callable[[], Trials], dt_ms: float) -> None:
        self._teacher, self._draw_one, self._dt_ms = teacher, draw_one, dt_ms
        self._known: dict[bytes, Array] = {}

    def next(self) -> Array:
        """The next trial, (T, K)."""
        trial = self.trial = self._draw_one()
        name = trial.inputs.tobytes() + trial.targets.tobytes()
        if name not in self._known:
            if len(self._known) == _MOST_KNOWN:
                self._known.clear()
            at_rest = np.zeros_like(self._teacher.start)
            self._known[name] = self._teacher.trial(at_rest, trial, self._dt_ms)[0]
        return self._known[name]

    def skip(self) -> None:
        """Draw the next trial, and leave it."""
        self._draw_one()


class LessonsApart:
    """Of trials that differ: the network begins each at rest, from states that are drawn."""

    def __init__(self, targets: Targets, course: Anew, draw_start: Callable[[], Array]) -> None:
        self._targets, self._course, self._draw_start = targets, course, draw_start

    def next(self) -> Lesson:
        """The next one."""
        shown = self._course.next()
        return Lesson(self._targets, shown, self._course.trial, self._draw_start())

    def skip(self, count: int) -> None:
        """Let so many pass."""
        for _ in range(count):
            self._course.skip()
            self._draw_start()


def principal_components(moment: Array, kept: float) -> Array:
    """(K, M) the first directions that hold more than a share `kept` of the power.

    Args:
        moment: (K, K) second moment of the signals, about 0 and not about the mean.
        kept: 1: all of them are kept.
    """
    power, directions = np.linalg.eigh(moment)
    share = np.cumsum(power[::-1]) / power.sum()
    count = int(np.searchsorted(share, kept, side="right")) + 1
    found: Array = directions[:, ::-1][:, : min(count, len(power))]
    return found


def project(
    teacher: Teacher, course: Course | Anew, options: TargetOptions, projection: Array
) -> Targets:
    """The teacher's components, as currents of the network that is to follow.

    Args:
        teacher: Of N~ units.
        course: What it shows.
        options: How long it settles, and what its components hold.
        projection: (N, N~) U.
    """
    # What begins anew has nothing to settle.
    anew = isinstance(course, Anew)
    for _ in range(1 if anew else options.settle_trials):
        made = course.next()
    moment, total, trials = made.T @ made, made.mean(axis=0), 1
    most = min(options.component_trials, _MOST_SHOWN if anew else options.component_trials)
    while not course.repeats and trials < most:
        made = course.next()
        moment, total, trials = moment + made.T @ made, total + made.mean(axis=0), trials + 1
    directions = principal_components(moment, options.variance_kept)
    return Targets(
        directions=directions,
        onto=projection @ (teacher.currents() @ directions),
        w_in=projection @ teacher.w_in,
        mean=total / trials @ directions,
    )


def draw_projection(options: TargetOptions, rng: np.random.Generator) -> Array:
    """U = g_z orth(R), R (N, N~) even in -1 to 1: the columns are orthonormal, times g_z."""
    drawn = rng.uniform(-1, 1, (options.units, options.teacher_count))
    projection: Array = options.target_gain * np.linalg.qr(drawn)[0]
    return projection
