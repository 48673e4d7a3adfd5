"""How much of its targets' variance the activity of a fitted network explains, on its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.methods.rate_targets.rebuilt import rebuilt
from bridge.methods.rate_targets.result import TargetFit
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import told

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """Shares of variance: 1 - sum (y - y~)^2 / sum (y~ - mean)^2.

    y is what the network makes of the M components, y~ what the teacher shows. The mean is that of
    a component over all steps and trials. 0 is no better than the mean, and it can be below.
    Components are directions in the space of the neurons' currents, all of one length. So sums over
    components are sums over the currents of all neurons, where the targets are currents.

    Attributes:
        conditions: Names of the conditions.
        whole: Of all components in all trials.
        by_condition: (K,) of all components in the trials of a condition; NaN where there is none.
        by_component: (M,) of a component in all trials, that of the most power first.
    """

    conditions: tuple[str, ...]
    whole: float
    by_condition: Array
    by_component: Array

    def __repr__(self) -> str:
        lowest = np.nanmin(self.by_condition)
        return told(
            self, f"{self.whole:.3g} of the variance", f"at least {lowest:.3g} in each condition"
        )


def variance_explained(fit: TargetFit, *, trials: int = 40) -> Explained:
    """How well a fitted network follows its teacher on its own, by condition and by component.

    The teacher and the learner are made again from the fit's options and its checkpoint. The
    network then runs with its own feedback, from where learning ended.

    Args:
        fit: Of `bridge.fit_targets`.
        trials: How many; in tasks of several conditions they come as the task draws them.

    Raises:
        SpecError: the fit has no checkpoint, or its task is not known here.
    """
    run = rebuilt(of_kind("fit", fit, TargetFit))
    made, wanted, labels = [], [], []
    for _ in range(counted("trials", trials, least=1)):
        lesson = run.lessons.next()
        made.append(run.learner.own_trial(lesson)[:, : lesson.signals.shape[1]])
        wanted.append(lesson.signals)
        labels.append(lesson.label)
    return explained(np.stack(made), np.stack(wanted), np.array(labels), run.plan.task.conditions)


def explained(
    made: Array, wanted: Array, labels: NDArray[np.int64], conditions: tuple[str, ...]
) -> Explained:
    """Shares of the variance of (B, T, M) signals that other signals explain.

    Args:
        made: (B, T, M) y.
        wanted: (B, T, M) y~.
        labels: (B,) condition of each trial.
        conditions: Their names.
    """
    errors = np.square(made - wanted).sum(axis=1)
    variance = np.square(wanted - wanted.mean(axis=(0, 1))).sum(axis=1)
    of_condition = np.full(len(conditions), np.nan)
    for label in np.unique(labels):
        mine = labels == label
        of_condition[label] = 1.0 - errors[mine].sum() / variance[mine].sum()
    return Explained(
        conditions=conditions,
        whole=float(1.0 - errors.sum() / variance.sum()),
        by_condition=of_condition,
        by_component=1.0 - errors.sum(axis=0) / variance.sum(axis=0),
    )
