"""Tasks of the package neurogym, by name: `neurogym:ContextDecisionMaking-v0`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.tasks.neurogym_environments import (
    ITS_ERRORS,
    OneTrial,
    Setting,
    count_actions,
    maker,
    next_trial,
    refused,
    seeded,
)
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials

FAMILY = "neurogym"
# Most environments have periods of hundreds of ms: 10 ms follows them, and time constants from
# 20 ms on can follow it.
STEP_MS = 10
# From so many trials, drawn from this seed, the length of all trials is taken.
_MEASURED, _MEASURED_SEED = 200, 0
_MOST_DRAWS = 1000


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NeurogymTrials(Trials):
    """Trials of an environment.

    Attributes:
        asked: (T, B) the samples that are scored.
    """

    asked: NDArray[np.bool_]

    def chosen(self, numbers: NDArray[np.int64]) -> Self:
        """Some of the trials, in the order of their numbers given."""
        return replace(super().chosen(numbers), asked=self.asked[:, numbers])


@dataclass(frozen=True, kw_only=True, eq=False)
class NeurogymTask:
    """An environment with discrete actions, as a task for supervised training.

    Inputs are the observations. There is an output for each action, and targets are 1 for the
    action that is right in a sample, 0 for the others. All trials are as long as the longest of
    200 trials of one seed, or as the option `steps` says: at the end of shorter trials inputs and
    targets are 0, longer ones are drawn again. Conditions, the action that is right, are as
    frequent as the environment makes them.

    A trial is right where, in the period `decision`, the mean output of the action that is right
    most often there is the highest of all. Where an environment has no such period, the samples
    count whose right action is another than 0, or all samples if there are none.

    Attributes:
        make: A fresh environment.
    """

    name: str
    step_ms: float
    steps: int
    input_size: int
    output_size: int
    conditions: tuple[str, ...]
    make: Callable[[], Any]

    __repr__ = task_in_a_line

    def trials(self, count: int, rng: np.random.Generator) -> NeurogymTrials:
        """Draw `count` trials."""
        # Environments remember earlier trials: a fresh one makes trials depend on `rng` alone.
        environment = seeded(self.make(), int(rng.integers(2**31)))
        drawn = [self._short_enough(environment) for _ in range(count)]
        shape = (self.steps, count)
        made = NeurogymTrials(
            inputs=np.zeros((*shape, self.input_size)),
            targets=np.zeros((*shape, self.output_size)),
            labels=np.array([one.asked_for for one in drawn], dtype=np.int64),
            asked=np.zeros(shape, dtype=bool),
        )
        for number, one in enumerate(drawn):
            samples = np.arange(one.action.size)
            made.inputs[samples, number] = one.observed
            made.targets[samples, number, one.action] = 1.0
            made.asked[samples, number] = one.asked
        return made

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Whether the right action's output is the highest in the decision period; (B,)."""
        if not isinstance(trials, NeurogymTrials):
            raise SpecError(f"task {self.name!r}: only trials that it has drawn can be scored")
        # Divided by the same number of samples, sums are ordered as means are.
        summed = np.einsum("tbo,tb->bo", outputs, trials.asked)
        others = summed.copy()
        rows = np.arange(trials.labels.size)
        others[rows, trials.labels] = -np.inf
        right: NDArray[np.bool_] = summed[rows, trials.labels] > others.max(axis=1)
        return right

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """As a rate network's."""
        return self.rate_correct(outputs, trials)

    def _short_enough(self, environment: Any) -> OneTrial:
        for _ in range(_MOST_DRAWS):
            one = next_trial(environment, self.name)
            if one.action.size <= self.steps:
                return one
        raise SpecError(f"task {self.name!r}: its trials are longer than {self.steps} steps")


def neurogym_task(name: str, parts: Sequence[str]) -> NeurogymTask:
    """The task of an environment.

    Args:
        name: The whole name, `neurogym:ENVIRONMENT,step_ms=10,steps=300,OPTION=VALUE`.
        parts: What stands between its commas; options other than `step_ms` and `steps` go to the
            environment.

    Raises:
        SpecError: neurogym is not installed, or cannot make that task.
    """
    environment, *given = parts or [""]
    return _made(name, environment, tuple(_setting(name, part) for part in given))


@lru_cache(maxsize=16)
def _made(name: str, environment: str, given: tuple[tuple[str, Setting], ...]) -> NeurogymTask:
    settings = dict(given)
    if len(settings) < len(given):
        raise SpecError(f"task {name!r}: an option is given twice")
    if "dt" in settings:
        raise SpecError(f"task {name!r}: the time between two samples is its option step_ms")
    step_ms, steps = settings.pop("step_ms", STEP_MS), settings.pop("steps", None)
    for key, value in (("step_ms", step_ms), ("steps", 1 if steps is None else steps)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SpecError(f"task {name!r}: {key} must be a whole number from 1 on, got {value}")
    make = maker(name, environment, {**settings, "dt": step_ms})
    first = seeded(make(), _MEASURED_SEED)
    try:
        actions = count_actions(name, first)
        lengths = [next_trial(first, name).action.size for _ in range(_MEASURED)]
    except SpecError:
        raise
    except ITS_ERRORS as error:
        raise refused(name, environment, error) from None
    return NeurogymTask(
        name=name,
        step_ms=float(step_ms),
        steps=max(lengths) if steps is None else int(steps),
        input_size=int(np.prod(first.observation_space.shape)),
        output_size=actions,
        conditions=tuple(f"action {number}" for number in range(actions)),
        make=make,
    )


def _setting(name: str, part: str) -> tuple[str, Setting]:
    """An option and its value, as a truth value, a number or text."""
    key, equals, text = part.partition("=")
    if not key.isidentifier() or not equals or not text:
        raise SpecError(f"task {name!r}: expected OPTION=VALUE, got {part!r}")
    words = {"true": True, "false": False}
    if text.lower() in words:
        return key, words[text.lower()]
    for kind in (int, float):
        try:
            return key, kind(text)
        except ValueError:
            continue
    return key, text
