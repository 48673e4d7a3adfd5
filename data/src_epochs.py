"""How long does an epoch of Spiking Recurrent Cells take on one core?

Writes src_epochs.csv.

    python data/src_epochs.py

The 1437 training digits in 110 steps and batches of 128; each epoch ends with an evaluation.
"""

import csv
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch

from bridge.methods.src.plan import plan_src
from bridge.methods.src.training import SrcProgress, train_src_as_planned

PATH = Path(__file__).with_suffix(".csv")
LAYERS, BATCH, EPOCHS = (1, 5, 10), 128, 5


def epochs_s(layers: int) -> list[float]:
    """CPU seconds of each epoch after the first, which compiles and loads."""
    plan = plan_src("digits", layers=(100,) * layers, batch=BATCH, epochs=EPOCHS + 1)
    ends = []

    def look(progress: SrcProgress) -> None:
        if progress.update % plan.updates_of_epoch == 0:
            ends.append(time.process_time())

    train_src_as_planned(plan, on_progress=look)
    return [after - before for before, after in pairwise(ends)]


def main() -> None:
    """Measure all, and write it."""
    torch.set_num_threads(1)
    rows = []
    for layers in LAYERS:
        found = epochs_s(layers)
        rows.append(
            {
                "layers": layers,
                "epochs": len(found),
                "cpu_s": round(median(found), 3),
                "least_cpu_s": round(min(found), 3),
                "most_cpu_s": round(max(found), 3),
            }
        )
    with PATH.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
