"""How well do Spiking Recurrent Cells classify digits that their training has not seen?

Writes spiking_recurrent_cells.csv.

    python data/spiking_recurrent_cells.py [NAME [SEEDS]]

NAME is one of `KINDS`; by default all of them, 5 seeds each. Options were chosen on 237 digits set
aside of the training ones. Each network here is trained on all 1437, and answers each of the 360
held-out digits once, in the spikes of five draws. Networks already in the file are kept.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from growing_table import fill

import bridge
from bridge.methods.scoring import score_of, task_drive
from bridge.tasks import task

PATH = Path(__file__).with_suffix(".csv")
DRAWS, HELD_OUT = 5, 360
# What differs from the defaults. Deep networks learn best where outputs are blunter in the loss.
DEEP: dict[str, Any] = {"epochs": 25, "learning_rate": 0.02, "sharpness": 0.2}
KINDS: dict[str, dict[str, Any]] = {
    "1 layer": {"layers": (100,)},
    "5 layers": {**DEEP, "layers": (100,) * 5},
    "10 layers": {**DEEP, "layers": (100,) * 10, "deep_learning_rate": 0.0003},
    "10 layers, relays not trained": {
        **DEEP,
        "layers": (100,) * 10,
        "deep_learning_rate": 0,
    },
}


def right(network: bridge.SpikingNetwork, seed: int) -> list[float]:
    """Share of the held-out digits answered rightly, of each draw of spikes."""
    shares = []
    for draw in range(DRAWS):
        trials, drive = task_drive(network, HELD_OUT, seed * DRAWS + draw)
        recording = bridge.simulate(network, drive, backend="compiled", progress=False)
        shares.append(score_of(task(network.task), trials, recording).accuracy)
    return shares


def row(name: str, seed: int) -> dict[str, object]:
    """A network of that seed, and how many held-out digits it knows."""
    before = time.process_time()
    trained = bridge.train_src("digits", seed=seed, progress=False, **KINDS[name])
    seconds = time.process_time() - before
    shares = right(trained.network, seed)
    activity = trained.network.provenance["activity"]
    return {
        "network": name,
        "seed": seed,
        "right": round(float(np.mean(shares)), 5),
        "right_of_first_draw": round(shares[0], 5),
        "spikes_per_cell_and_picture": round(float(np.mean([a["onsets"] for a in activity])), 3),
        "duty": round(float(np.mean([a["duty"] for a in activity])), 5),
        "cpu_seconds": round(seconds, 1),
    }


def main(names: list[str], seeds: int) -> None:
    """Train what is not in the file yet, and add it."""
    places = [(name, seed) for name in names for seed in range(seeds)]
    fill(PATH, ("network", "seed"), places, row)


if __name__ == "__main__":
    main(sys.argv[1:2] or list(KINDS), int((sys.argv[2:3] or ["5"])[0]))
