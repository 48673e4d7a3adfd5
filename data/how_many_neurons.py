"""How many spiking neurons do what so many rate units do, where both learn by the same method?

Writes how_many_neurons.csv; `how_many_picture.py` draws it.

    python data/how_many_neurons.py [TASK ...] [--seeds N] [--kind rate|spiking] [--choice]
                                    [--processes 1] [--scheduler ADDRESS]

Default: the tasks that are compared, in the sizes and seeds below. `xor` is one that rate units
cannot learn: they answer opposite inputs with opposite outputs; `xor-constant` has a third input
that is the same throughout. Nor did they learn `duration-xor`, in which 200 ms without input lie
between the pulses and before the answer; in `duration-xor-50ms` it is 50 ms.

Rate units and spiking neurons learn by the same recursive least squares from teachers of as many
units as they have (at most 500 for spiking neurons), drawn by the same seed and gain, for 200
trials. Each is then judged by 100 trials on its own. All rate units are trained; of the neurons
all, or 200 at most. `--choice` fits the networks by which that number was chosen, with seeds of
their own. Rows in the file are kept.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from growing_table import fill

import bridge
from bridge.errors import DivergedError, TrainingError
from bridge.studies.executors import workers
from bridge.tasks import Task
from bridge.tasks.duration_xor import DurationXor
from bridge.tasks.xor import Xor

PATH = Path(__file__).with_suffix(".csv")
NAMES = ("task", "kind", "size", "trained", "seed")
UNITS, NEURONS = (10, 20, 30, 50, 70, 100, 200), (50, 100, 150, 200, 300, 500)


@dataclass(frozen=True)
class Compared:
    """A task: the gain of its teachers, how many rate units and neurons learn it, how often."""

    gain: float
    rate: tuple[int, ...]
    spiking: tuple[int, ...] = NEURONS
    seeds: int = 5


# Gains are those of fitted_tasks.csv. Some tasks take minutes a network, so in fewer sizes.
COMPARED = {
    "four-sines": Compared(1.4, (*UNITS, 300)),
    "oscillation": Compared(1.4, UNITS[:-1]),
    "reaching": Compared(1.4, UNITS),
    "context": Compared(1.0, (50, 70, 100, 200), (50, 100, 200)),
    "duration-xor-50ms": Compared(1.8, (50, 100, 200), (50, 100, 200)),
    "ready-set-go": Compared(2.4, (50, 100, 200), (100, 200, 500)),
}
# Not compared: what rate units cannot or did not learn.
KNOWN = {
    **COMPARED,
    "duration-xor": Compared(1.8, UNITS, seeds=1),
    "xor": Compared(1.6, UNITS, seeds=3),
    "xor-constant": Compared(1.6, (100,), (), seeds=3),
}
KINDS = ("rate", "spiking")
MOST_TRAINED, MOST_TEACHER_UNITS = 200, 500
LEARNED, TESTED = 200, 100
CONSTANT = 0.3
# (neurons, trained), in networks of seeds that the comparison does not have.
CHOICE, CHOICE_SEEDS = ((200, 80), (200, 150), (200, 200), (500, 150), (500, 200)), (100, 101)


def row(task: str, kind: str, size: int, trained: int, seed: int) -> dict[str, object]:
    """A network of that seed, and what it does without its teacher."""
    before = time.process_time()
    fit = fitted(task, kind, size, trained, seed)
    seconds = time.process_time() - before
    rate_hz = getattr(fit, "rate_hz", None)
    return {
        **dict(zip(NAMES, (task, kind, size, trained, seed), strict=True)),
        "median_nmse": "inf" if fit is None else f"{fit.error:.4g}",
        "largest_nmse": "inf" if fit is None else f"{fit.errors.max():.4g}",
        f"right_of_{TESTED}": "" if fit is None or fit.right is None else fit.right,
        "rate_hz": "" if rate_hz is None else round(rate_hz, 2),
        "cpu_seconds": round(seconds, 1),
    }


def fitted(task: str, kind: str, size: int, trained: int, seed: int) -> Any:
    """What has learned; None: learning diverged."""
    options: dict[str, Any] = {
        "units": size,
        "teacher_gain": KNOWN[task].gain,
        "learn_trials": LEARNED,
        "test_trials": TESTED,
        "seed": seed,
        "progress": False,
    }
    known = CHANGED[task]() if task in CHANGED else task
    try:
        if kind == "rate":
            return bridge.fit_rate_units(known, **options)
        teacher_units = min(size, MOST_TEACHER_UNITS)
        return bridge.fit_targets(known, trained=trained, teacher_units=teacher_units, **options)
    except (DivergedError, TrainingError):
        return None


def xor_with_constant() -> bridge.FunctionTask:
    """The task with a third input, which is the same at all times."""
    plain = Xor()

    def draw(count: int, rng: np.random.Generator) -> bridge.Trials:
        trials = plain.trials(count, rng)
        third = np.full_like(trials.inputs[:, :, :1], CONSTANT)
        return replace(trials, inputs=np.concatenate((trials.inputs, third), axis=2))

    return bridge.FunctionTask(
        name="xor-constant",
        step_ms=plain.step_ms,
        steps=plain.steps,
        input_size=plain.input_size + 1,
        output_size=plain.output_size,
        conditions=plain.conditions,
        draw=draw,
        correct=plain.rate_correct,
    )


# Tasks of the catalogue with something changed.
CHANGED: dict[str, Callable[[], Task]] = {
    "xor-constant": xor_with_constant,
    "duration-xor-50ms": lambda: DurationXor(gap=10, delay=10),
}


def places(tasks: list[str], kinds: list[str], seeds: int | None) -> Iterator[tuple[object, ...]]:
    """Which rows there are to be; seeds None: as many as the task has."""
    for task in tasks:
        known = KNOWN[task]
        for seed in range(seeds or known.seeds):
            for kind in kinds:
                for size in getattr(known, kind):
                    trained = size if kind == "rate" else min(size, MOST_TRAINED)
                    yield task, kind, size, trained, seed


def choice() -> Iterator[tuple[object, ...]]:
    """The networks by which the number that is trained was chosen."""
    for seed in CHOICE_SEEDS:
        for size, trained in CHOICE:
            yield "four-sines", "spiking", size, trained, seed


def main() -> None:
    """Fit what is not in the file yet, and add it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=list(COMPARED))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--choice", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--scheduler")
    given = parser.parse_args()
    kinds = [given.kind] if given.kind else list(KINDS)
    wanted = choice() if given.choice else places(given.tasks, kinds, given.seeds)
    if given.processes == 1 and given.scheduler is None:
        fill(PATH, NAMES, wanted, row)
        return
    with workers(given.scheduler, given.processes) as (executor, _):
        fill(PATH, NAMES, wanted, row, executor.map)


if __name__ == "__main__":
    main()
