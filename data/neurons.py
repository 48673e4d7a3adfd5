"""Which neuron keeps which activation, on every task that ships. Writes neurons.csv.

    python data/neurons.py [RELU [OTHERS]]    default: 30 ReLU networks of Go-NoGo, 3 of each other

Networks of 200 units are trained as `bridge.train` does unless told otherwise (seeds 500, 501,
...), many at once, and kept in results/neurons. Each is converted to LIF neurons by their scale
factor and to integrate-and-fire neurons by their gain, on the same 100 trials; both are then
scored on 200 fresh ones beside the rate network. Networks already in the file are kept.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch

import bridge
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.scoring import SCORE, drive_of, needed_task

FRESH, FIRST_SEED, TOGETHER = 200, 500, 10
TASKS = ("go-nogo", "xor", "context", "flip-flop", "oscillation")
KEPT = Path("results/neurons")


def networks(task: str, activation: str, count: int) -> list[bridge.RateNetwork]:
    """Trained networks, kept from an earlier run if they are there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    files = {
        seed: KEPT / f"{task}_{activation}_{seed}.h5"
        for seed in range(FIRST_SEED, FIRST_SEED + count)
    }
    missing = [seed for seed, path in files.items() if not path.exists()]
    for first in range(0, len(missing), TOGETHER):
        seeds = missing[first : first + TOGETHER]
        made = bridge.train_many(task, seeds, activation=activation)
        for seed, network in zip(seeds, made, strict=True):
            bridge.save(network, files[seed])
    return [bridge.load(path) for path in files.values()]


def fresh(found: bridge.Conversion) -> dict[str, object]:
    """Of a conversion, on trials that its search has not seen."""
    task = needed_task(found.network)
    made, drive = drive_of(task, found.network, FRESH, 0, SCORE)
    recording = bridge.simulate(found.network, drive, backend="compiled")
    answers = RateAnswers.of(found.rate, task, made, 0)
    one = beside(answers, found.network, recording)
    fired = recording.spikes.count / (found.network.size * FRESH * recording.trial_s)
    return {
        "correct": one.correct,
        "rate_correct": int(answers.right.sum()),
        "lost": one.lost,
        "gained": one.gained,
        "output_error": f"{one.output_error:.4g}",
        "rate_hz": f"{fired:.2f}",
    }


def rows_of(
    task: str, activation: str, count: int, neurons: list[str], known: set[tuple]
) -> Iterator[dict[str, str]]:
    """A row for each network and kind of neuron that is not there yet."""
    for seed, rate in enumerate(networks(task, activation, count), start=FIRST_SEED):
        for neuron in neurons:
            place = (task, activation, str(seed), neuron)
            if place in known:
                continue
            found = bridge.convert(rate, neuron=neuron)
            chosen = "best_inverse_scale" if neuron == "lif" else "best_gain_hz"
            row = dict(zip(("task", "activation", "seed", "neuron"), place, strict=True))
            row["scale_or_gain"] = getattr(found.search, chosen)
            made = {name: str(value) for name, value in (row | fresh(found)).items()}
            print(*made.values(), flush=True)
            yield made


def written(path: Path, rows: list[dict[str, str]]) -> None:
    """The file, in the order of tasks, activations, seeds and neurons."""
    order = {task: number for number, task in enumerate(TASKS)}
    rows.sort(key=lambda row: (order[row["task"]], row["activation"], row["seed"], row["neuron"]))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def told(rows: list[dict[str, str]]) -> str:
    """Networks of a kind in a line."""
    right = [int(row["correct"]) / FRESH for row in rows]
    errors = [float(row["output_error"]) for row in rows]
    rates = [float(row["rate_hz"]) for row in rows]
    good = sum(
        share >= 0.98 and error <= 0.1 and hz <= 15
        for share, error, hz in zip(right, errors, rates, strict=True)
    )
    first = rows[0]
    return (
        f"{first['task']}, {first['activation']}, {first['neuron']}: {len(rows)} networks, median "
        f"{median(right):.1%} right (least {min(right):.1%}), output error {median(errors):.3g} "
        f"(most {max(errors):.3g}), {median(rates):.3g} Hz (most {max(rates):.3g}); {good} with "
        "98 % right, an error of 0.1 and 15 Hz"
    )


def main(relu: int = 30, others: int = 3) -> None:
    """Measure what is not in the file yet, and sum up."""
    torch.set_num_threads(1)
    path = Path(__file__).with_name("neurons.csv")
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    asked = [
        (task, activation, others, ["lif", "if"])
        for task in TASKS
        for activation in ("sigmoid", "relu")
    ]
    for task, activation, count, neurons in [*asked, ("go-nogo", "relu", relu, ["if"])]:
        known = {tuple(row[name] for name in list(row)[:4]) for row in rows}
        for row in rows_of(task, activation, count, neurons, known):
            rows.append(row)
            written(path, rows)
    kinds = sorted({tuple(row[name] for name in ("task", "activation", "neuron")) for row in rows})
    for kind in kinds:
        mine = [r for r in rows if (r["task"], r["activation"], r["neuron"]) == kind]
        print(told(mine))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
