"""Which scale factor is chosen, and which others are worth a try around it.

Accuracy alone is flat wherever the weights are large enough, and says nothing of how far the
output overshoots. The output error (`bridge.methods.output_error`) has one least value, where the
spiking network does what the rate network does, but near the island's edge, where some trials fail.
So the rule by default takes the least output error among the scale factors that are right about as
often as the best: at most 2 points less, or 1 point, if they lie between those of the grid. The
paper's rule, by accuracy alone, is kept in addition. Where a task gives each trial a number, its
median over trials may stand in the output error's place; where it gives nothing else, no scale
factor is right less often than another, and the best median wins.
"""

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.values import text
from bridge.tasks import Task, judges, measure_of, not_judged

RULES = ("faithful", "accuracy", "score")

# By how much less often right than the best a scale factor may be, as a share of the trials; and
# one that is tried between those of the grid. Near the edge each more that is tried is one more
# that may have been lucky: with 2 points for all of them 20 networks lost 1.3 points on fresh
# trials, with 1 for these 0.8, and the output errors differ by little.
TOLERANCE, REFINED_TOLERANCE = 0.02, 0.01

# How far the grid is extended, in 1/lambda.
LOWEST, HIGHEST = 5.0, 150.0


def check_rule(rule: object) -> str:
    """A rule; SpecError for anything else."""
    if text("rule", rule) not in RULES:
        raise SpecError(f"rule: {', '.join(map(repr, RULES))}, got {rule!r}")
    return str(rule)


def rule_for(task: Task | None, asked: str | None) -> str:
    """The rule by which a scale factor is chosen.

    Args:
        task: What judges the answers; None: nothing does.
        asked: The rule asked for, if any.

    Raises:
        SpecError: the task lacks what the rule that is asked for goes by, or there is none.
    """
    if task is None:
        if asked in (None, "faithful"):
            return "faithful"
        raise SpecError(
            f"rule: {asked!r} goes by a task's judgement, and nothing judges the answers to this "
            "drive; leave the rule out, and the output error decides"
        )
    if asked is None:
        return "faithful" if judges(task) else "score"
    if asked == "score" and measure_of(task) is None:
        raise SpecError(
            f"rule: 'score' goes by the task's number, and task {task.name!r} gives none (measure)"
        )
    if asked != "score" and not judges(task):
        raise not_judged(task, f"the rule {asked!r}")
    return asked


def least_error(
    correct: NDArray[np.int64],
    errors: NDArray[np.float64],
    trials: int,
    tolerance: float | NDArray[np.float64] = TOLERANCE,
) -> int:
    """Index of the least output error among the scale factors that are right often enough.

    Args:
        correct: (L,) right answers of `trials`.
        errors: (L,) output errors on these trials.
        trials: Done at each.
        tolerance: By how much each may be less often right than the best, as a share.
    """
    enough = correct.max() - correct <= tolerance * trials
    return int(np.argmin(np.where(enough, errors, np.inf)))


def middle_of_best_plateau(correct: NDArray[np.int64]) -> int:
    """Index of the middle of the longest run of the highest count.

    A neighbour of the edge is one step from failing. Of equally long runs, and of the two middles
    of an even run, the one with the better neighbours wins.
    """
    count = np.asarray(correct)
    best = np.flatnonzero(count == count.max())
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    longest = max(len(run) for run in runs)
    padded = np.pad(count, 1, mode="edge")

    def beside(run: NDArray[np.int64]) -> int:
        return int(padded[run[0]] + padded[run[-1] + 2])

    run = max((run for run in runs if len(run) == longest), key=beside)
    left, right = run[(len(run) - 1) // 2], run[len(run) // 2]
    return int(right if padded[run[-1] + 2] > padded[run[0]] else left)


def halfway(scale: float, scales: list[float]) -> list[float]:
    """What lies halfway between a scale factor and its neighbours among `scales`."""
    below = [other for other in scales if other < scale]
    above = [other for other in scales if other > scale]
    neighbours = [*sorted(below)[-1:], *sorted(above)[:1]]
    return [(scale + other) / 2 for other in neighbours]


def beyond(scale: float, scales: list[float]) -> float | None:
    """The next scale factor in the grid's own step, where `scale` is an end of it.

    None where it is not an end, where the grid has one value, or reaches as far as it may.
    """
    ordered = sorted(scales)
    if len(ordered) < 2:
        return None
    if scale == ordered[0]:
        following = scale - (ordered[1] - ordered[0])
        return following if following >= LOWEST else None
    if scale == ordered[-1]:
        following = scale + (ordered[-1] - ordered[-2])
        return following if following <= HIGHEST else None
    return None
