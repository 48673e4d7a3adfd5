"""The arguments of a fit, held against each other before it starts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bridge.arguments import different, of_kind
from bridge.errors import SpecError
from bridge.methods.rate_targets.checkpoint import FitCheckpoint
from bridge.methods.rate_targets.learner import TAU_FAST_MS
from bridge.methods.rate_targets.options import TRAINED, TargetOptions
from bridge.methods.rate_targets.result import FINISHED, TargetFit
from bridge.methods.rate_targets.trained_teacher import check_teacher
from bridge.rate.network import RateNetwork
from bridge.tasks import Task, Trials, draw

# What a fit that goes on may do otherwise.
_CHANGEABLE = ("learn_trials", "test_trials", "factored")
# What only a teacher has that is drawn.
_OF_DRAWN = ("teacher", "teacher_units", "teacher_gain")

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
        teacher: The trained network that is the teacher; None: one is drawn.
        hold: Steps of the network for each sample of the task.
    """

    task: Task
    trial: Trials | None
    options: TargetOptions
    teacher: RateNetwork | None = None
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


def plan_fit(
    task: Task,
    *,
    resume: TargetFit | None = None,
    teacher_network: RateNetwork | None = None,
    **options: Any,
) -> Plan:
    """What a fit would do.

    Args:
        task: What is learned.
        resume: The fit that goes on.
        teacher_network: A trained network as the teacher.
        **options: Fields of `TargetOptions`.

    Raises:
        SpecError: an option or the task makes no sense, or does not fit what is to go on.
    """
    if getattr(task, "held_out", False):
        raise SpecError(
            f"task {task.name!r}: its trials are held out, so nothing learns from them; train-src "
            "trains spiking neurons on its training pictures"
        )
    if resume is None:
        return _planned(task, _options(options, teacher_network), teacher_network)
    if teacher_network is not None:
        raise SpecError("teacher_network cannot be changed when a fit is resumed")
    return _planned(task, _resumed(task, resume, options), resume.teacher)


def plan_again(task: Task, fit: TargetFit) -> Plan:
    """The plan by which a fit of that task was made; SpecError where it is not known."""
    return _planned(task, _stored(fit)[1], fit.teacher)


def _planned(task: Task, chosen: TargetOptions, teacher: RateNetwork | None) -> Plan:
    """Hold the options against the task and the teacher."""
    if (chosen.teacher == TRAINED) != (teacher is not None):
        raise SpecError(f"teacher: {TRAINED!r} needs teacher_network, the trained network")
    trial = _the_trial(task)
    if teacher is not None:
        check_teacher(teacher, task)
    if chosen.free_running:
        if trial is None:
            raise SpecError(
                f"free_running: is for tasks whose trials are all alike, those of {task.name!r} "
                "differ"
            )
        trial = replace(trial, inputs=np.zeros_like(trial.inputs))
    # Synapses of 5 ms and membranes of 10 ms need steps that are shorter than most tasks' samples.
    hold = 1 if task.step_ms <= TAU_FAST_MS / 2 else math.ceil(task.step_ms / USUAL_STEP_MS)
    return Plan(task, trial, chosen, teacher, hold)


def _options(given: Mapping[str, Any], teacher: RateNetwork | None = None) -> TargetOptions:
    known = TargetOptions.__dataclass_fields__
    for name in given:
        if name not in known:
            raise SpecError(f"unknown option {name!r}; known are {', '.join(known)}")
    if teacher is None:
        return TargetOptions(**given)
    for name in _OF_DRAWN:
        if name in given:
            raise SpecError(f"{name}: is of a teacher that is drawn, and teacher_network is given")
    size = of_kind("teacher_network", teacher, RateNetwork).size
    return TargetOptions(**given, teacher=TRAINED, teacher_units=size)


def _stored(fit: TargetFit) -> tuple[FitCheckpoint, TargetOptions]:
    """Where a fit stands, and the options it was made by; SpecError where it does not hold them."""
    stored = fit.network.provenance.get("options")
    if fit.checkpoint is None or not isinstance(stored, Mapping):
        raise SpecError("this fit holds no checkpoint from which it could go on")
    return fit.checkpoint, _options(stored)


def _resumed(task: Task, resume: TargetFit, given: Mapping[str, Any]) -> TargetOptions:
    """The options of a fit that goes on, and those given."""
    network = resume.network
    kept, stored = _stored(resume)
    if task.name != network.task:
        raise SpecError(f"task: the fit to go on with learns {network.task!r}, not {task.name!r}")
    chosen = _options({**vars(stored), **given})
    fixed = [name for name in different(given, chosen, stored) if name not in _CHANGEABLE]
    if fixed:
        raise SpecError(f"{fixed[0]} cannot be changed when a fit is resumed")
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
