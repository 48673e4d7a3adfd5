"""How good are spiking networks whose teacher is a trained rate network?

Writes trained_teachers.csv.

    python data/trained_teachers.py [TASK [SEEDS [TRIALS]]]

Default: `xor`, 2 seeds, 200 trials of learning. Each rate network is trained by the defaults of
`bridge.train`. Its seed is that of the fit, of 500 neurons, too. Both are judged by 200 fresh
trials. Networks already in the file are kept.
"""

import sys
import time
from pathlib import Path

import numpy as np
from growing_table import fill

import bridge

PATH = Path(__file__).with_suffix(".csv")
TESTED = 200


def row(task: str, trials: int, seed: int) -> dict[str, object]:
    """A network of that seed, and what it does without its teacher."""
    start = time.process_time()
    rate = bridge.train(task, seed=seed, progress=False)
    trained = time.process_time()
    fit = bridge.fit_targets(
        task, teacher_network=rate, seed=seed, learn_trials=trials, test_trials=TESTED
    )
    rng = np.random.default_rng((seed, 99))
    shown = bridge.task(task).trials(TESTED, rng)
    right = bridge.task(task).rate_correct(rate.run(shown.inputs, rng)[0], shown)
    return {
        "task": task,
        "learn_trials": trials,
        "seed": seed,
        "teacher_units": rate.size,
        "teacher_right_of_200": int(right.sum()),
        "components": fit.network.provenance["components"],
        "right_of_200": fit.right,
        "median_nmse": round(fit.error, 5),
        "rate_hz": round(fit.rate_hz, 2),
        "cpu_seconds_of_training": round(trained - start, 1),
        "cpu_seconds_of_fit": round(time.process_time() - trained, 1),
    }


def main(task: str = "xor", seeds: int = 2, trials: int = 200) -> None:
    """Fit what is not in the file yet, and add it."""
    names = ("task", "learn_trials", "seed")
    fill(PATH, names, [(task, trials, seed) for seed in range(seeds)], row)


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
