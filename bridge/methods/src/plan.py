"""The arguments of a training of cells, held against each other before it starts."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.arguments import different, in_words
from bridge.errors import SpecError
from bridge.methods.src.options import SrcOptions, options_of
from bridge.methods.src.trained import TrainedNetwork
from bridge.tasks import task as task_named
from bridge.tasks.images.event_files import EventPictures
from bridge.tasks.images.pictures import Pictures
from bridge.tasks.images.task import ImageTask

# Stream of what is set aside for validation: without a seed, the same for every network.
_SET_ASIDE = 4
# Pictures of an evaluation where none are set aside.
_EVALUATED = 240


@dataclass(frozen=True)
class SrcPlan:
    """A training whose arguments make sense."""

    task: ImageTask
    options: SrcOptions
    learning: Pictures | EventPictures
    evaluated: Pictures | EventPictures

    @property
    def updates_of_epoch(self) -> int:
        """Updates in which each training picture is shown once."""
        return math.ceil(len(self.learning.labels) / self.options.batch)

    @property
    def updates(self) -> int:
        """All updates."""
        return self.updates_of_epoch * self.options.epochs


def plan_src(
    task: str | ImageTask, *, resume: TrainedNetwork | None = None, **options: Any
) -> SrcPlan:
    """Task, options and pictures, held against each other; as `train_src`."""
    found = task_named(task) if isinstance(task, str) else task
    if not isinstance(found, ImageTask):
        name = getattr(found, "name", None)
        what = repr(name) if isinstance(name, str) else in_words(found)
        raise SpecError(
            f"task {what}: cells are trained on pictures, as digits or "
            "mnist; `train` trains a rate network on it"
        )
    chosen = options_of(options) if resume is None else _resumed(found, resume, options)
    pictures = found.pictures("training")
    there = len(pictures.labels)
    if chosen.validation >= there:
        raise SpecError(
            f"validation: {chosen.validation} of {there} training pictures leave none to learn from"
        )
    # The same pictures whatever the seed: options are compared on them.
    order = np.random.default_rng(_SET_ASIDE).permutation(there)
    aside, learning = order[: chosen.validation], np.sort(order[chosen.validation :])
    evaluated = aside if chosen.validation else learning[:_EVALUATED]
    return SrcPlan(found, chosen, pictures.chosen(learning), pictures.chosen(evaluated))


def _resumed(task: ImageTask, resume: TrainedNetwork, given: dict[str, Any]) -> SrcOptions:
    if resume.checkpoint is None:
        raise SpecError("resume: this network's training is finished")
    if task.name != resume.network.task:
        raise SpecError(
            f"task: the network to go on with learns {resume.network.task!r}, not {task.name!r}"
        )
    stored = dict(resume.network.provenance["options"])
    chosen = options_of(stored)
    changed = different(given, options_of({**stored, **given}), chosen)
    if changed:
        raise SpecError(f"{changed[0]} cannot be changed when training is resumed")
    return chosen
