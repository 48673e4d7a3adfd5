"""The arguments of a training, held against each other before it starts."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch

from bridge.arguments import different, options_in, text
from bridge.backends.devices import torch_device
from bridge.errors import SpecError
from bridge.rate.network import RateNetwork
from bridge.rate.noise import NOISE_SD
from bridge.rate.spiking_step import spiking_steps
from bridge.rate.training_options import Options
from bridge.rate.training_run import checkpoint_of
from bridge.tasks import Task, check_fit, check_own_name, judges, not_judged, target_loss
from bridge.tasks import task as find_task

# Of training that goes on.
_CHANGEABLE = ("max_updates", "target_loss", "target_accuracy")


@dataclass(frozen=True)
class Plan:
    """A training whose arguments make sense."""

    task: Task
    options: Options
    device: torch.device


def check_training(
    task: str | Task, *, resume: RateNetwork | None = None, device: str = "cpu", **options: Any
) -> Plan:
    """What `train` would do; it takes the same arguments, and raises what it would for them."""
    plan = plan_of(task, _chosen(options, resume), device)
    _check_resumed(plan.task, resume)
    return plan


def plan_training(
    task: Task, *, resume: RateNetwork | None = None, device: str = "cpu", **options: Any
) -> Plan:
    """As `check_training`, of a task that its name has been resolved to."""
    chosen = _chosen(options, resume)
    plan = _planned(task, chosen, torch_device(text("device", device)))
    _check_resumed(task, resume)
    return plan


def _chosen(given: dict[str, Any], resume: RateNetwork | None) -> Options:
    """All options, those of the training that is resumed among them."""
    chosen = options_of(given) if resume is None else _resumed_options(resume, given)
    check_given(given, chosen)
    return chosen


def _check_resumed(task: Task, resume: RateNetwork | None) -> None:
    """Raise SpecError unless a network can go on with this task."""
    if resume is None:
        return
    if task.name != resume.task:
        raise SpecError(
            f"task: the network to go on with learns {resume.task!r}, not {task.name!r}"
        )
    # A task of one's own may have changed under its name.
    shape = {"inputs": resume.input_size, "outputs": len(resume.w_out)}
    check_fit(task, step_ms=resume.dt_ms, **shape)


def options_of(given: dict[str, Any]) -> Options:
    """Options by their names; SpecError for one that is not known or makes no sense."""
    return options_in(Options, given)


def check_given(given: dict[str, Any], chosen: Options) -> None:
    """Raise SpecError for options that were given and would do nothing."""
    # A study gives every option, most at their defaults.
    if not chosen.dale and given.get("inhibitory", Options.inhibitory) != Options.inhibitory:
        raise SpecError("inhibitory: without Dale's law no unit is inhibitory")
    if chosen.min_updates > chosen.max_updates:
        raise SpecError(
            f"min_updates: {chosen.min_updates} are never reached, training gives up after "
            f"{chosen.max_updates} (max_updates)"
        )


def _resumed_options(resume: RateNetwork, given: dict[str, Any]) -> Options:
    kept, _ = checkpoint_of(resume)
    stored = dict(resume.provenance["options"])
    stored["tau_ms"] = tuple(stored["tau_ms"])
    # Files of before there was a choice were trained with the original's noise and start.
    stored.setdefault("training_noise_sd", NOISE_SD)
    stored.setdefault("balanced", False)
    chosen = options_of({**stored, **given})
    changed = different(given, chosen, options_of(stored))
    fixed = [name for name in changed if name not in _CHANGEABLE]
    if fixed:
        raise SpecError(f"{fixed[0]} cannot be changed when training is resumed")
    if "max_updates" in given and chosen.max_updates <= kept.updates:
        raise SpecError(
            f"max_updates: {kept.updates} updates are made already, {chosen.max_updates} add none"
        )
    return chosen


def plan_of(task: str | Task, options: Options, device: str) -> Plan:
    """Device and task, held against the options."""
    place = torch_device(text("device", device))
    found = find_task(task) if isinstance(task, str) else check_own_name(task)
    return _planned(found, options, place)


def _planned(task: Task, options: Options, place: torch.device) -> Plan:
    """A plan, unless the options do not suit the task."""
    if getattr(task, "held_out", False):
        raise SpecError(
            f"task {task.name!r}: its trials are held out, so no rate network is trained on them; "
            "train-src trains spiking neurons on its training pictures"
        )
    if not judges(task):
        raise not_judged(task, "training, which ends by accuracy,")
    # What is learnt in steps that no spiking network can follow would be learnt in vain.
    spiking_steps(task.step_ms)
    if options.tau_ms[0] < task.step_ms:
        raise SpecError(
            f"tau_ms: from {options.tau_ms[0]:g} ms on is shorter than a step of task "
            f"{task.name!r}, {task.step_ms:g} ms"
        )
    if options.target_loss is None:
        options = replace(options, target_loss=_target_loss(task, options.loss))
    return Plan(task, options, place)


def _target_loss(task: Task, loss: str) -> float:
    """What the task says; the sum of absolute errors is larger by about half of sqrt(T)."""
    return target_loss(task) * (1.0 if loss == "l2" else 0.5 * math.sqrt(task.steps))
