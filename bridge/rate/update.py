"""One update of a training: its trials and noise, its losses, and a step of Adam."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from bridge.backends.cuda_graphs import InGraph, in_graphs
from bridge.rate.noise import TRIALS
from bridge.rate.training_options import Options
from bridge.rate.training_run import Run
from bridge.tasks import Trials
from bridge.tasks import draw as draw_trials


def update(run: Run) -> None:
    """One step of Adam on a fresh batch; which batch depends on its number alone."""
    trials = drawn(run, run.options.batch, TRIALS)
    noise = run.noise.take(run.updates, run.seeds)
    given = tensor_of(run, trials, "inputs"), tensor_of(run, trials, "targets"), noise
    if in_graphs(run.device):
        # Networks that leave take it along: it is of the tensors that were there.
        run.in_graph = run.in_graph or InGraph(partial(advance, run))
        run.in_graph(*given)
    else:
        advance(run, *given)
    run.updates += 1


def advance(run: Run, inputs: Tensor, targets: Tensor, noise: Tensor) -> None:
    """One step of Adam.

    Parameters and what Adam knows of them are changed in place, and nothing is looked at by Python:
    so a graph can repeat it.

    Args:
        run: The training.
        inputs: (K, T, B, C).
        targets: (K, T, B, O).
        noise: (K, T, B, N), which is overwritten.
    """
    losses = losses_of(run.options, run.module(inputs, noise, run.space), targets)
    run.adam.zero_grad()
    torch.autograd.backward(losses.sum())
    if run.options.clip_norm is not None:
        clip(run.module, run.options.clip_norm)
    run.adam.step()


def clip(module: torch.nn.Module, largest: float) -> None:
    """Shorten the gradient of each network to a norm of at most `largest`."""
    grads = [value.grad for value in module.parameters() if value.grad is not None]
    norms = torch.cat([grad.flatten(1) for grad in grads], dim=1).norm(dim=1)
    # As torch's own clipping has it.
    shrink = (largest / (norms + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(shrink.view(-1, *(1 for _ in grad.shape[1:])))


def drawn(run: Run, count: int, purpose: int) -> list[Trials]:
    """Fresh trials, those of each network."""
    generators = (np.random.default_rng((seed, purpose, run.updates)) for seed in run.seeds)
    return [draw_trials(run.task, count, rng) for rng in generators]


def losses_of(options: Options, outputs: Tensor, targets: Tensor) -> Tensor:
    """(K,) mean loss of the trials of each network."""
    errors = outputs - targets
    if options.loss == "l1":
        return errors.abs().sum(dim=(1, 3)).mean(1)
    return errors.square().sum(dim=(1, 3)).sqrt().mean(1)


def tensor_of(run: Run, trials: list[Trials], part: str) -> Tensor:
    """The inputs or targets of all networks, (K, T, B, C) or (K, T, B, O)."""
    stacked = np.stack([getattr(each, part) for each in trials])
    return torch.tensor(stacked, dtype=torch.float32, device=run.device)
