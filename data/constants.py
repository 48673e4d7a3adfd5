"""Which of the constants that are set by hand do Spiking Recurrent Cells need as they are?

Writes constants.csv.

    nice python data/constants.py

A design is a set of the seven constants: those published; one of them changed alone, over
`SWEEPS`; or all at random, a Latin hypercube over `RANGES`. For each design networks of one layer
of 100 cells learn 1037 of the training digits, all in the same way, with the same first weights
and the same order. They answer the other 400; the held-out digits stay closed. Designs that are in
the file already are kept. Ten minutes on one core.
"""

import time
from dataclasses import asdict, astuple, fields
from pathlib import Path

import numpy as np
import torch
from constants_theory import Constants, expected, rest, tonic
from growing_table import fill
from scipy.stats import qmc

import bridge

PATH = Path(__file__).with_suffix(".csv")
TASK, STEPS, ASIDE = "digits:shown=50,silent=10", 60, 400
TRAINED = {"layers": 100, "epochs": 12, "learning_rate": 0.02, "validation": ASIDE}
RANDOM, STREAM = 200, 2023
# Networks of a design: more where one value is looked at than where all vary.
SEEDS = {"published": 5, "all": 2}
SEEDS_OF_SWEEPS = 3
NAMES = tuple(entry.name for entry in fields(Constants))
SWEEPS: dict[str, tuple[float, ...]] = {
    "alpha": (0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.95, 0.98, 0.99, 1),
    "rho": (0.5, 1, 1.5, 2, 2.5, 4, 5, 7, 10),
    "r": (0, 0.5, 1, 1.25, 1.5, 1.75, 2.25, 2.5, 3, 4),
    "r_s": (-14, -12, -10, -9, -8, -6, -5, -4, -3, -2, -1, 0),
    "z_hyp": (0, 0.3, 0.5, 0.7, 0.8, 0.85, 0.95, 0.98, 0.99),
    "z_dep": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    "bias": (-10, -9, -8, -7.5, -7, -6.5, -5.5, -5, -4.5, -4, -3.5, -3, -2),
}
RANGES: dict[str, tuple[float, float]] = {
    "alpha": (0.6, 0.99),
    "rho": (1, 6),
    "r": (1, 3),
    "r_s": (-12, -3),
    "z_hyp": (0.7, 0.98),
    "z_dep": (0, 0.6),
    "bias": (-8, -4),
}


def designs() -> dict[tuple[str, int], Constants]:
    """All designs: by what is changed, and a number."""
    found = {("published", 0): Constants()}
    for name, values in SWEEPS.items():
        found |= {(name, k): Constants(**{name: float(v)}) for k, v in enumerate(values)}
    low, high = zip(*RANGES.values(), strict=True)
    points = qmc.scale(qmc.LatinHypercube(len(RANGES), seed=STREAM).random(RANDOM), low, high)
    for number, point in enumerate(points):
        drawn = {name: round(float(v), 4) for name, v in zip(RANGES, point, strict=True)}
        found["all", number] = Constants(**drawn)
    return found


def row(changed: str, number: int, cell: Constants) -> dict[str, object]:
    """The networks of a design: how many digits they know, and how they spike."""
    seeds, before = SEEDS.get(changed, SEEDS_OF_SWEEPS), time.process_time()
    networks = [
        bridge.train_src(TASK, seed=seed, progress=False, **TRAINED, **asdict(cell))
        for seed in range(seeds)
    ]
    seconds = time.process_time() - before
    right = [float(network.history.accuracy[-1]) for network in networks]
    activity = [network.network.provenance["activity"][0] for network in networks]
    spikes, above, silent = (
        float(np.mean([each[name] for each in activity])) for name in ("onsets", "duty", "silent")
    )
    lowest, highest = tonic(cell) or ("", "")
    return {
        "changed": changed,
        "number": number,
        **dict(zip(NAMES, astuple(cell), strict=True)),
        "seeds": seeds,
        "right": round(float(np.mean(right)), 5),
        "right_lowest": round(min(right), 5),
        "right_highest": round(max(right), 5),
        "spikes_per_cell_and_picture": round(spikes, 4),
        "steps_of_a_spike": round(above * STEPS / spikes, 3) if spikes else "",
        "silent_cells": round(silent, 3),
        "rest": round(rest(cell), 6),
        "tonic_from": lowest if lowest == "" else round(lowest, 2),
        "tonic_to": highest if highest == "" else round(highest, 2),
        "expected": expected(cell),
        "cpu_seconds": round(seconds, 1),
    }


def main() -> None:
    """Train what is not in the file yet, and add it."""
    all_ = designs()
    fill(PATH, ("changed", "number"), all_, lambda *place: row(*place, all_[place]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
