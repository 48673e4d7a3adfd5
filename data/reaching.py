"""How well do fitted networks follow their teachers in reaching, by condition and by component?

Writes reaching.csv. The muscle activity is synthetic.

    python data/reaching.py [SEEDS]

Default: 5 seeds. Each network of 500 neurons learns `reaching` in 400 trials, the teacher's gain
1.4, all else by default. It is judged by 200 fresh trials, and by the variance of the teacher's
components that its own explain in 80 more. Networks already in the file are kept.
"""

import sys
import time
from pathlib import Path

from growing_table import fill

import bridge

PATH = Path(__file__).with_suffix(".csv")


def row(seed: int) -> dict[str, object]:
    """A network of that seed, and what it does without its teacher."""
    before = time.process_time()
    fit = bridge.fit_targets("reaching", seed=seed, learn_trials=400, test_trials=200)
    found = bridge.variance_explained(fit, trials=80)
    conditions = {
        f"explained_at_{name.replace(' ', '_')}": round(float(share), 4)
        for name, share in zip(found.conditions, found.by_condition, strict=True)
    }
    components = {
        f"explained_of_component_{place}": round(float(found.by_component[place - 1]), 4)
        for place in (1, 2, 5, 10, 20, 50)
    }
    return {
        "seed": seed,
        "components": len(found.by_component),
        "right_of_200": fit.right,
        "median_nmse": round(fit.error, 5),
        "rate_hz": round(fit.rate_hz, 2),
        "explained": round(found.whole, 4),
        **conditions,
        **components,
        "cpu_seconds": round(time.process_time() - before, 1),
    }


def main(seeds: int = 5) -> None:
    """Fit what is not in the file yet, and add it."""
    fill(PATH, ("seed",), [(seed,) for seed in range(seeds)], row)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
