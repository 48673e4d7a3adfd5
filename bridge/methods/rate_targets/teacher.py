"""The continuous network that gives the targets: driven by the desired output, never trained."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.methods.rate_targets.options import TargetOptions
from bridge.spiking.decay import decay_factor
from bridge.tasks import Trials

Array = NDArray[np.float64]

TAU_MS = 10.0
# Trials in a row may differ by this share of what they are, once the teacher follows its drive.
_ENTRAINED = 1e-12


class Teacher(Protocol):
    """What shows a spiking network how a task is done: N~ units."""

    @property
    def start(self) -> Array:
        """(N~,) its state at first."""

    @property
    def w_in(self) -> Array:
        """(N~, C) weights of the task's input."""

    def trial(self, state: Array, trial: Trials, dt_ms: float) -> tuple[Array, Array]:
        """(T, K) what the components are taken of in a trial, and the state at its end."""

    def currents(self) -> Array:
        """(N~, K) what makes currents of the units from what the components are taken of."""


@dataclass(frozen=True, eq=False)
class DrawnTeacher:
    """tau dx/dt = -x + J tanh(x) + u_out f_out + u_in f_in, or with the units' rates instead.

    Form "rate": tau dr/dt = -r + tanh(J r + u_out f_out + u_in f_in). Steps are exact for a drive
    that is held.

    Attributes:
        form: "current" or "rate".
        recurrent: (N~, N~) J, normal numbers of s.d. g~ / sqrt(N~).
        w_out: (N~, O) u_out, even in -1 to 1, of the desired output.
        w_in: (N~, C) u_in, likewise, of the task's input.
        start: (N~,) x or r at first.
    """

    form: str
    recurrent: Array
    w_out: Array
    w_in: Array
    start: Array

    def trial(self, state: Array, trial: Trials, dt_ms: float) -> tuple[Array, Array]:
        """One trial, driven by what the output should be.

        Args:
            state: (N~,) x or r at its start.
            trial: One trial of T samples.
            dt_ms: Time between two of them, ms.

        Returns:
            (T, K) what the components are taken of, and the state at the end. Form "current": the
            currents J tanh(x) + u_out f_out of the units. Form "rate": the rates r, and f_out.
        """
        left = float(decay_factor(TAU_MS, dt_ms))
        driven = trial.targets[:, 0] @ self.w_out.T
        stimulus = trial.inputs[:, 0] @ self.w_in.T
        course, current_form = np.empty_like(driven), self.form == "current"
        for step, (out, in_) in enumerate(zip(driven, stimulus, strict=True)):
            if current_form:
                course[step] = self.recurrent @ np.tanh(state) + out
                goal = course[step] + in_
            else:
                course[step] = state
                goal = np.tanh(self.recurrent @ state + out + in_)
            state = goal + (state - goal) * left
        return (course if current_form else np.hstack((course, trial.targets[:, 0]))), state

    def currents(self) -> Array:
        """(N~, K) what makes currents of the units from what the components are taken of."""
        if self.form == "current":
            return np.eye(len(self.recurrent))
        return np.hstack((self.recurrent, self.w_out))


def draw_teacher(
    options: TargetOptions, sizes: tuple[int, int], rng: np.random.Generator
) -> DrawnTeacher:
    """A teacher for a task of so many (input channels, outputs)."""
    units, (inputs, outputs) = options.teacher_count, sizes
    spread = options.teacher_gain / np.sqrt(units)
    return DrawnTeacher(
        form=options.teacher,
        recurrent=spread * rng.standard_normal((units, units)),
        w_out=rng.uniform(-1, 1, (units, outputs)),
        w_in=rng.uniform(-1, 1, (units, inputs)),
        start=rng.standard_normal(units),
    )


class Course:
    """What a teacher does, trial after trial, as one trial of a task repeats itself.

    Most teachers soon repeat themselves with it; from then on nothing more is computed. Some stay a
    little chaotic, and no two of their trials are alike.

    Attributes:
        repeats: Whether all further trials are the same.
    """

    def __init__(self, teacher: Teacher, trial: Trials, dt_ms: float) -> None:
        self._teacher, self._trial, self._dt_ms = teacher, trial, dt_ms
        self._state: Array = teacher.start
        self._last: Array = np.empty((0, 0))
        self.repeats = False

    def next(self) -> Array:
        """The next trial, (T, K): see `Teacher.trial`. The very same array, where it repeats."""
        if self.repeats:
            return self._last
        course, self._state = self._teacher.trial(self._state, self._trial, self._dt_ms)
        if self._last.shape == course.shape:
            change = np.square(course - self._last).sum()
            self.repeats = bool(change <= _ENTRAINED * np.square(course).sum())
        self._last = course
        return course
