"""Does dropping scale factors that cannot win change the answer of a search by accuracy?

Writes halving.csv.

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
from bridge.methods import search
from bridge.methods.scale_choice import middle_of_best_plateau
from bridge.methods.scoring import SEARCH
from bridge.methods.search_options import INVERSE_SCALES, SearchOptions
from bridge.methods.search_trials import SearchTrials, Tried
from bridge.methods.shown_trials import TaskTrials

TRIALS = 100
SCALES = np.array(INVERSE_SCALES)
NOTHING = np.zeros(0)


class Known:
    """The trials of a search whose answers are known already."""

    def __init__(self, answers: NDArray[np.bool_]) -> None:
        self.answers = dict(zip(INVERSE_SCALES, answers, strict=True))
        self.tried: dict[float, Tried] = {}

    def advance(self, upto: dict[float, int], _: object) -> None:
        """What the scale factors answered in these trials."""
        for scale, end in upto.items():
            self.tried[scale] = Tried(self.answers[scale][:end], NOTHING, NOTHING, NOTHING)


def answers_of(seed: int, units: int) -> dict[str, object]:
    """A trained network, and what it answers at every scale factor in every trial."""
    rate = bridge.train("go-nogo", seed=seed, units=units, batch=16)
    source = TaskTrials(task=bridge.task("go-nogo"), count=TRIALS, seed=seed)
    options = SearchOptions(trials=TRIALS, seed=seed)
    trials = SearchTrials(source.shown(SEARCH), rate, options)
    trials.advance(dict.fromkeys(INVERSE_SCALES, TRIALS), lambda _: None)
    answers = np.array([trials.tried[scale].correct for scale in INVERSE_SCALES])
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
    whole = SCALES[middle_of_best_plateau(answers.sum(axis=1))]
    known = Known(answers)
    options = SearchOptions(rule="accuracy", trials=TRIALS)
    halved = search._by_accuracy(search._Race(known, None), list(INVERSE_SCALES), options)
    return row | {
        "exhaustive_inverse_scale": whole,
        "halved_inverse_scale": halved,
        "same": int(whole == halved),
        "trials_done": sum(each.trials for each in known.tried.values()),
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
