"""A spiking network fitted to rate dynamics, and judged with its own feedback alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bridge.arguments import callback, flag, of_kind
from bridge.errors import DivergedError
from bridge.methods.rate_targets.fitting import fit_as_planned
from bridge.methods.rate_targets.plan import plan_fit
from bridge.methods.rate_targets.result import FINISHED, INTERRUPTED, TargetFit
from bridge.methods.rate_targets.running import Report
from bridge.progress import telling
from bridge.rate.network import RateNetwork
from bridge.tasks import Task, check_task
from bridge.tasks import task as task_named


def fit_targets(
    task: str | Task,
    *,
    resume: TargetFit | None = None,
    teacher_network: RateNetwork | None = None,
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> TargetFit:
    """Let a spiking network learn a task by following the dynamics of a rate network.

    This is the method of DePasquale et al. 2016. The desired output drives a continuous network.
    The components of its currents are the targets of a spiking network. It learns them in its slow
    and fast connections from some of the neurons, by recursive least squares. A KeyboardInterrupt
    during learning ends it early with what there is.

    Args:
        task: Name of a task, or a task. If its trials are all alike, they are run one after the
            other, as one long run; else each begins at rest.
        resume: Go on with this fit, as if it had never stopped; `options` may then only change
            `learn_trials`, `test_trials` and `factored`.
        teacher_network: A network of `bridge.train` or another trained one as the teacher: it shows
            its rates as it does the task without noise; None: a random one is drawn, and driven
            with the desired output.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Fields of `bridge.methods.rate_targets.options.TargetOptions`: units, trained,
            learn_trials, seed, ...

    Raises:
        SpecError: an option or the task makes no sense.
        DivergedError: learning diverged; its `kept` is the fit as it was before that trial.
    """
    kept = None if resume is None else of_kind("resume", resume, TargetFit)
    kind = task_named(task) if isinstance(task, str) else check_task(task)
    plan = plan_fit(kind, resume=kept, teacher_network=teacher_network, **options)
    with told(on_progress, progress) as report:
        fit = fit_as_planned(plan, report, kept)
    if fit.stopped not in (FINISHED, INTERRUPTED):
        raise DivergedError(fit.stopped, kept=fit)
    return fit


@contextmanager
def told(on_progress: Callable[[float], None] | None, progress: object) -> Iterator[Report]:
    """What is called after each trial: the caller's function, else what shows it, or nothing."""
    given = callback("on_progress", on_progress)
    with telling("fitting", wanted=flag("progress", progress) and given is None) as teller:

        def report(fraction: float, note: str) -> None:
            if given is not None:
                given(fraction)
            elif teller is not None:
                teller(fraction, note)

        yield report
