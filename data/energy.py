"""What does an answer cost: Spiking Recurrent Cells, LIF neurons (snnTorch) and a GRU on digits.

Writes energy.csv and its picture, energy.png.

    python data/energy.py

Each network has 100 units and sees the same spikes. Each is trained at three learning rates without
237 of the training digits; the one that knows most of these answers the 360 held-out digits, once.
Its answer is read after every step, with the synaptic operations up to there: a connection counts
where what it passes on is not 0, so an input spike costs as many as it has targets. A GRU's
recurrent connections count in every step. What a unit does within itself is not counted.
"""

import csv
import time
from pathlib import Path

import numpy as np
import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

from bridge.methods.src.module import SrcModule
from bridge.methods.src.plan import SrcPlan, plan_src
from bridge.methods.src.readout import KEPT
from bridge.methods.src.training import rate_share
from bridge.plot.style import LINES, axes_or_new, colour, legend_beside
from bridge.tasks.images.digits import digits
from bridge.tasks.images.pictures import Pictures

PATH = Path(__file__).with_suffix(".csv")
UNITS, ASIDE, EPOCHS, BATCH, SEED = 100, 237, 20, 64, 0
RATES = {"SRC": (0.005, 0.01, 0.02), "LIF": (0.001, 0.003, 0.01), "GRU": (0.001, 0.003, 0.01)}


class Src(nn.Module):
    """Spiking Recurrent Cells with their frozen readout, as `train-src` has them."""

    def __init__(self, plan: SrcPlan) -> None:
        super().__init__()
        self.net, self.sharpness = SrcModule(64, 10, plan.options), plan.options.sharpness

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        """What the units pass on, (T, B, N), and the outputs after each step, (T, B, 10)."""
        (passed,) = self.net.layers(spikes)
        return passed, self.sharpness * leaky(passed @ self.net.get_buffer("readout").T)


class Lif(nn.Module):
    """Leaky integrate-and-fire neurons of snnTorch with a surrogate gradient, leaky outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(64, UNITS)
        self.out = nn.Linear(UNITS, 10)
        self.cell = snntorch.Leaky(beta=0.9, spike_grad=surrogate.fast_sigmoid(slope=25))

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        """As above."""
        voltage, fired = self.cell.init_leaky(), []
        for current in self.into(spikes):
            now, voltage = self.cell(current, voltage)
            fired.append(now)
        passed = torch.stack(fired)
        return passed, leaky(passed @ self.out.weight.T) + self.out.bias


class Gru(nn.Module):
    """A GRU and a linear readout of its state."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.GRU(64, UNITS), nn.Linear(UNITS, 10)

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        """As above."""
        passed, _ = self.cell(spikes)
        return passed, self.out(passed)


def leaky(arriving: Tensor) -> Tensor:
    """Sums over time that keep 99 % in a step, in one product."""
    steps = torch.arange(len(arriving))
    ago = steps[:, None] - steps
    kept = torch.where(ago >= 0, KEPT ** ago.clamp(min=0).float(), 0.0)
    return torch.tensordot(kept, arriving, dims=1)


def spikes_of(plan: SrcPlan, shown: Pictures, *seed: int) -> Tensor:
    """(T, B, 64) spikes of pictures."""
    rng = np.random.default_rng((SEED, *seed))
    return torch.from_numpy(plan.task.encoding.spikes(shown, rng)).float()


def trained(kind: str, plan: SrcPlan, rate: float) -> nn.Module:
    """A network that has seen all digits but those set aside."""
    torch.manual_seed(SEED)
    net = Src(plan) if kind == "SRC" else Lif() if kind == "LIF" else Gru()
    adam = torch.optim.Adam(net.parameters(), lr=rate)
    updates = EPOCHS * plan.updates_of_epoch
    for update in range(updates):
        epoch, number = divmod(update, plan.updates_of_epoch)
        order = np.random.default_rng((SEED, 1, epoch)).permutation(len(plan.learning.labels))
        batch = plan.learning.chosen(order[number * BATCH : (number + 1) * BATCH])
        adam.param_groups[0]["lr"] = rate * rate_share(update, plan.updates_of_epoch, updates)
        adam.zero_grad()
        outputs = net(spikes_of(plan, batch, 2, update))[1][-1]
        nn.functional.cross_entropy(outputs, torch.from_numpy(batch.labels)).backward()
        adam.step()
    return net


@torch.no_grad()
def answered(net: nn.Module, plan: SrcPlan, shown: Pictures) -> dict[str, np.ndarray]:
    """After each step: share of right answers, and spikes and operations of a picture so far."""
    spikes = spikes_of(plan, shown, 3)
    passed, outputs = net(spikes)
    gates = 3 if isinstance(net, Gru) else 1
    arriving = spikes.sum(dim=(1, 2)).cumsum(0) / len(shown.labels)
    active = (passed != 0).sum(dim=(1, 2)).cumsum(0) / len(shown.labels)
    operations = gates * UNITS * arriving
    if isinstance(net, Gru):
        # Of the readout one product, in the step in which it is read.
        steps = torch.arange(1, len(spikes) + 1)
        operations = operations + steps * gates * UNITS * UNITS + UNITS * 10
    else:
        operations = operations + 10 * active
    right = (outputs.argmax(2) == torch.from_numpy(shown.labels)).float().mean(1)
    return {name: each.double().numpy() for name, each in
            (("right", right), ("active", active), ("operations", operations))}  # fmt: skip


def rows(kind: str, plan: SrcPlan) -> list[dict[str, object]]:
    """The steps of the network whose learning rate knows most of the digits set aside."""
    before, best = time.process_time(), (-1.0, 0.0, None)
    for rate in RATES[kind]:
        net = trained(kind, plan, rate)
        aside = answered(net, plan, plan.evaluated)["right"][-1]
        print(f"{kind} at {rate}: {aside:.3f}, {time.process_time() - before:.0f} s", flush=True)
        if aside > best[0]:
            best = (aside, rate, net)
    found = answered(best[2], plan, digits("held out"))
    return [
        {
            "network": kind,
            "learning_rate": best[1],
            "right_aside": round(float(best[0]), 5),
            "step": step,
            "right": round(float(found["right"][step]), 5),
            "active_values": round(float(found["active"][step]), 2),
            "operations": round(float(found["operations"][step])),
        }
        for step in range(plan.task.steps)
    ]


def draw() -> None:
    """Right answers over operations, of the file."""
    made = list(csv.DictReader(PATH.read_text().splitlines()))
    axes = axes_or_new(None)
    for number, kind in enumerate(RATES):
        mine = [row for row in made if row["network"] == kind]
        operations = [float(row["operations"]) for row in mine]
        right = [100 * float(row["right"]) for row in mine]
        axes.plot(operations, right, LINES[number], color=colour(number), label=kind)
    axes.set(xscale="log", xlabel="synaptic operations for an answer", ylabel="correct (%)")
    legend_beside(axes)
    axes.figure.savefig(PATH.with_suffix(".png"), dpi=150)


def main() -> None:
    """Train all, and write what they answer."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    plan = plan_src("digits", layers=UNITS, validation=ASIDE, batch=BATCH, seed=SEED)
    made = [row for kind in RATES for row in rows(kind, plan)]
    with PATH.open("w", newline="") as file:
        writer = csv.DictWriter(file, made[0])
        writer.writeheader()
        writer.writerows(made)
    draw()


if __name__ == "__main__":
    main()
