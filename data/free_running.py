"""How well do spiking networks make four sines without any input, and how far do they drift?

Writes free_running.csv.

    python data/free_running.py [SEEDS [UNITS]]

Default: 5 seeds of 500 units. Each network (seed 0, 1, ...) learns by the options' defaults and
without the task's pulses. From the end of learning on it is run for 100 s. Each second is judged
after the shift that fits it best. Networks already in the file are kept.
"""

import sys
import time
from pathlib import Path

import numpy as np
from growing_table import fill

import bridge

PATH = Path(__file__).with_suffix(".csv")


def row(units: int, seed: int) -> dict[str, object]:
    """A network of that seed, and what it does on its own."""
    before = time.process_time()
    fit = bridge.fit_targets("four-sines", seed=seed, units=units, free_running=True)
    return {
        "units": units,
        "seed": seed,
        "seconds": len(fit.errors),
        "median_nmse_shifted": round(fit.error, 5),
        "largest_nmse_shifted": round(float(fit.errors.max()), 5),
        "drift_ms": fit.drift_ms,
        "largest_shift_ms": float(np.abs(fit.shifts_ms).max()),
        "rate_hz": round(fit.rate_hz, 2),
        "cpu_seconds": round(time.process_time() - before, 1),
    }


def main(seeds: int = 5, units: int = 500) -> None:
    """Fit what is not in the file yet, and add it."""
    fill(PATH, ("units", "seed"), [(units, seed) for seed in range(seeds)], row)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
