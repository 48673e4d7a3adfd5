"""What is to be computed: a task makes trials and says which answers are right."""

from bridge.tasks.contract import (
    check_task,
    draw,
    rate_correct,
    spiking_correct,
    target_loss,
)
from bridge.tasks.fitting import check_fit, fitting_task
from bridge.tasks.function_task import FunctionTask
from bridge.tasks.names import (
    BUILT_IN,
    catalogue,
    check_own_name,
    is_unregistered,
    load_task_file,
    outline,
    register_task,
    task,
)
from bridge.tasks.trials import Task, Trials

__all__ = [
    "BUILT_IN",
    "FunctionTask",
    "Task",
    "Trials",
    "catalogue",
    "check_fit",
    "check_own_name",
    "check_task",
    "draw",
    "fitting_task",
    "is_unregistered",
    "load_task_file",
    "outline",
    "rate_correct",
    "register_task",
    "spiking_correct",
    "target_loss",
    "task",
]
