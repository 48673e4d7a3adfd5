"""How good are spiking networks that learned four sines from rate dynamics, on their own?

Writes rate_targets.csv.

    python data/rate_targets.py [SEEDS [UNITS [TEACHER [TRAINED]]]]

Default: 10 seeds of 500 units, 200 of them trained, from the teacher's currents. Each network (seed
0, 1, ...) learns by the options' defaults, from 500 teacher units. From the end of learning on it
is run for 100 trials in a row with its own feedback. In 20 more runs of 20 trials it starts from
voltages drawn at random. Networks already in the file are kept.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from growing_table import fill

import bridge

PATH = Path(__file__).with_suffix(".csv")


def from_drawn_voltages(fit: bridge.TargetFit) -> float:
    """Median nMSE of the last ten of 20 trials in a row, over 20 starts from drawn voltages."""
    drive = replace(
        fit.drive(20),
        inputs=np.tile(fit.trial.inputs, (20, 20, 1)),
        v_initial_mv=None,
        noise=bridge.SharedNoise(seed=1),
    )
    outputs = bridge.simulate(fit.network, drive, backend="compiled").readouts["output"]
    last = outputs[:, :, 0].reshape(20, -1, 20)[10:]
    wanted = fit.trial.targets[None, :, :, 0]
    return float(np.median(np.square(last - wanted).sum(axis=1) / np.square(wanted).sum()))


def row(units: int, trained: int, teacher: str, seed: int) -> dict[str, object]:
    """A network of that seed, and what it does without its teacher."""
    before = time.process_time()
    fit = bridge.fit_targets("four-sines", seed=seed, units=units, teacher=teacher, trained=trained)
    seconds = time.process_time() - before
    return {
        "units": units,
        "trained": trained,
        "teacher": teacher,
        "seed": seed,
        "components": fit.network.provenance["components"],
        "median_nmse": round(fit.error, 5),
        "largest_nmse": round(float(fit.errors.max()), 5),
        "last_20_of_learning": round(float(np.median(fit.learning_errors[-20:])), 5),
        "rate_hz": round(fit.rate_hz, 2),
        "nmse_from_drawn_voltages": round(from_drawn_voltages(fit), 5),
        "cpu_seconds": round(seconds, 1),
    }


def main(seeds: int = 10, units: int = 500, teacher: str = "current", trained: int = 200) -> None:
    """Fit what is not in the file yet, and add it."""
    names = ("units", "trained", "teacher", "seed")
    fill(PATH, names, [(units, trained, teacher, seed) for seed in range(seeds)], row)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:4], *map(int, sys.argv[4:5]))
