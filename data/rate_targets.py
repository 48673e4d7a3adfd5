"""How good are spiking networks that learned four sines from rate dynamics, on their own?

Writes rate_targets.csv.

    python data/rate_targets.py [SEEDS [UNITS [TEACHER]]]        default: 10 seeds of 500 units

Each network (seed 0, 1, ...) learns by the options' defaults, from 500 teacher units or as many as
it has itself, where these are fewer. It is then run for 100 trials in a row with its own feedback.
Networks already in the file are kept.
"""

import csv
import sys
import time
from pathlib import Path

import numpy as np

import bridge

PATH = Path(__file__).with_suffix(".csv")


def row(seed: int, units: int, teacher: str) -> dict[str, object]:
    """A network of that seed, and what it does without its teacher."""
    before = time.process_time()
    sizes = {"units": units, "teacher_units": min(units, 500)}
    fit = bridge.fit_targets("four-sines", seed=seed, teacher=teacher, **sizes)
    return {
        "units": units,
        "teacher": teacher,
        "seed": seed,
        "components": fit.network.provenance["components"],
        "median_nmse": round(fit.error, 5),
        "largest_nmse": round(float(fit.errors.max()), 5),
        "last_20_of_learning": round(float(np.median(fit.learning_errors[-20:])), 5),
        "rate_hz": round(fit.rate_hz, 2),
        "cpu_seconds": round(time.process_time() - before, 1),
    }


def main(seeds: int = 10, units: int = 500, teacher: str = "current") -> None:
    """Fit what is not in the file yet, and add it."""
    there = list(csv.DictReader(PATH.open())) if PATH.exists() else []
    done = {(int(each["units"]), each["teacher"], int(each["seed"])) for each in there}
    for seed in range(seeds):
        if (units, teacher, seed) in done:
            continue
        made = row(seed, units, teacher)
        with PATH.open("a", newline="") as file:
            writer = csv.DictWriter(file, made)
            if not file.tell():
                writer.writeheader()
            writer.writerow(made)
        print(made, flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
