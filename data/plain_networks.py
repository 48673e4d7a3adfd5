"""Plain PyTorch modules as integrate-and-fire neurons. Writes plain_networks.csv.

    python data/plain_networks.py

Twenty modules of 20 to 100 units are trained by nothing but torch on four tasks, brought in by
`bridge.from_torch`, kept in results/plain_networks, and converted at 10 spikes in a time constant.
The output error is that of 50 trials that neither training nor the choice of the output's filter
has seen, against the module's own rate network; the loss is the mean squared error of that against
the task's targets on the same trials. Spikes of two trials are then compared bit for bit between
the reference, Brian2, snnTorch and the compiled loop. Networks already in the file are kept.
"""

import csv
from pathlib import Path
from statistics import quantiles

import numpy as np
import torch
from torch import nn

import bridge
from bridge.methods.output_error import output_error

STEPS, BATCH, UPDATES, FRESH, SPIKES = 60, 32, 1500, 50, 10.0
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
KEPT = Path("results/plain_networks")
BACKENDS = ("reference", "brian2:numpy", "snntorch", "compiled")


class Leaky(nn.Module):
    """tau dx/dt = -x + W phi(x) + W_in u + b (form x), or tau dh/dt = -h + phi(W h + ...)."""

    def __init__(self, units, activation, form, share=0.1):
        super().__init__()
        # A sigmoid is four times as flat as the others.
        gain = 4.0 if activation == "sigmoid" else 1.0
        self.w_rec = nn.Parameter(gain * torch.randn(units, units) / units**0.5)
        self.w_in = nn.Parameter(torch.randn(units, 1))
        self.bias = nn.Parameter(torch.zeros(units))
        self.out = nn.Linear(units, 1)
        self.phi, self.form, self.share = ACTIVATIONS[activation], form, share

    def forward(self, inputs):
        """Outputs (T, B, 1) of inputs (T, B, 1)."""
        state = inputs.new_zeros(inputs.shape[1], len(self.bias))
        outputs = []
        for u in inputs:
            drive = u @ self.w_in.T + self.bias
            if self.form == "x":
                aim = self.phi(state) @ self.w_rec.T + drive
            else:
                aim = self.phi(state @ self.w_rec.T + drive)
            state = (1 - self.share) * state + self.share * aim
            outputs.append(self.out(self.phi(state) if self.form == "x" else state))
        return torch.stack(outputs)


class Layered(nn.Module):
    """`nn.RNN` and a linear readout."""

    def __init__(self, units, activation):
        super().__init__()
        self.rnn = nn.RNN(1, units, nonlinearity=activation)
        # As is common where something has to be remembered.
        remember = nn.init.eye_ if activation == "relu" else nn.init.orthogonal_
        remember(self.rnn.weight_hh_l0)
        self.out = nn.Linear(units, 1)

    def forward(self, inputs):
        """As `Leaky`."""
        return self.out(self.rnn(inputs)[0])


def flip_flop(rng, trials):
    """Keep the sign of the last pulse."""
    inputs = rng.choice([-1.0, 1.0], (STEPS, trials, 1)) * (rng.random((STEPS, trials, 1)) < 0.08)
    inputs[0] = rng.choice([-1.0, 1.0], (trials, 1))
    targets = inputs.copy()
    for step in range(1, STEPS):
        targets[step] = np.where(inputs[step] == 0, targets[step - 1], inputs[step])
    return inputs, targets


def sine(rng, trials):
    """A sine from a pulse on, as high as the pulse."""
    start, height = rng.integers(5, 20, trials), rng.uniform(0.5, 1.0, trials)
    time = np.arange(STEPS)[:, None] - start
    inputs = np.where((time >= 0) & (time < 5), height, 0.0)
    return inputs[..., None], (np.where(time >= 0, height * np.sin(time / 5.0), 0.0))[..., None]


def delayed_match(rng, trials):
    """Whether two pulses were alike, said after a delay."""
    first, second = rng.choice([-1.0, 1.0], (2, trials))
    inputs, targets = np.zeros((2, STEPS, trials, 1))
    inputs[5:10, :, 0], inputs[25:30, :, 0] = first, second
    targets[38:, :, 0] = first * second
    return inputs, targets


def integration(rng, trials):
    """The running sum of the input."""
    inputs = rng.normal(0, 1, (STEPS, trials, 1)) * rng.uniform(0, 1, (1, trials, 1))
    return inputs, 0.1 * inputs.cumsum(axis=0)


TASKS = {"flip-flop": flip_flop, "sine": sine, "delayed match": delayed_match}
TASKS["integration"] = integration


NETWORKS = [
    ("x", "tanh", "flip-flop", 20),
    ("x", "sigmoid", "flip-flop", 40),
    ("h", "tanh", "flip-flop", 60),
    ("h", "sigmoid", "flip-flop", 80),
    ("nn.RNN", "relu", "flip-flop", 100),
    ("x", "relu", "sine", 20),
    ("x", "sigmoid", "sine", 40),
    ("h", "relu", "sine", 60),
    ("h", "sigmoid", "sine", 80),
    ("nn.RNN", "tanh", "sine", 100),
    ("x", "relu", "delayed match", 20),
    ("x", "tanh", "delayed match", 40),
    ("h", "relu", "delayed match", 60),
    ("h", "tanh", "delayed match", 80),
    ("nn.RNN", "relu", "delayed match", 100),
    ("nn.RNN", "tanh", "delayed match", 20),
    ("x", "relu", "integration", 40),
    ("x", "tanh", "integration", 60),
    ("x", "sigmoid", "integration", 80),
    ("h", "sigmoid", "integration", 100),
]
"""Kind of module, activation, task and units of each."""


def trained(kind, activation, task, units, seed):
    """A module after its training."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    module = Layered(units, activation) if kind == "nn.RNN" else Leaky(units, activation, kind)
    optimizer = torch.optim.Adam(module.parameters(), lr=5e-3)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, UPDATES)
    for _ in range(UPDATES):
        inputs, targets = (
            torch.tensor(part, dtype=torch.float32) for part in TASKS[task](rng, BATCH)
        )
        loss = (module(inputs) - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        slower.step()
    return module


def kept(number, kind, activation, task, units):
    """The rate network of a module, trained unless an earlier run has done so."""
    path = KEPT / f"{number}.h5"
    if path.exists():
        return bridge.load(path)
    module = trained(kind, activation, task, units, seed=number)
    rate = brought_in(module, kind, activation)
    KEPT.mkdir(parents=True, exist_ok=True)
    bridge.save(rate, path)
    return rate


def brought_in(module, kind, activation):
    """The rate network of a module; the step of `nn.RNN` is said to be 100 ms."""
    if kind == "nn.RNN":
        return bridge.from_torch(module, dt_ms=100)
    return bridge.from_torch(
        module,
        dt_ms=10,
        tau_ms=100,
        recurrent="w_rec",
        w_in="w_in",
        bias="bias",
        readout="out",
        activation=activation,
        form=kind,
    )


def differing(network, drive):
    """Spikes of two trials that are not in all backends."""
    part = drive.trials(0, 2)
    runs = [bridge.simulate(network, part, backend=name).spikes.codes() for name in BACKENDS]
    if not runs[0].size:
        raise SystemExit("no spikes, so nothing to compare")
    return sum(np.setxor1d(runs[0], other).size for other in runs[1:])


def shown(task, seed, number):
    """Trials and their targets."""
    inputs, targets = TASKS[task](np.random.default_rng(seed), FRESH)
    return bridge.Drive(inputs=inputs, noise=bridge.SharedNoise(seed=number)), targets


def squared_error(outputs, targets, lag):
    """Mean over trials and samples of a rate network that is late by some."""
    return np.square(outputs[lag:] - targets[: len(targets) - lag]).mean()


def measured(number, kind, activation, task, units):
    """The row of a network."""
    rate = kept(number, kind, activation, task, units)
    gain_hz = SPIKES / (float(np.median(rate.tau_ms)) / 1000)
    drive, _ = shown(task, 1000 + number, number)
    found = bridge.convert(rate, drive=drive, neuron="if", gain_hz=[gain_hz])
    fresh, targets = shown(task, 2000 + number, number)
    recording = bridge.simulate(found.network, fresh, backend="compiled")
    wanted, _ = rate.run(fresh.inputs, None)
    search = found.search
    return {
        "network": number,
        "kind": kind,
        "form": rate.form,
        "activation": activation,
        "task": task,
        "units": units,
        "loss": f"{squared_error(wanted, targets, rate.lag_samples):.2g}",
        "gain_hz": gain_hz,
        "readout_lag_ms": float(search.readout_lag_ms[search.best]),
        "output_error": f"{output_error(recording.readouts['output'], wanted):.3g}",
        "rate_hz": f"{search.rates_hz[search.best]:.1f}",
        "differing": differing(found.network, drive),
    }


def main():
    """Measure what is not in the file yet, and sum up."""
    torch.set_num_threads(1)
    path = Path(__file__).with_name("plain_networks.csv")
    rows = list(csv.DictReader(path.open())) if path.exists() else []
    for number, network in enumerate(NETWORKS):
        if any(row["network"] == str(number) for row in rows):
            continue
        rows.append({name: str(value) for name, value in measured(number, *network).items()})
        print(*rows[-1].values(), flush=True)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    for form in "xh":
        errors = sorted(float(row["output_error"]) for row in rows if row["form"] == form)
        low, middle, high = quantiles(errors, method="inclusive")
        print(
            f"form {form}: {len(errors)} networks, median output error {middle:.3g}, quartiles "
            f"{low:.3g} and {high:.3g}, largest {errors[-1]:.3g}"
        )
    print(f"differing spikes: {sum(int(row['differing']) for row in rows)}")


if __name__ == "__main__":
    main()
