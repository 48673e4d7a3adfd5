"""How good is a fitted network whose connections are made anew under Dale's law?

Writes dale.csv.

    python data/dale.py [SEEDS [UNITS [TRAINED [CONNECTED [TRIALS [DRAWS]]]]]]

Default: one network of 500 neurons, 200 of them trained, that learned four sines by the options'
defaults. Its connections are fitted anew to 200 recorded trials: half of the neurons excitatory, at
most 0.4 of all connections, in the best of DRAWS draws (one). It is judged by 100 trials in a row
on its own. Networks already in the file are kept.
"""

import sys
import time
from pathlib import Path

import numpy as np
from growing_table import fill

import bridge

PATH = Path(__file__).with_suffix(".csv")


def row(
    units: int, trained: int, connected: float, trials: int, draws: int, seed: int
) -> dict[str, object]:
    """A network of that seed before and after."""
    fit = bridge.fit_targets(
        "four-sines", units=units, teacher_units=units, trained=trained, seed=seed
    )
    before = time.process_time()
    signed = bridge.with_dales_law(fit, connected=connected, trials=trials, draws=draws)
    recurrent = [part for part in signed.network.projections if part.source == "neurons"]
    there = sum(part.synapses().count_nonzero() for part in recurrent)
    wrong = sum(
        int(np.sum(part.synapses().toarray()[:, kind] * sign < 0))
        for part in recurrent
        for kind, sign in _kinds(signed)
    )
    return {
        "units": units,
        "trained": trained,
        "connected": connected,
        "recorded_trials": trials,
        "draws": draws,
        "seed": seed,
        "nmse_before": round(fit.error, 5),
        "first_trial": round(float(signed.errors[0]), 5),
        "fifth_trial": round(float(signed.errors[4]), 5),
        "median_nmse": round(signed.error, 5),
        "connections": there,
        "share_of_all": round(there / (2 * units**2), 4),
        "of_the_wrong_sign": wrong,
        "rate_hz": round(signed.rate_hz, 2),
        "cpu_seconds": round(time.process_time() - before, 1),
    }


def _kinds(signed: bridge.TargetFit) -> list[tuple[np.ndarray, float]]:
    """Excitatory and inhibitory neurons, with their signs."""
    excitatory = np.array(signed.network.populations[0].cell_types) == "excitatory"
    return [(excitatory, 1.0), (~excitatory, -1.0)]


def main(
    seeds: int = 1,
    units: int = 500,
    trained: int = 200,
    connected: float = 0.4,
    trials: int = 200,
    draws: int = 1,
) -> None:
    """Fit what is not in the file yet, and add it."""
    names = ("units", "trained", "connected", "recorded_trials", "draws", "seed")
    places = [(units, trained, connected, trials, draws, seed) for seed in range(seeds)]
    fill(PATH, names, places, row)


if __name__ == "__main__":
    kinds = (int, int, int, float, int, int)
    main(*(kind(text) for kind, text in zip(kinds, sys.argv[1:], strict=False)))
