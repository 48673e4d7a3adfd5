"""What is to be computed: a task makes trials, and says which answers are right or how good."""

from bridge.tasks.contract import (
    check_task,
    draw,
    target_loss,
)
from bridge.tasks.fitting import check_fit, fitting_task
from bridge.tasks.function_task import FunctionTask
from bridge.tasks.measure import Measure, nmse
from bridge.tasks.names import (
    BUILT_IN,
    IMAGES,
    catalogue,
    check_own_name,
    is_unregistered,
    load_task_file,
    outline,
    register_task,
    task,
)
from bridge.tasks.scores import (
    answers,
    judges,
    measure_of,
    measured,
    not_judged,
    rate_correct,
    scoring,
    spiking_correct,
)
from bridge.tasks.shown import check_shown, check_shown_by_name
from bridge.tasks.trials import Task, Trials

__all__ = [
    "BUILT_IN",
    "IMAGES",
    "FunctionTask",
    "Measure",
    "Task",
    "Trials",
    "answers",
    "catalogue",
    "check_fit",
    "check_own_name",
    "check_shown",
    "check_shown_by_name",
    "check_task",
    "draw",
    "fitting_task",
    "is_unregistered",
    "judges",
    "load_task_file",
    "measure_of",
    "measured",
    "nmse",
    "not_judged",
    "outline",
    "rate_correct",
    "register_task",
    "scoring",
    "spiking_correct",
    "target_loss",
    "task",
]
