"""What each rule of the search chooses, and what the search costs. Writes searches.csv.

    python data/searches.py [GO_NOGO [OTHERS]]    default: 20 networks of Go-NoGo, 3 of each other

Networks are trained as `bridge.train` does unless told otherwise (N = 200, seeds 500, 501, ...) and
kept in results/searches. Each is searched by output error in rounds and exhaustively, and by
accuracy, 100 trials at a scale factor, one search after the other, so that their times can be
compared; both choices are then scored on 200 fresh trials beside the rate network, as they are
and with the readout refitted. Networks already in the file are kept.
"""

import csv
import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

import bridge
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.scoring import SCORE, drive_of, needed_task
from bridge.spiking.decoding import decode

FRESH, FIRST_SEED = 200, 500
TASKS = ("go-nogo", "xor", "context", "oscillation", "flip-flop")
KEPT = Path("results/searches")


def network(task: str, seed: int) -> bridge.RateNetwork:
    """A trained network, kept from an earlier run if there is one."""
    path = KEPT / f"{task}_{seed}.h5"
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        bridge.save(bridge.train(task, seed=seed), path)
    return bridge.load(path)


def fresh(found: bridge.Conversion) -> dict[str, object]:
    """Of a conversion, on trials that its search has not seen."""
    task = needed_task(found.network)
    made, drive = drive_of(task, found.network, FRESH, 0, SCORE)
    recording = bridge.simulate(found.network, drive, backend="snntorch", dtype="float32")
    answers = RateAnswers.of(found.rate, task, made, 0)
    one = beside(answers, found.network, recording)
    # Spikes do not depend on the readout.
    fitted = bridge.refit_readout(found.network)
    reread = replace(recording, readouts=decode(fitted, recording.spikes))
    refitted = beside(answers, fitted, reread)
    return {
        "inverse_scale": found.search.best_inverse_scale,
        "fresh_correct": one.correct,
        "fresh_lost": one.lost,
        "fresh_gained": one.gained,
        "fresh_output_error": f"{one.output_error:.4g}",
        "refitted_correct": refitted.correct,
        "refitted_output_error": f"{refitted.output_error:.4g}",
        "unit_correlation": f"{one.unit_correlation:.3f}",
        "trials_done": int(found.search.done().sum()),
        "seconds": found.search.seconds,
    }


def measured(task: str, seed: int) -> dict[str, object]:
    """The row of a network."""
    rate = network(task, seed)
    # What is compiled on first use is no part of any search.
    bridge.convert(rate, trials=2, inverse_scales=[40.0])
    rounds, whole, accuracy = (
        bridge.convert(rate, **how) for how in ({}, {"exhaustive": True}, {"rule": "accuracy"})
    )
    row: dict[str, object] = {"task": task, "seed": seed}
    for name, found in (("faithful", rounds), ("accuracy", accuracy)):
        row |= {f"{name}_{key}": value for key, value in fresh(found).items()}
    row["exhaustive_inverse_scale"] = whole.search.best_inverse_scale
    row["exhaustive_seconds"] = whole.search.seconds
    row["same"] = int(whole.search.best_inverse_scale == rounds.search.best_inverse_scale)
    return row


def told(task: str, rows: list[dict[str, str]]) -> str:
    """The networks of a task in a line."""

    def column(name: str) -> list[float]:
        return [float(row[name]) for row in rows]

    ratio = median(
        one / other
        for one, other in zip(column("faithful_seconds"), column("accuracy_seconds"), strict=True)
    )
    return (
        f"{task}: {len(rows)} networks, {sum(map(int, column('same')))} chosen as exhaustively; "
        f"output error {median(column('faithful_fresh_output_error')):.3g} (median, by accuracy "
        f"{median(column('accuracy_fresh_output_error')):.3g}), right "
        f"{100 * fmean(column('faithful_fresh_correct')) / FRESH:.2f} % (by accuracy "
        f"{100 * fmean(column('accuracy_fresh_correct')) / FRESH:.2f} %), {ratio:.2f} times as "
        f"long; refitted: error {median(column('faithful_refitted_output_error')):.3g} and "
        f"{median(column('accuracy_refitted_output_error')):.3g}"
    )


def main() -> None:
    """Measure the networks that are not in the file yet."""
    given = [int(word) for word in sys.argv[1:]]
    most, others = given + [20, 3][len(given) :]
    path = Path(__file__).with_suffix(".csv")
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    done = {(row["task"], int(row["seed"])) for row in rows}
    for task in TASKS:
        for seed in range(FIRST_SEED, FIRST_SEED + (most if task == "go-nogo" else others)):
            if (task, seed) in done:
                continue
            rows.append({name: str(value) for name, value in measured(task, seed).items()})
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                writer.writerows(rows)
    for task in TASKS:
        mine = [row for row in rows if row["task"] == task]
        if mine:
            print(told(task, mine))


if __name__ == "__main__":
    main()
