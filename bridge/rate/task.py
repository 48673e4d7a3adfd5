"""The task of a rate network."""

from bridge.rate.network import RateNetwork
from bridge.tasks import Task, fitting_task


def task_of(rate: RateNetwork) -> Task:
    """The task that a rate network names.

    Raises:
        SpecError: there is none of that name, or it has other steps, inputs or outputs.
    """
    return fitting_task(
        rate.task, step_ms=rate.dt_ms, inputs=rate.input_size, outputs=len(rate.w_out)
    )
