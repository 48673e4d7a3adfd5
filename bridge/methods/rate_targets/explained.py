"""How much of its targets' variance the activity of a fitted network explains, on its own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.blas_threads import threads_for
from bridge.methods.rate_targets.rebuilt import rebuilt
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.rate_targets.signed_weights import ROUNDED
from bridge.progress import counter
from bridge.progress import told as told_progress
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import told

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """Shares of variance: 1 - sum (y - y~)^2 / sum (y~ - mean)^2.

    y is what the network makes of the M components, y~ what the teacher shows. The mean is that of
    a component over all steps and trials. 0 is no better than the mean, and it can be below. Where
    nothing varies, except for rounding, it is NaN.

    Components are directions in the space of the neurons' currents, all of one length. So sums over
    components are sums over the currents of all neurons, where the targets are currents.

    Attributes:
        conditions: Names of the conditions.
        whole: Of all components in all trials.
        by_condition: (K,) of all components in the trials of a condition; NaN, too, where there is
            none.
        by_component: (M,) of a component in all trials, that of the most power first.
    """

    conditions: tuple[str, ...]
    whole: float
    by_condition: Array
    by_component: Array

    def __repr__(self) -> str:
        known = self.by_condition[~np.isnan(self.by_condition)]
        lowest = f"at least {known.min():.3g} in each condition" if known.size else ""
        return told(self, f"{self.whole:.3g} of the variance", lowest)


def variance_explained(
    fit: TargetFit,
    *,
    trials: int = 40,
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
) -> Explained:
    """How well a fitted network follows its teacher on its own, by condition and by component.

    The teacher and the learner are made again from the fit's options and its checkpoint. The
    network then runs with its own feedback, from where learning ended.

    Args:
        fit: Of `bridge.fit_targets`.
        trials: How many; in tasks of several conditions they come as the task draws them.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.

    Returns:
        The shares: of everything, of each condition of the task, and of each component.

    Raises:
        SpecError: the fit has no checkpoint, or its task is not known here.
    """
    known, count = of_kind("fit", fit, TargetFit), counted("trials", trials, least=1)
    made, wanted, labels = [], [], []
    with told_progress("variance explained", on_progress, progress) as report, threads_for(0):
        run, done = rebuilt(known), counter(count, report)
        for _ in range(count):
            lesson = run.lessons.next()
            made.append(run.learner.own_trial(lesson)[:, : lesson.signals.shape[1]])
            wanted.append(lesson.signals)
            labels.append(lesson.label)
            done()
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
    # What stands still at the mean has a variance of rounding alone.
    variance[variance <= ROUNDED * np.square(wanted).sum(axis=(0, 1))] = 0.0
    of_condition = np.full(len(conditions), np.nan)
    for label in np.unique(labels):
        mine = labels == label
        of_condition[label] = _share(errors[mine].sum(), variance[mine].sum())
    return Explained(
        conditions=conditions,
        whole=float(_share(errors.sum(), variance.sum())),
        by_condition=of_condition,
        by_component=_share(errors.sum(axis=0), variance.sum(axis=0)),
    )


def _share(errors: Array, variance: Array) -> Array:
    """1 - errors / variance; NaN where nothing varies."""
    return np.where(variance > 0, 1.0 - errors / np.where(variance > 0, variance, 1.0), np.nan)
