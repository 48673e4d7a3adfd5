"""The continuous network that gives the targets: driven by the desired output, never trained."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.rate_targets.options import TargetOptions
from bridge.spiking.decay import decay_factor
from bridge.tasks import Trials

Array = NDArray[np.float64]

TAU_MS = 10.0
# Trials in a row may differ by this share of what they are, once the teacher follows its drive.
_ENTRAINED = 1e-12


@dataclass(frozen=True, eq=False)
class Targets:
    """What the spiking network is to follow in each trial, of T samples.

    Attributes:
        signals: (T, M) y~, the components of the teacher.
        onto: (N, M) B: what the components are, as currents of the spiking neurons, mV.
        w_in: (N, C) what the task's input gives the spiking neurons, mV.
    """

    signals: Array
    onto: Array
    w_in: Array


@dataclass(frozen=True, eq=False)
class Teacher:
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

    def course(self, trial: Trials, dt_ms: float, most: int) -> Array:
        """What the components are taken of, (T, K), once trials no longer differ.

        Form "current": the currents J tanh(x) + u_out f_out of the units. Form "rate": the rates
        r, and f_out.

        Args:
            trial: Of one trial, which repeats itself.
            dt_ms: Time between its samples, ms.
            most: Trials after which it should follow its drive.

        Raises:
            SpecError: it does not by then.
        """
        desired, given = trial.targets[:, 0], trial.inputs[:, 0]
        driven = desired @ self.w_out.T
        stimulus = given @ self.w_in.T
        state, left = self.start, float(decay_factor(TAU_MS, dt_ms))
        before: Array = np.zeros((len(driven), state.size))
        for _ in range(most):
            course, state = self._trial(state, driven, stimulus, left)
            change = np.square(course - before).sum()
            if change <= _ENTRAINED * np.square(course).sum():
                return course if self.form == "current" else np.hstack((course, desired))
            before = course
        raise SpecError(
            f"teacher: after {most} trials it does not yet repeat itself with the desired output; "
            "give it more settle_trials or a smaller teacher_gain"
        )

    def _trial(
        self, state: Array, driven: Array, stimulus: Array, left: float
    ) -> tuple[Array, Array]:
        """One trial: (T, N~) currents or rates, and the state after it."""
        course = np.empty_like(driven)
        current_form = self.form == "current"
        for step, (out, in_) in enumerate(zip(driven, stimulus, strict=True)):
            if current_form:
                course[step] = self.recurrent @ np.tanh(state) + out
                goal = course[step] + in_
            else:
                course[step] = state
                goal = np.tanh(self.recurrent @ state + out + in_)
            state = goal + (state - goal) * left
        return course, state

    def currents(self) -> Array:
        """(N~, K) what makes currents of the units from what the components are taken of."""
        if self.form == "current":
            return np.eye(len(self.recurrent))
        return np.hstack((self.recurrent, self.w_out))


def draw_teacher(
    options: TargetOptions, sizes: tuple[int, int], rng: np.random.Generator
) -> Teacher:
    """A teacher for a task of so many (input channels, outputs)."""
    units, (inputs, outputs) = options.teacher_units, sizes
    spread = options.teacher_gain / np.sqrt(units)
    return Teacher(
        form=options.teacher,
        recurrent=spread * rng.standard_normal((units, units)),
        w_out=rng.uniform(-1, 1, (units, outputs)),
        w_in=rng.uniform(-1, 1, (units, inputs)),
        start=rng.standard_normal(units),
    )


def principal_components(course: Array, kept: float) -> Array:
    """(K, M) the first directions of (T, K) signals that hold a share `kept` of their power.

    The power is the second moment, about 0 and not about the mean.
    """
    power, directions = np.linalg.eigh(course.T @ course)
    share = np.cumsum(power[::-1]) / power.sum()
    count = int(np.searchsorted(share, kept, side="right")) + 1
    found: Array = directions[:, ::-1][:, : min(count, len(power))]
    return found


def project(
    teacher: Teacher, course: Array, options: TargetOptions, rng: np.random.Generator
) -> Targets:
    """The teacher's components, and its random orthogonal projection to the spiking neurons.

    U = g_z orth(R), with R (N, N~) even in -1 to 1: the columns are orthonormal, times g_z.
    """
    directions = principal_components(course, options.variance_kept)
    drawn = rng.uniform(-1, 1, (options.units, options.teacher_units))
    projection = options.target_gain * np.linalg.qr(drawn)[0]
    return Targets(
        signals=course @ directions,
        onto=projection @ (teacher.currents() @ directions),
        w_in=projection @ teacher.w_in,
    )
