"""Where a network meets its task: both must take the same steps, inputs and outputs."""

import math

from bridge.errors import SpecError
from bridge.tasks.names import task
from bridge.tasks.neurogym import FAMILY as NEUROGYM
from bridge.tasks.trials import Task


def fitting_task(name: str, *, step_ms: float, inputs: int, outputs: int | None) -> Task:
    """The task of a network, which its trials fit sample by sample.

    Args:
        name: Of the task.
        step_ms: Time that the network gives to a sample, ms.
        inputs: Its input channels.
        outputs: What it answers with; None where no answer is asked for.

    Raises:
        SpecError: there is no such task, or it has other steps, inputs or outputs.
    """
    if not name:
        raise SpecError(
            "this network names no task; import --task NAME gives it one, in Python task=NAME"
        )
    found = task(name)
    check_fit(found, step_ms=step_ms, inputs=inputs, outputs=outputs)
    return found


def check_fit(found: Task, *, step_ms: float, inputs: int, outputs: int | None) -> None:
    """Raise SpecError unless a network of these steps, inputs and outputs can do a task."""
    # A step of the spiking network times the steps of a sample is rounded.
    if not math.isclose(found.step_ms, step_ms, rel_tol=1e-9):
        raise SpecError(
            f"the task {found.name} has steps of {found.step_ms:g} ms, this network takes steps "
            f"of {step_ms:g} ms, so trials of {found.steps * found.step_ms / 1000:g} s would last "
            f"{found.steps * step_ms / 1000:g} s; {_mend(found, step_ms)}"
        )
    wanted, got = (found.input_size, found.output_size), (inputs, outputs)
    if got not in (wanted, (wanted[0], None)):
        answers = "" if outputs is None else f" and {outputs}"
        raise SpecError(
            f"the task {found.name} has {_counted(wanted[0], 'input')} and "
            f"{_counted(wanted[1], 'output')}, this network has {inputs}{answers}; another task is "
            "named by import --task, or by task= in Python"
        )


def _counted(count: int, one: str) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def _mend(found: Task, step_ms: float) -> str:
    """What makes the steps alike: the network's is another, or the task's."""
    own = (
        f"if the network was trained in steps of {found.step_ms:g} ms, say so by import --dt-ms "
        f"{found.step_ms:g} (in Python dt_ms={found.step_ms:g})"
    )
    family, _, rest = found.name.partition(":")
    if family != NEUROGYM or step_ms < 1 or step_ms != round(step_ms):
        return f"{own}; else name a task in steps of {step_ms:g} ms (import --task NAME), or none"
    kept = [part for part in rest.split(",") if not part.startswith("step_ms=")]
    same = ",".join([*kept, f"step_ms={step_ms:g}"])
    return f"{own}; else {NEUROGYM}:{same} (import --task) is the task in its steps"
