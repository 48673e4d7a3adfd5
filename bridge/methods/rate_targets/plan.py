"""The arguments of a fit, held against each other before it starts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bridge.errors import SpecError
from bridge.methods.rate_targets.learner import TAU_FAST_MS
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.result import FINISHED, TargetFit
from bridge.tasks import Task, Trials, draw

# What a fit that goes on may do otherwise.
_CHANGEABLE = ("learn_trials", "test_trials", "factored")

# Time step for tasks whose samples are too coarse, ms.
USUAL_STEP_MS = 1.0
# A task whose trials are alike in so many draws, and in so many of each, has but one.
_TRIED = 8
_SAMPLED = ("inputs", "targets")


@dataclass(frozen=True)
class Plan:
    """A fit whose arguments make sense.

    Attributes:
        task: What is learned.
        trial: Its one trial, as the network is shown it; None: trials differ.
        options: All of them.
        hold: Steps of the network for each sample of the task.
    """

    task: Task
    trial: Trials | None
    options: TargetOptions
    hold: int = 1

    @property
    def dt_ms(self) -> float:
        """Time step of the network, ms."""
        return self.task.step_ms / self.hold

    def held(self, trial: Trials) -> Trials:
        """A trial in the network's steps: each sample holds."""
        if self.hold == 1:
            return trial
        longer = {name: np.repeat(getattr(trial, name), self.hold, axis=0) for name in _SAMPLED}
        return replace(trial, **longer)


def plan_fit(task: Task, *, resume: TargetFit | None = None, **options: Any) -> Plan:
    """What a fit would do.

    Args:
        task: What is learned.
        resume: The fit that goes on.
        **options: Fields of `TargetOptions`.

    Raises:
        SpecError: an option or the task makes no sense, or does not fit what is to go on.
    """
    if getattr(task, "held_out", False):
        raise SpecError(
            f"task {task.name!r}: its trials are held out, so nothing learns from them; train-src "
            "trains spiking neurons on its training pictures"
        )
    chosen = _options(options) if resume is None else _resumed(task, resume, options)
    trial = _the_trial(task)
    if chosen.free_running:
        if trial is None:
            raise SpecError(
                f"free_running: is for tasks whose trials are all alike, those of {task.name!r} "
                "differ"
            )
        trial = replace(trial, inputs=np.zeros_like(trial.inputs))
    # Synapses of 5 ms and membranes of 10 ms need steps that are shorter than most tasks' samples.
    hold = 1 if task.step_ms <= TAU_FAST_MS / 2 else math.ceil(task.step_ms / USUAL_STEP_MS)
    return Plan(task, trial, chosen, hold)


def _options(given: Mapping[str, Any]) -> TargetOptions:
    known = TargetOptions.__dataclass_fields__
    for name in given:
        if name not in known:
            raise SpecError(f"unknown option {name!r}; known are {', '.join(known)}")
    return TargetOptions(**given)


def _resumed(task: Task, resume: TargetFit, given: Mapping[str, Any]) -> TargetOptions:
    """The options of a fit that goes on, and those given."""
    kept, network = resume.checkpoint, resume.network
    stored = network.provenance.get("options")
    if kept is None or not isinstance(stored, Mapping):
        raise SpecError("this fit holds no checkpoint from which it could go on")
    if task.name != network.task:
        raise SpecError(f"task: the fit to go on with learns {network.task!r}, not {task.name!r}")
    fixed = sorted(set(given) - set(_CHANGEABLE))
    if fixed:
        raise SpecError(f"{fixed[0]} cannot be changed when a fit is resumed")
    chosen = _options({**stored, **given})
    # What was interrupted or diverged may be judged as it is.
    least = kept.trials + (resume.stopped == FINISHED)
    if chosen.learn_trials < least:
        raise SpecError(
            f"learn_trials: {kept.trials} trials are learned already, {chosen.learn_trials} add "
            "none"
        )
    if kept.trials != len(resume.learning_errors):
        raise SpecError(
            f"checkpoint: is of {kept.trials} trials of learning, and there are errors of "
            f"{len(resume.learning_errors)}"
        )
    return chosen


def _the_trial(task: Task) -> Trials | None:
    """The one trial of a task, None where trials differ; SpecError where there is no target."""
    some = [draw(task, _TRIED, np.random.default_rng(seed)) for seed in range(_TRIED)]
    if not any(trials.targets.any() for trials in some):
        raise SpecError(f"task {task.name!r}: its targets are 0 throughout")
    first = draw(task, 1, np.random.default_rng(0))
    alike = all(
        np.all(trials.inputs == first.inputs) and np.all(trials.targets == first.targets)
        for trials in some
    )
    return first if alike else None
