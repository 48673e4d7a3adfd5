"""A fit as it was when learning ended: its teacher, the lessons to come, and the learner."""

import threading

from bridge.errors import SpecError
from bridge.methods.rate_targets.fitting import Run, begun
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.plan import plan_fit
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.scoring import needed_task


def rebuilt(fit: TargetFit) -> Run:
    """The run of a fit, as if it had not ended; its lessons are those that would have followed.

    Raises:
        SpecError: the fit has no checkpoint, no task that is known, or another teacher here.
    """
    stored = fit.network.provenance.get("options")
    if fit.checkpoint is None or not isinstance(stored, dict):
        raise SpecError("this fit holds no checkpoint, from which its learner is made again")
    known = {name: stored[name] for name in TargetOptions.__dataclass_fields__ if name in stored}
    plan = plan_fit(needed_task(fit.network), **known)
    return begun(plan, lambda fraction, note: None, threading.Event(), fit)
