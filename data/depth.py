"""What do more layers of Spiking Recurrent Cells bring, next to other cells?

Writes depth.csv and depth_gradients.csv.

    python data/depth.py [SEEDS]

The networks of `depth_cells.py`, 1, 5 and 10 layers deep, learn digits shown in 60 steps. For each
cell and depth three learning rates are tried on digits set aside of the training ones; with the
best, networks of other seeds learn all 1437, and answer the 360 held-out digits once. What is in
the files already is kept. Forty minutes on one core.
"""

import csv
import sys
import time
from pathlib import Path

import numpy as np
import torch
from depth_cells import CELLS, Layered
from growing_table import fill
from torch import Tensor, nn

from bridge.backends.torch_settings import own_settings
from bridge.methods.src.plan import SrcPlan, plan_src
from bridge.methods.src.training import rate_share
from bridge.tasks.images.pictures import Pictures

PATH = Path(__file__).with_suffix(".csv")
GRADIENTS = Path(__file__).with_name("depth_gradients.csv")
TASK, ASIDE, DEPTHS, EPOCHS, BATCH = "digits:shown=50,silent=10", 237, (1, 5, 10), 12, 64
SHARPNESS, AT_ONCE, PARTS = 0.2, 120, 6
# Of all layers; where layers relay at the start, of those after the first, which learns at FIRST.
RATES = {"GRU": (0.001, 0.003, 0.01), "LSTM": (0.001, 0.003, 0.01)}
ALONE, RELAYING, FIRST = (0.005, 0.01, 0.02), (0.0001, 0.0003, 0.001), 0.02


class Training:
    """A network on its way."""

    def __init__(self, cell: str, depth: int, rate: float, seed: int, *, aside: int) -> None:
        self.plan: SrcPlan = plan_src(
            TASK, layers=(100,) * depth, epochs=EPOCHS, batch=BATCH, seed=seed, validation=aside
        )
        self.network: Layered = CELLS[cell](self.plan.task.input_size, depth, seed)
        relays = cell not in RATES
        first = FIRST if relays and depth > 1 else rate
        self.rates = [rate if number else first for number, _ in self.network.groups()]
        groups = [{"params": each} for _, each in self.network.groups()]
        self.adam = torch.optim.Adam(groups, lr=rate)
        self.seed = seed

    def run(self) -> None:
        """All updates."""
        each = self.plan.updates_of_epoch
        for update in range(self.plan.updates):
            epoch, number = divmod(update, each)
            order = np.random.default_rng((self.seed, 1, epoch)).permutation(
                len(self.plan.learning.labels)
            )
            shown = self.plan.learning.chosen(order[number * BATCH : (number + 1) * BATCH])
            loss = self._loss(self.network.passed(self._spikes(shown, (2, update)))[-1], shown)
            self.adam.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
            for group, rate in zip(self.adam.param_groups, self.rates, strict=True):
                group["lr"] = rate * rate_share(update, each, self.plan.updates)
            self.adam.step()

    def _loss(self, last: Tensor, shown: Pictures) -> Tensor:
        outputs = self.network.answered(last) * SHARPNESS
        return nn.functional.cross_entropy(outputs, torch.from_numpy(shown.labels))

    def _spikes(self, shown: Pictures, stream: tuple[int, int]) -> Tensor:
        rng = np.random.default_rng((self.seed, *stream))
        return torch.from_numpy(self.plan.task.encoding.spikes(shown, rng)).to(torch.float32)

    @torch.no_grad()
    def right(self, pictures: Pictures) -> float:
        """Share of pictures that are answered rightly."""
        right = 0
        for first in range(0, len(pictures.labels), AT_ONCE):
            numbers = np.arange(first, min(first + AT_ONCE, len(pictures.labels)))
            shown = pictures.chosen(numbers)
            last = self.network.passed(self._spikes(shown, (3, first)))[-1]
            right += int((self.network.answered(last).argmax(1).numpy() == shown.labels).sum())
        return right / len(pictures.labels)

    def gradients(self) -> list[list[float]]:
        """Norm of the loss's gradient by what each layer passes on, in each part of the time."""
        shown = self.plan.learning.chosen(np.arange(BATCH))
        passed = self.network.passed(self._spikes(shown, (4, 0)))
        for each in passed:
            each.retain_grad()
        torch.autograd.backward(self._loss(passed[-1], shown))
        found = []
        for each in passed:
            gradient = torch.zeros_like(each) if each.grad is None else each.grad
            found.append([float(part.norm()) for part in gradient.chunk(PARTS)])
        return found


def best_rate(cell: str, depth: int) -> tuple[float, float]:
    """The rate that does best on the digits set aside, and how well it does."""
    found = []
    for rate in RATES.get(cell, RELAYING if depth > 1 else ALONE):
        training = Training(cell, depth, rate, 0, aside=ASIDE)
        training.run()
        found.append((training.right(training.plan.evaluated), rate))
        print(f"# {cell}, {depth}: {rate:g} {found[-1][0]:.3f}", flush=True)
    share, rate = max(found)
    return rate, share


class Rows:
    """Rows of the tables; a rate is looked for once."""

    def __init__(self) -> None:
        rows = list(csv.DictReader(PATH.read_text().splitlines())) if PATH.exists() else []
        self.rates = {
            (row["cell"], int(row["layers"])): (float(row["rate"]), float(row["right_aside"]))
            for row in rows
        }

    def row(self, cell: str, depth: int, seed: int) -> dict[str, object]:
        """A network, and how many held-out digits it knows."""
        if (cell, depth) not in self.rates:
            self.rates[cell, depth] = best_rate(cell, depth)
        rate, aside = self.rates[cell, depth]
        # Seed 0 chose the rate.
        training = Training(cell, depth, rate, seed + 1, aside=0)
        before = time.process_time()
        self._note(cell, depth, seed, "start", training)
        training.run()
        self._note(cell, depth, seed, "end", training)
        seconds = time.process_time() - before
        held_out = training.plan.task.pictures("held out")
        return {
            "cell": cell,
            "layers": depth,
            "seed": seed,
            "rate": rate,
            "right_aside": round(aside, 5),
            "right": round(training.right(held_out), 5),
            "parameters": sum(each.numel() for each in training.network.parameters()),
            "cpu_seconds": round(seconds, 1),
        }

    def _note(self, cell: str, depth: int, seed: int, when: str, training: Training) -> None:
        """The gradients of a network, into the second file; of the first seed alone."""
        if seed:
            return
        rows = [
            [cell, depth, when, layer + 1, part, f"{norm:.4g}"]
            for layer, parts in enumerate(training.gradients())
            for part, norm in enumerate(parts)
        ]
        with GRADIENTS.open("a", newline="") as file:
            writer = csv.writer(file)
            if not file.tell():
                writer.writerow(["cell", "layers", "when", "layer", "part_of_time", "norm"])
            writer.writerows(rows)


def main(seeds: int) -> None:
    """Train what is not in the file yet, and add it: all of a seed before the next."""
    places = [(c, depth, seed) for seed in range(seeds) for depth in DEPTHS for c in CELLS]
    # Silent cells let numbers decay until they are subnormal, which takes a processor long.
    with own_settings(gradients=True, flush_denormals=True):
        fill(PATH, ("cell", "layers", "seed"), places, Rows().row)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(int((sys.argv[1:2] or ["3"])[0]))
