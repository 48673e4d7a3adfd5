"""Does dropping scale factors that cannot win change the answer of a search? Writes halving.csv.

    python data/halving.py [NETWORKS [UNITS]]        default: 100 networks of 100 units

Each network (seed 0, 1, ...) is trained with the default options and searched exhaustively, 12
scale factors x 100 trials; then the rounds of the search are played again on those same answers.
Networks already in the file are kept.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bridge
from bridge.methods import scale_search
from bridge.methods.halving import expected_counts, round_ends

TRIALS = 100


class Known:
    """The trials of a search whose answers are known already."""

    def __init__(self, scales: NDArray[np.float64], answers: NDArray[np.bool_]) -> None:
        self.scales, self.answers = scales, answers

    def correct(self, chosen: NDArray[np.int64], span: range, _: object) -> NDArray[np.bool_]:
        """What the scale factors answered in these trials."""
        return self.answers[chosen][:, span.start : span.stop]


def measure(seed: int, units: int) -> dict[str, object]:
    """One row of the table."""
    rate = bridge.train("go-nogo", seed=seed, units=units)
    scales = np.array(scale_search.INVERSE_SCALES)
    plan = scale_search._Trials(rate, scales, TRIALS, seed, ("snntorch", "cpu"))
    answers = plan.correct(np.arange(scales.size), range(TRIALS), lambda _: None)
    whole = scale_search.middle_of_best_plateau(answers.sum(axis=1))
    ends = round_ends(TRIALS, exhaustive=False)
    correct, tested = scale_search._rounds(Known(scales, answers), ends, None)
    halved = scale_search.middle_of_best_plateau(expected_counts(correct, tested, TRIALS))
    return {
        "seed": seed,
        "units": units,
        "updates": rate.provenance["updates"],
        "stopped": rate.provenance["stopped"],
        "correct_of_100": " ".join(map(str, answers.sum(axis=1))),
        "exhaustive_inverse_scale": scales[whole],
        "halved_inverse_scale": scales[halved],
        "same": int(whole == halved),
        "trials_done": int(tested.sum()),
        "trials_of_all": answers.size,
    }


def main() -> None:
    """Measure the networks that are not in the file yet."""
    networks, units = [int(word) for word in sys.argv[1:]] + [100, 100][len(sys.argv) - 1 :]
    path = Path(__file__).with_suffix(".csv")
    rows = list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []
    done = {int(row["seed"]) for row in rows if int(row["units"]) == units}
    for seed in range(networks):
        if seed in done:
            continue
        rows.append(measure(seed, units))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        print(rows[-1], flush=True)
    same = sum(int(row["same"]) for row in rows)
    trials = sum(int(row["trials_done"]) for row in rows)
    print(f"{same} of {len(rows)} the same; {trials / len(rows):.0f} trials of {12 * TRIALS}")


if __name__ == "__main__":
    main()
