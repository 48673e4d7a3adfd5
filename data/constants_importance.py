"""Which constants matter where all vary at random?

Writes constants_importance.csv, of the random designs in constants.csv.

    python data/constants_importance.py

A random forest of scikit-learn predicts what a design comes to from its constants. Each of five
parts of the designs is predicted by a forest of the others: R2 says how well, and how much of it is
lost where one constant is permuted says what that constant is worth. A minute.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from bridge.methods.src.options import CONSTANTS

HERE = Path(__file__).parent
PATH, DESIGNS = Path(__file__).with_suffix(".csv"), HERE / "constants.csv"
TARGETS = ("right", "spikes_per_cell_and_picture", "steps_of_a_spike")
# Fewer spikes of a cell in a picture say little of how wide they are.
LEAST_SPIKES = 0.05
FOLDS, TREES, REPEATS = 5, 300, 20


def values(rows: list[dict[str, str]], target: str) -> tuple[np.ndarray, np.ndarray]:
    """(D, 7) constants of the designs that a target can be told of, and (D,) the target."""
    told = [
        row
        for row in rows
        if target != "steps_of_a_spike" or float(row["spikes_per_cell_and_picture"]) >= LEAST_SPIKES
    ]
    constants = np.array([[float(row[name]) for name in CONSTANTS] for row in told])
    return constants, np.array([float(row[target]) for row in told])


def forests(constants: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """R2 of predictions of designs that a forest has not seen, and what each constant is worth."""
    predicted, worth = np.empty_like(target), []
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    for seen, unseen in folds.split(constants):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=0)
        forest.fit(constants[seen], target[seen])
        predicted[unseen] = forest.predict(constants[unseen])
        lost = permutation_importance(
            forest, constants[unseen], target[unseen], n_repeats=REPEATS, random_state=0
        )
        worth.append(lost.importances_mean)
    return float(r2_score(target, predicted)), np.mean(worth, axis=0)


def table(rows: list[dict[str, str]]) -> Iterator[dict[str, object]]:
    """A row for each target and constant."""
    for target in TARGETS:
        constants, found = values(rows, target)
        r2, worth = forests(constants, found)
        for number, name in enumerate(CONSTANTS):
            yield {
                "of": target,
                "designs": len(found),
                "r2": round(r2, 3),
                "constant": name,
                "importance": round(float(worth[number]), 3),
                "rank_correlation": round(float(spearmanr(constants[:, number], found)[0]), 3),
            }


def main() -> None:
    """Write the table."""
    rows = [r for r in csv.DictReader(DESIGNS.read_text().splitlines()) if r["changed"] == "all"]
    made = list(table(rows))
    with PATH.open("w", newline="") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main()
