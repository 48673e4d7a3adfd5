"""A network that learns to follow a teacher: its trials, whatever its units are.

In each step its units take the feedback of the step before, and its outputs are y = D s and z = w s
of what its units send, s. The feedback of the next step is B y, or B y~ of the teacher. Recursive
least squares draws y to the teacher's signals and z to the desired output.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bridge.errors import TrainingError
from bridge.methods.rate_targets.least_squares import RecursiveLeastSquares
from bridge.methods.rate_targets.targets import Lesson, Lessons

Array = NDArray[np.float64]


class Follower(ABC):
    """A run of the network, phase after phase.

    Attributes:
        onto: (N, M) B.
        rls: The learned weights: rows D of the components, then rows w of the outputs.
        traces: (n,) s, what the units send.
        learned: (N,) learned currents, or the teacher's, for the next step.
        kind: What the state of a unit is called in messages.
    """

    traces: Array
    learned: Array
    kind: str

    def __init__(self, onto: Array, regressors: int, outputs: int) -> None:
        self.onto = onto
        self.rls = RecursiveLeastSquares(regressors, onto.shape[1] + outputs)

    @property
    @abstractmethod
    def state(self) -> Array:
        """(N,) states of the units."""

    @abstractmethod
    def restart(self, start: Array | None = None) -> None:
        """The state at the start of a phase; what was learned stays.

        Args:
            start: (N,) states of the units; None: those of every phase.
        """

    @abstractmethod
    def advance(self, stimulus: Array | None) -> None:
        """A step of the units, up to what they send; the input gives (N,) `stimulus` or nothing."""

    def outputs(self) -> Array:
        """(M + O,) y and z by the weights and traces of this moment."""
        made: Array = np.dot(self.rls.weights, self.traces)
        return made

    def close_loop(self, outputs: Array) -> None:
        """Let the network's own y be the feedback of the next step."""
        np.dot(self.onto, outputs[: self.onto.shape[1]], out=self.learned)

    def forced_step(self, lesson: Lesson, step: int) -> None:
        """A step of a trial, after which the teacher's signals are the feedback."""
        self.advance(lesson.stimulus[step] if lesson.stimulated[step] else None)
        np.copyto(self.learned, lesson.forced[step])

    def own_step(self, lesson: Lesson, step: int) -> Array:
        """A step of a trial, after which the network's own outputs, (M + O,), are the feedback."""
        self.advance(lesson.stimulus[step] if lesson.stimulated[step] else None)
        made = self.outputs()
        self.close_loop(made)
        return made

    def forced_steps(
        self, lessons: Lessons, trials: int, done: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Trials with the teacher's feedback step by step; `done` is called after each trial."""
        for _ in range(trials):
            lesson = lessons.next()
            self._begin(lesson)
            for step in range(len(lesson.desired)):
                self.forced_step(lesson, step)
                yield
            done()
        if not np.isfinite(self.state).all():
            raise TrainingError(
                f"learning diverged: a {self.kind} is not finite under the teacher's feedback, "
                "before anything was learned"
            )

    def _begin(self, lesson: Lesson) -> None:
        """Start a trial that begins anew; one that follows another goes on."""
        if lesson.start is not None:
            self.restart(lesson.start)

    def own_trial(self, lesson: Lesson) -> Array:
        """A trial with the network's own feedback, in which nothing is learned: (T, M + O)."""
        return np.array(list(self.own_steps(lesson)))

    def own_steps(self, lesson: Lesson) -> Iterator[Array]:
        """The same step by step, (M + O,) each."""
        self._begin(lesson)
        for step in range(len(lesson.desired)):
            yield self.own_step(lesson, step)

    def learning_trial(self, lesson: Lesson, chosen: NDArray[np.bool_], number: int = 0) -> Array:
        """A trial with the network's own feedback.

        Args:
            lesson: What to learn.
            chosen: (T,) which of its steps are learned from.
            number: Of the trial, for the message of an error.

        Returns:
            (T, O) outputs, each before it was learned from.

        Raises:
            TrainingError: what is learned is not finite any more.
        """
        outputs = np.empty_like(lesson.desired)
        self._begin(lesson)
        for step in range(len(outputs)):
            made = outputs[step] = self.own_step(lesson, step)
            if chosen[step]:
                self.rls.update(self.traces, made - lesson.desired[step])
        broken = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
        if broken.size:
            raise TrainingError(
                f"learning diverged: an output is not finite in step {broken[0]} of trial {number}"
            )
        # An output shows no weight that the last step broke, and a broken voltage fires no spike.
        if not (np.isfinite(self.state).all() and np.isfinite(self.rls.weights).all()):
            raise TrainingError(
                f"learning diverged: a {self.kind} or a weight is not finite at the end of trial "
                f"{number}, step {len(outputs)}"
            )
        # What follows is of the weights as they are now.
        self.close_loop(self.outputs())
        return outputs[:, self.onto.shape[1] :]
