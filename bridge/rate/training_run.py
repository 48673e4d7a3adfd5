"""A training in progress: how it starts, goes on from a checkpoint, and ends."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from bridge.backends.cuda_graphs import InGraph, in_graphs
from bridge.errors import SpecError, TrainingError
from bridge.rate.adam import Adam
from bridge.rate.learning import Checkpoint, History
from bridge.rate.module import PARAMETERS, RateModule, Units
from bridge.rate.network import RateNetwork
from bridge.rate.noise import INITIAL_SD, NOISE_SD, NoiseAhead
from bridge.rate.recurrence import AtOnce, Workspace
from bridge.rate.start import Values, names_of
from bridge.rate.training_options import Options
from bridge.tasks import Task
from bridge.versions import version

Histories = dict[int, list[tuple[int, float, float]]]


@dataclass
class Run:
    """A training in progress, of K networks at once.

    Attributes:
        task: What they learn.
        options: Those of all of them; `seeds` stand in for its seed.
        seeds: Of the networks in training, in their order in the module.
        device: Where they are trained.
        module: The networks.
        adam: Their optimizer.
        space: Memory of an update.
        noise: That of the updates.
        evaluation: Memory of an evaluation, and of its noise, (K, T, B, N).
        updates: Made so far.
        histories: Update, loss and accuracy of each evaluation, by seed.
        finished: Networks that have left the training, by seed.
        failed: Why those failed that left the training without result, by seed.
        in_graph: The update in a CUDA graph, where it is put into one.
        each: Whether a network that fails leaves the others; otherwise it ends the training.
        began: Time of the start, s.
        before_s: How long they were trained before that.
        together: How many they were at their very start.
    """

    task: Task
    options: Options
    seeds: list[int]
    device: torch.device
    module: RateModule
    adam: Adam
    space: Workspace
    noise: NoiseAhead
    evaluation: tuple[Workspace, Tensor]
    updates: int = 0
    histories: Histories = field(default_factory=dict)
    finished: dict[int, RateNetwork] = field(default_factory=dict)
    failed: dict[int, TrainingError] = field(default_factory=dict)
    in_graph: InGraph | None = None
    each: bool = False
    began: float = field(default_factory=time.monotonic)
    before_s: float = 0.0
    together: int = 1

    @property
    def seconds(self) -> float:
        """How long its networks were trained, those that ended before the others less long."""
        return self.before_s + time.monotonic() - self.began

    def finish(self, rows: Sequence[int], stopped: str) -> None:
        """Take networks out of the training, and say why."""
        for row in rows:
            self.finished[self.seeds[row]] = _network(self, row, stopped)
        self._leave(rows)

    def fail(self, rows: Sequence[int], errors: Sequence[TrainingError]) -> None:
        """Take networks out of the training that failed, or raise the first of the errors."""
        if errors and not self.each:
            raise errors[0]
        for row, error in zip(rows, errors, strict=True):
            self.failed[self.seeds[row]] = error
        self._leave(rows)

    def _leave(self, rows: Sequence[int]) -> None:
        if not rows:
            return
        self.in_graph = None
        rest = [row for row in range(len(self.seeds)) if row not in rows]
        self.seeds = [self.seeds[row] for row in rest]
        self.module.select(rest)
        for state in self.adam.state.values():
            for moment in ("exp_avg", "exp_avg_sq"):
                state[moment] = state[moment][rest]


def start(
    task: Task,
    options: Options,
    first: Mapping[int, Values],
    device: torch.device,
    helper: Executor,
) -> Run:
    """A training before its first update, of what its networks are at first, by seed."""
    seeds = list(first)
    module = _module(task, options, list(first.values())).to(device)
    trained = [value for value in module.parameters() if value.requires_grad]
    shape = (len(seeds), task.steps, options.batch, options.units)
    checked = (len(seeds), task.steps, options.evaluation_trials, options.units)
    histories: Histories = {seed: [] for seed in seeds}
    # A graph sees what its own thread does.
    beside = AtOnce() if in_graphs(device) else helper

    def noise_sd(seed: int, update: int) -> float:
        """That of training once the network could do the task in an evaluation before."""
        able = (
            done < update and accuracy > options.target_accuracy
            for done, _, accuracy in histories[seed]
        )
        return options.training_noise_sd if any(able) else NOISE_SD

    return Run(
        task=task,
        options=options,
        seeds=seeds,
        together=len(seeds),
        device=device,
        module=module,
        adam=Adam(trained, cast(float, options.learning_rate), capturable=in_graphs(device)),
        space=Workspace(shape, device, beside),
        noise=NoiseAhead(shape, device, noise_sd, helper),
        evaluation=(Workspace(checked, device, beside), torch.empty(checked, device=device)),
        histories=histories,
    )


def _module(task: Task, options: Options, drawn: Sequence[Values]) -> RateModule:
    """The networks before training."""
    first = {name: np.stack([each[name] for each in drawn]) for name in drawn[0]}
    excitatory, som = first["excitatory"], first["som"]
    types = [names_of(*kinds) for kinds in zip(excitatory, som, strict=True)]
    return RateModule(
        {name: first[name] for name in PARAMETERS if name in first},
        w_in=first["w_in"],
        units=Units(
            excitatory=excitatory if options.dale else None,
            allowed=first["allowed"] if options.som else None,
            cell_types=types if options.som else None,
        ),
        tau_range_ms=options.tau_ms,
        dt_ms=task.step_ms,
        activation=options.activation,
        form=options.form,
    )


@torch.no_grad()
def restore(run: Run, begun: Sequence[RateNetwork]) -> None:
    """Put the networks of a training, in their order, where checkpoints of one update were made."""
    found = [checkpoint_of(network) for network in begun]
    kept = [checkpoint for checkpoint, _ in found]
    run.updates = kept[0].updates
    for name, parameter in run.module.named_parameters():
        stored = ([getattr(each, part)[name] for each in kept] for part in _PARTS)
        value, moment1, moment2 = (torch.tensor(np.stack(part)).to(parameter) for part in stored)
        parameter.copy_(value)
        if parameter.requires_grad:
            run.adam.state[parameter] = {
                "step": torch.tensor(float(run.updates), device=run.adam.place_of_steps(parameter)),
                "exp_avg": moment1,
                "exp_avg_sq": moment2,
            }
    for seed, (_, history) in zip(run.seeds, found, strict=True):
        columns = (history.update.tolist(), history.loss.tolist(), history.accuracy.tolist())
        # In place: the noise looks here.
        run.histories[seed][:] = zip(*columns, strict=True)


# Of a checkpoint, by parameter.
_PARTS = ("parameters", "moment1", "moment2")


def checkpoint_of(network: RateNetwork) -> tuple[Checkpoint, History]:
    """Where to go on training an unfinished network.

    Raises:
        SpecError: it is finished or was made elsewhere.
    """
    if network.checkpoint is None or network.history is None:
        raise SpecError("this network is finished or was made elsewhere: there is no checkpoint")
    return network.checkpoint, network.history


def _checkpoint(run: Run, row: int) -> Checkpoint:
    parts: dict[str, dict[str, Any]] = {part: {} for part in _PARTS}
    for name, parameter in run.module.named_parameters():
        state = run.adam.state.get(parameter, {})
        zeros = torch.zeros_like(parameter)
        parts["parameters"][name] = parameter.detach()[row].cpu().numpy()
        parts["moment1"][name] = state.get("exp_avg", zeros)[row].cpu().numpy()
        parts["moment2"][name] = state.get("exp_avg_sq", zeros)[row].cpu().numpy()
    return Checkpoint(updates=run.updates, **parts)


def _network(run: Run, row: int, stopped: str) -> RateNetwork:
    seed = run.seeds[row]
    history = run.histories[seed]
    update, loss, accuracy = zip(*history, strict=True) if history else ((), (), ())
    return run.module.network(
        row,
        noise_sd=NOISE_SD,
        initial_sd=INITIAL_SD,
        task=run.task.name,
        history=History(
            update=np.asarray(update), loss=np.asarray(loss), accuracy=np.asarray(accuracy)
        ),
        checkpoint=None if stopped == "target" else _checkpoint(run, row),
        provenance={
            "made_by": f"spikebridge {version('spikebridge')}",
            "method": "trained in PyTorch",
            "package": f"torch {version('torch')}",
            "device": str(run.device),
            "options": replace(run.options, seed=seed).plain(),
            "updates": run.updates,
            "stopped": stopped,
            "seconds": round(run.seconds, 1),
            "trained_together": run.together,
        },
    )
