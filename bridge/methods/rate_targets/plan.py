"""The arguments of a fit, held against each other before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bridge.errors import SpecError
from bridge.methods.rate_targets.learner import TAU_FAST_MS
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.result import TargetFit
from bridge.tasks import Task, Trials, draw

# What a fit that goes on may do otherwise.
_CHANGEABLE = ("learn_trials", "test_trials", "factored")


@dataclass(frozen=True)
class Plan:
    """A fit whose arguments make sense.

    Attributes:
        task: What is learned.
        trial: Its one trial, as the network is shown it.
        options: All of them.
    """

    task: Task
    trial: Trials
    options: TargetOptions


def plan_fit(task: Task, *, resume: TargetFit | None = None, **options: Any) -> Plan:
    """What a fit would do.

    Args:
        task: What is learned.
        resume: The fit that goes on.
        **options: Fields of `TargetOptions`.

    Raises:
        SpecError: an option or the task makes no sense, or does not fit what is to go on.
    """
    chosen = _options(options) if resume is None else _resumed(task, resume, options)
    trial = _the_trial(task)
    if chosen.free_running:
        trial = replace(trial, inputs=np.zeros_like(trial.inputs))
    return Plan(task, trial, chosen)


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
    if chosen.learn_trials <= kept.trials:
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


def _the_trial(task: Task) -> Trials:
    """The one trial of a task; SpecError where trials differ, or are too coarse."""
    if task.step_ms > TAU_FAST_MS / 2:
        raise SpecError(
            f"task {task.name!r}: its samples of {task.step_ms:g} ms are too coarse for synapses "
            f"of {TAU_FAST_MS:g} ms; expected {TAU_FAST_MS / 2:g} ms at most"
        )
    one, other = (draw(task, 1, np.random.default_rng(seed)) for seed in (0, 1))
    same = np.array_equal(one.inputs, other.inputs) and np.array_equal(one.targets, other.targets)
    if not same:
        raise SpecError(
            f"task {task.name!r}: its trials differ, and this fit takes tasks with trials that "
            "are all alike"
        )
    if not one.targets.any():
        raise SpecError(f"task {task.name!r}: its targets are 0 throughout")
    return one
