"""How good are spiking networks that learned tasks from rate dynamics, on their own?

Writes fitted_tasks.csv.

    python data/fitted_tasks.py TASK [SEEDS [TEACHER_GAIN [TRIALS [UNITS]]]]

Default: 5 seeds, teacher gain 1.4, 400 trials of learning, 500 neurons. All else is as by default.
Each network is then judged by 200 fresh trials. Networks already in the file are kept. What was
fitted is in results/fitted_tasks.
"""

import sys
import time
from pathlib import Path

import numpy as np
from growing_table import fill

import bridge

PATH = Path(__file__).with_suffix(".csv")
KEPT = Path("results/fitted_tasks")
NAMES = ("task", "units", "teacher_gain", "learn_trials", "seed")
TESTED = 200


def kept(task: str, units: int, gain: float, trials: int, seed: int) -> Path:
    """Where the network of that row is."""
    return KEPT / f"{task}_{units}_{gain}_{trials}_{seed}.h5"


def row(task: str, units: int, gain: float, trials: int, seed: int) -> dict[str, object]:
    """A network of that seed, and what it does without its teacher."""
    before = time.process_time()
    fit = bridge.fit_targets(
        task, units=units, teacher_gain=gain, learn_trials=trials, seed=seed, test_trials=TESTED
    )
    seconds = time.process_time() - before
    KEPT.mkdir(parents=True, exist_ok=True)
    bridge.save(fit, kept(task, units, gain, trials, seed), force=True)
    return {
        "task": task,
        "units": units,
        "teacher_gain": gain,
        "learn_trials": trials,
        "seed": seed,
        "components": fit.network.provenance["components"],
        "right_of_200": "" if fit.right is None else fit.right,
        "median_nmse": round(fit.error, 5),
        "largest_nmse": round(float(fit.errors.max()), 5),
        "last_20_of_learning": round(float(np.median(fit.learning_errors[-20:])), 5),
        "rate_hz": round(fit.rate_hz, 2),
        "cpu_seconds": round(seconds, 1),
    }


def main(task: str, seeds: int = 5, gain: float = 1.4, trials: int = 400, units: int = 500) -> None:
    """Fit what is not in the file yet, and add it."""
    fill(PATH, NAMES, [(task, units, gain, trials, seed) for seed in range(seeds)], row)


if __name__ == "__main__":
    task, *given = sys.argv[1:]
    kinds = (int, float, int, int)
    main(task, *(kind(text) for kind, text in zip(kinds, given, strict=False)))
