"""Does dropping scale factors that cannot win change the answer of a search? Writes halving.csv.

    python data/halving.py [NETWORKS [UNITS]]        default: 100 networks of 64 units

Each network (seed 0, 1, ...) is trained in batches of 16 and searched exhaustively, 12
scale factors x 100 trials; then the rounds of the search are played again on those same answers.
Networks already in the file are kept, their rounds are played again.
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
SCALES = np.array(scale_search.INVERSE_SCALES)


class Known:
    """The trials of a search whose answers are known already."""

    def __init__(self, scales: NDArray[np.float64], answers: NDArray[np.bool_]) -> None:
        self.scales, self.answers = scales, answers

    def correct(self, chosen: NDArray[np.int64], span: range, _: object) -> NDArray[np.bool_]:
        """What the scale factors answered in these trials."""
        return self.answers[chosen][:, span.start : span.stop]


def answers_of(seed: int, units: int) -> dict[str, object]:
    """A trained network, and what it answers at every scale factor in every trial."""
    rate = bridge.train("go-nogo", seed=seed, units=units, batch=16)
    plan = scale_search._Trials(rate, SCALES, TRIALS, seed, ("snntorch", "cpu"))
    answers = plan.correct(np.arange(SCALES.size), range(TRIALS), lambda _: None)
    return {
        "seed": seed,
        "units": units,
        "updates": rate.provenance["updates"],
        "stopped": rate.provenance["stopped"],
        "correct_of_100": " ".join(map(str, answers.sum(axis=1))),
        "answers_hex": " ".join(np.packbits(row).tobytes().hex() for row in answers),
    }


def played(row: dict[str, object]) -> dict[str, object]:
    """The row with the outcomes of the exhaustive search and of the one in rounds."""
    packed = [list(bytes.fromhex(word)) for word in str(row["answers_hex"]).split()]
    answers = np.unpackbits(np.array(packed, dtype=np.uint8), axis=1)[:, :TRIALS].astype(bool)
    whole = scale_search.middle_of_best_plateau(answers.sum(axis=1))
    ends = round_ends(TRIALS, exhaustive=False)
    correct, tested = scale_search._rounds(Known(SCALES, answers), ends, None)
    halved = scale_search.middle_of_best_plateau(expected_counts(correct, tested, TRIALS))
    return row | {
        "exhaustive_inverse_scale": SCALES[whole],
        "halved_inverse_scale": SCALES[halved],
        "same": int(whole == halved),
        "trials_done": int(tested.sum()),
    }


def main() -> None:
    """Measure the networks that are not in the file yet."""
    given = [int(word) for word in sys.argv[1:]]
    networks, units = given + [100, 64][len(given) :]
    path = Path(__file__).with_suffix(".csv")
    rows: list[dict[str, object]] = []
    if path.exists():
        with path.open(encoding="utf-8") as file:
            rows = [played(dict(row)) for row in csv.DictReader(file)]
    done = {int(str(row["seed"])) for row in rows}
    for seed in [seed for seed in range(networks) if seed not in done] or [None]:
        if seed is not None:
            rows.append(played(answers_of(seed, units)))
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    same = sum(int(str(row["same"])) for row in rows)
    trials = sum(int(str(row["trials_done"])) for row in rows)
    print(f"{same} of {len(rows)} the same; {trials / len(rows):.0f} trials of {12 * TRIALS}")


if __name__ == "__main__":
    main()
