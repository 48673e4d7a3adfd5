"""The task of a rate network."""

from bridge.rate.network import RateNetwork
from bridge.tasks import Task, fitting_task, is_unregistered


def task_of(rate: RateNetwork) -> Task:
    """The task that a rate network names.

    Raises:
        SpecError: there is none of that name, or it has other steps, inputs or outputs.
    """
    return fitting_task(
        rate.task, step_ms=rate.dt_ms, inputs=rate.input_size, outputs=len(rate.w_out)
    )


def known_task_of(rate: RateNetwork) -> Task | None:
    """The task that a rate network names; None for one that is to be registered before its use.

    Raises:
        SpecError: as `task_of`, for a name that cannot be registered or a task that does not fit.
    """
    return None if is_unregistered(rate.task) else task_of(rate)
