"""How often an output is right by chance: when it is taken for the answer to another trial."""

import numpy as np
from numpy.typing import NDArray

from bridge.methods.binomial import at_least
from bridge.tasks import Task, Trials, judges, spiking_correct

Array = NDArray[np.float64]

# Trials are shifted against outputs by up to so many places.
_MOST_SHIFTS = 25
# Where even the wanted outputs of other trials are as good, trials do not differ.
_ALIKE = 0.95


def chance_level(task: Task | None, outputs: Array, trials: Trials) -> float | None:
    """Share of the trials that (T, B, O) outputs get right as answers to one another's trials.

    A network that answers all trials alike is as often right so as it is with its own trials.

    Returns:
        None where it says nothing: a single trial, trials that all want the same answer, or a task
        that does not say which answers are right, or no task.
    """
    if task is None or not judges(task) or _shifted(task, trials.targets, trials) >= _ALIKE:
        return None
    return _shifted(task, outputs, trials)


def _shifted(task: Task, outputs: Array, trials: Trials) -> float:
    """Share right when outputs belong to trials some places on; 1 for a single trial."""
    count = outputs.shape[1]
    if count == 1:
        return 1.0
    shifts = range(1, min(count - 1, _MOST_SHIFTS) + 1)
    right = [spiking_correct(task, np.roll(outputs, by, axis=1), trials).mean() for by in shifts]
    return float(np.mean(right))


def told_from_chance(correct: int, trials: int, chance: float) -> bool:
    """Whether so many right answers are more than chance explains, one-sided at 5 %.

    Where all of the trials right would be no more than that either, nothing can be concluded, and
    nothing is held against the network.
    """
    if float(at_least(trials, trials, chance)) >= _LEVEL:
        return True
    return float(at_least(correct, trials, chance)) < _LEVEL


_LEVEL = 0.05
