"""Train, convert and score Go-NoGo networks with the defaults: writes go_nogo_seeds.csv.

    python data/go_nogo_seeds.py [SEED ...]        default: 0 1 2 3 4

A row a seed: training time and updates, search time, the chosen scale factor, and the accuracy of
the spiking network on 200 fresh trials that neither training nor search has seen.
"""

import csv
import resource
import sys
import time
from pathlib import Path

import bridge
from bridge.backends.snntorch import simulate
from bridge.methods.scoring import accuracy, task_drive

FRESH_TRIALS, FRESH_SEED = 200, 1_000_000


def measure(seed: int) -> dict[str, object]:
    """One row of the table."""
    started = time.monotonic()
    rate = bridge.train("go-nogo", seed=seed)
    trained = time.monotonic()
    conversion = bridge.convert(rate, seed=seed)
    searched = time.monotonic()
    trials, drive = task_drive(conversion.network, FRESH_TRIALS, FRESH_SEED + seed)
    recording = simulate(conversion.network, drive, dtype="float32")
    return {
        "seed": seed,
        "updates": rate.provenance["updates"],
        "stopped": rate.provenance["stopped"],
        "training_s": round(trained - started, 1),
        "search_s": round(searched - trained, 1),
        "inverse_scale": conversion.search.best_inverse_scale,
        "search_correct_of_100": " ".join(map(str, conversion.search.correct.tolist())),
        "fresh_accuracy_percent": 100 * accuracy(conversion.network, trials, recording),
        "mean_rate_hz": round(recording.spikes.count / FRESH_TRIALS / rate.size, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure the seeds named on the command line."""
    path = Path(__file__).with_suffix(".csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = None
        for seed in [int(word) for word in sys.argv[1:]] or range(5):
            row = measure(seed)
            if writer is None:
                writer = csv.DictWriter(file, row)
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
