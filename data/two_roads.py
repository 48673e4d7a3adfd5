"""Two roads from a task to a spiking network, side by side: a conversion, and a fit to targets.

Writes two_roads.csv.

    python data/two_roads.py [SEEDS [TASK ...]]

Default: 3 seeds of `xor` and of `context`. On the first road a rate network of 200 units is trained
and becomes as many LIF neurons by one scale factor, all by default. On the second 500 LIF neurons
learn from rate dynamics, as in fitted_tasks.csv: networks that are not kept in results/fitted_tasks
are fitted there. Each network does the same 200 fresh trials of its seed: as it was made, then with
noise, without some of its neurons, and in coarser steps. Rows already in the file are kept.
"""

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fitted_tasks
import numpy as np
import torch
from changed_networks import coarser, noisier, with_losses
from growing_table import fill

import bridge
from bridge.methods.rate_targets.judgement import Judgement, apart

PATH = Path(__file__).with_suffix(".csv")
CONVERTED, FITTED = "converted", "fitted"
TESTED = 200
# Gains of the teacher at which the second road can do each task.
GAINS = {"xor": 1.6, "context": 1.0}
LEARNED, UNITS = 400, 500
NOISE, LOST, STEPS = (0.02, 0.05, 0.1), (0.02, 0.05, 0.1), (2.5, 5.0)


def converted(task: str, seed: int) -> tuple[bridge.SpikingNetwork, float]:
    """The network of the first road, and what it took, CPU seconds."""
    before = time.process_time()
    rate = bridge.train(task, seed=seed, progress=False)
    network = bridge.convert(rate, neuron="lif", seed=seed, progress=False).network
    return network, time.process_time() - before


def fitted(task: str, seed: int) -> tuple[bridge.SpikingNetwork, float]:
    """The network of the second road, and what it took, CPU seconds."""
    place = (task, UNITS, GAINS[task], LEARNED, seed)
    fill(fitted_tasks.PATH, fitted_tasks.NAMES, [place], fitted_tasks.row)
    path = fitted_tasks.kept(*place)
    if not path.exists():
        fitted_tasks.row(*place)
    for row in csv.DictReader(fitted_tasks.PATH.read_text().splitlines()):
        if tuple(row[name] for name in fitted_tasks.NAMES) == tuple(map(str, place)):
            return bridge.load(path).network, float(row["cpu_seconds"])
    raise RuntimeError(f"{fitted_tasks.PATH}: no row of {place}")


def conditions(
    network: bridge.SpikingNetwork, seed: int
) -> Iterator[tuple[str, bridge.SpikingNetwork]]:
    """The network as it is, and under each condition that it was not made for."""
    yield "", network
    for share in NOISE:
        yield f"_noise_{share:g}", noisier(network, share)
    for share in LOST:
        yield f"_lost_{share:g}", with_losses(network, share, seed)
    for factor in STEPS:
        yield f"_step_x{factor:g}", coarser(network, factor)


def judged(name: str, found: Judgement) -> dict[str, object]:
    """What is written of a condition."""
    return {
        f"right{name}": found.right,
        f"nmse{name}": round(float(np.median(found.errors)), 5),
        f"rate_hz{name}": round(found.rate_hz, 2),
    }


def row(task: str, road: str, seed: int) -> dict[str, object]:
    """A network of that seed, and what it does in all conditions."""
    network, seconds = (converted if road == CONVERTED else fitted)(task, seed)
    made = {
        "task": task,
        "road": road,
        "seed": seed,
        "neurons": network.size,
        "step_ms": network.dt_ms,
        "cpu_seconds": round(seconds, 1),
    }
    for name, changed in conditions(network, seed):
        made |= judged(name, apart(changed, bridge.task(task), TESTED, seed))
    return made


def main(seeds: int = 3, *tasks: str) -> None:
    """Make what is not in the file yet, and add it."""
    torch.set_num_threads(1)
    places = [
        (task, road, seed)
        for task in tasks or GAINS
        for seed in range(seeds)
        for road in (CONVERTED, FITTED)
    ]
    fill(PATH, ("task", "road", "seed"), places, row)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
