"""What do rounded weights, noise in the input and whole numbers cost Spiking Recurrent Cells?

Writes rounded_cells.csv.

    python data/rounded_cells.py

Three networks of one layer, trained without 237 of the training digits, are changed and answer
these 237, in the spikes of five draws.
"""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bridge
from bridge.methods.src.integer import integer_network
from bridge.methods.src.plan import SrcPlan, plan_src

PATH = Path(__file__).with_suffix(".csv")
SEEDS, ASIDE, DRAWS = 3, 237, 5
BITS = (8, 7, 6, 5, 4, 3, 2)
FLIPPED = (0.01, 0.02, 0.05, 0.1, 0.2)
LEVELS = (256, 127, 63, 31, 15, 7, 3)


def rounded(network: bridge.SpikingNetwork, bits: int) -> bridge.SpikingNetwork:
    """The first layer's weights as whole multiples, in that many bits with the sign."""
    first, *others = network.projections
    weights, top = first.synapses().toarray(), 2 ** (bits - 1) - 1
    step = np.abs(weights).max() / top
    return replace(
        network, projections=(replace(first, weights=np.rint(weights / step) * step), *others)
    )


def answered(network: bridge.SpikingNetwork, plan: SrcPlan, flipped: float) -> tuple[float, float]:
    """Share of the digits answered rightly, and spikes of cells for each digit."""
    shares, spikes = [], []
    for draw in range(DRAWS):
        rng = np.random.default_rng((7, draw))
        shown: NDArray[np.bool_] = plan.task.encoding.spikes(plan.evaluated, rng)
        shown ^= rng.random(shown.shape) < flipped
        drive = bridge.Drive(inputs=shown.astype(float), noise=bridge.SharedNoise(seed=0))
        found = bridge.simulate(network, drive, backend="compiled", progress=False)
        named = found.readouts["output"][-1].argmax(axis=1)
        shares.append(np.mean(named == plan.evaluated.labels))
        spikes.append(found.spikes.count / len(named))
    return float(np.mean(shares)), float(np.mean(spikes))


def rows(seed: int) -> Iterator[dict[str, object]]:
    """One network, changed in every way."""
    plan = plan_src("digits", seed=seed, validation=ASIDE)
    network = bridge.train_src("digits", seed=seed, validation=ASIDE, progress=False).network
    changed = [("as trained", 0.0, network, 0.0)]
    changed += [("weights in bits", bits, rounded(network, bits), 0.0) for bits in BITS]
    changed += [("input flipped", share, network, share) for share in FLIPPED]
    changed += [
        ("whole numbers, levels", levels, integer_network(network, levels), 0.0)
        for levels in LEVELS
    ]
    for what, amount, other, flipped in changed:
        right, spikes = answered(other, plan, flipped)
        yield {
            "change": what,
            "amount": amount,
            "seed": seed,
            "right": round(right, 5),
            "spikes_per_picture": round(spikes, 1),
        }


def main() -> None:
    """Train the networks, and write what they answer."""
    made = [row for seed in range(SEEDS) for row in rows(seed)]
    with PATH.open("w", newline="") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main()
