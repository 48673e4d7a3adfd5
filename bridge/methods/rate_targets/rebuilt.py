"""A fit as it was when learning ended: its teacher, the lessons to come, and the learner."""

import threading

from bridge.blas_threads import threads_for
from bridge.methods.rate_targets.fitting import LearnerRun, begun
from bridge.methods.rate_targets.plan import plan_again
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.scoring import needed_task


def rebuilt(fit: TargetFit) -> LearnerRun:
    """The run of a fit, as if it had not ended; its lessons are those that would have followed.

    Raises:
        SpecError: the fit has no checkpoint, no task that is known, or another teacher here.
    """
    plan = plan_again(needed_task(fit.network), fit)
    with threads_for(0):
        return begun(plan, lambda fraction, note: None, threading.Event(), fit)
