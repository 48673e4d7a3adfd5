"""Networks that are trained together in parts, each of which ends when some are done."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import TrainingError
from bridge.rate.network import RateNetwork
from bridge.rate.plan import check_given, options_of, plan_of
from bridge.rate.start import Values, first_values
from bridge.rate.training_loop import INTERRUPTED, loop, ready
from bridge.rate.training_run import restore
from bridge.tasks import Task


@dataclass(frozen=True)
class Trained:
    """What there is of networks that are trained together, by seed.

    Attributes:
        finished: Those whose training has ended, or why it failed.
        unfinished: The others, each with a checkpoint to go on from.
    """

    finished: Mapping[int, RateNetwork | TrainingError]
    unfinished: Mapping[int, RateNetwork]


def train_each(
    task: str | Task,
    seeds: Sequence[int],
    *,
    begun: Sequence[RateNetwork] = (),
    part_s: float = math.inf,
    device: str = "cpu",
    **options: Any,
) -> Trained:
    """As `train_many`, in parts, where a network whose training fails leaves the others.

    A part ends when all networks have ended, or when at least one has and it took long enough. Its
    unfinished ones go on in the next part, as if there had been none: on a CPU to the last bit.

    Args:
        task: As for `train`.
        seeds: One for each network, no two alike.
        begun: The unfinished networks of the part before, in the order of their seeds; none: the
            training begins.
        part_s: A part takes so long at least, s, unless all have ended.
        device: "cpu" or "cuda".
        **options: As for `train`, except for the seed, the same in all parts.

    Raises:
        SpecError: an option or the task makes no sense.
        BackendError: the device is not there, or has no room.
    """
    chosen = options_of({**options, "seed": seeds[0]})
    check_given(options, chosen)
    plan = plan_of(task, chosen, device)
    first: dict[int, Values] = {}
    failed: dict[int, TrainingError] = {}
    for seed in seeds:
        try:
            first[seed] = first_values(plan.task, plan.options, seed)
        except TrainingError as error:
            failed[seed] = error
    if not first:
        return Trained(failed, {})
    with ready(plan, first) as run:
        run.each = True
        if begun:
            restore(run, begun)
            run.before_s = max(float(one.provenance["seconds"]) for one in begun)
            run.together = begun[0].provenance["trained_together"]
        loop(run, None, part_s)
    going = {
        seed: one for seed, one in run.finished.items() if one.provenance["stopped"] == INTERRUPTED
    }
    ended = {seed: one for seed, one in run.finished.items() if seed not in going}
    return Trained({**failed, **run.failed, **ended}, going)
