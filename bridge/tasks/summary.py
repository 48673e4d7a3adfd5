"""The `repr` of tasks and trials: their essentials in a line."""

from typing import Any

import numpy as np


def task_in_a_line(task: Any) -> str:
    """Name, length, channels and conditions of a task."""
    name = task.name if len(task.name) <= 100 else f"{task.name[:97]}..."
    return (
        f"{type(task).__name__}({name}: {task.steps:,} samples of {task.step_ms:g} ms, "
        f"inputs {task.input_size:,}, outputs {task.output_size:,}, "
        f"conditions {len(task.conditions):,})"
    )


def trials_in_a_line(trials: Any) -> str:
    """How many trials there are, how long, and of how many conditions."""
    shapes = (
        f"{part} {' x '.join(f'{size:,}' for size in np.shape(getattr(trials, part)))}"
        for part in ("inputs", "targets")
    )
    labels = np.asarray(trials.labels)
    kinds = f"labels {labels.min()} to {labels.max()}" if labels.size else "no labels"
    return f"{type(trials).__name__}({labels.size:,} trials, {', '.join(shapes)}, {kinds})"
