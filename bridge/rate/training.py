"""Training of rate networks in PyTorch (Kim et al. 2019), in batches of trials, seeded."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.snntorch import torch_device
from bridge.errors import SpecError
from bridge.rate.module import PARAMETERS, RateModule, Workspace
from bridge.rate.network import Checkpoint, History, RateNetwork
from bridge.spiking.arrays import counted
from bridge.spiking.drive import derived_seed
from bridge.tasks import Task, Trials
from bridge.tasks import task as find_task

_START, _TRIALS, _NOISE, _EVALUATION = range(4)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a rate network is made and trained.

    The defaults are chosen to convert well: batches, and training on until the mean loss is low.
    The original's own scheme is batch 1, target_loss 7, min_updates 1500, max_updates 6000,
    check_every 100.

    Attributes:
        units: N.
        tau_ms: Lowest and highest time constant, ms; equal: fixed, else trained per unit.
        seed: Decides everything random.
        batch: Trials per update.
        dale: Whether units keep one sign.
        inhibitory: Probability of a unit to be inhibitory.
        gain: g: the recurrent weights start with s.d. g / sqrt(N p).
        sparsity: p: probability of a recurrent weight to be nonzero at the start.
        loss: "l2": mean over trials of sqrt(sum (o - z)^2); "l1": of sum |o - z|.
        learning_rate: Adam's.
        clip_norm: Largest norm of the gradient.
        target_loss: Training ends once the mean loss of the evaluation trials is below it, and
        target_accuracy: their accuracy above this.
        evaluation_trials: Trials of one evaluation.
        check_every: Updates between two evaluations.
        min_updates: Training does not end before.
        max_updates: Training gives up.
    """

    units: int = 200
    tau_ms: tuple[float, float] = (20.0, 100.0)
    seed: int = 0
    batch: int = 32
    dale: bool = True
    inhibitory: float = 0.2
    gain: float = 0.8
    sparsity: float = 0.2
    loss: Literal["l2", "l1"] = "l2"
    learning_rate: float = 0.01
    clip_norm: float = 1.0
    target_loss: float = 0.9
    target_accuracy: float = 0.95
    evaluation_trials: int = 100
    check_every: int = 25
    min_updates: int = 0
    max_updates: int = 2000

    def __post_init__(self) -> None:
        for name in ("units", "batch", "evaluation_trials", "check_every", "max_updates"):
            counted(name, getattr(self, name), least=1)
        counted("seed", self.seed)
        counted("min_updates", self.min_updates)
        low, high = self.tau_ms
        if not 5.0 <= low <= high < math.inf:
            raise SpecError(f"tau_ms: expected 5 <= lowest <= highest, got {low} and {high}")
        if self.loss not in ("l2", "l1"):
            raise SpecError(f"loss: 'l2' or 'l1', got {self.loss!r}")
        for name in ("gain", "learning_rate", "clip_norm", "target_loss"):
            if not 0 < getattr(self, name) < math.inf:
                raise SpecError(f"{name}: must be positive, got {getattr(self, name)}")
        for name in ("inhibitory", "sparsity", "target_accuracy"):
            if not 0 <= getattr(self, name) <= 1:
                raise SpecError(f"{name}: must lie between 0 and 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class Progress:
    """Where training is after an evaluation."""

    update: int
    max_updates: int
    loss: float
    accuracy: float


@dataclass
class _Run:
    """A training in progress."""

    task: Task
    options: Options
    module: RateModule
    adam: torch.optim.Adam
    spaces: dict[int, Workspace] = field(default_factory=dict)
    updates: int = 0
    history: list[tuple[int, float, float]] = field(default_factory=list)
    stopped: str = "running"


def train(
    task: str | Task,
    *,
    resume: RateNetwork | None = None,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> RateNetwork:
    """Train a rate network on a task; a KeyboardInterrupt ends it early with what there is.

    Args:
        task: Name of a built-in task, or an object with the methods of `bridge.tasks.Task`.
        resume: Go on with this unfinished network, as if it had never stopped; `options` may then
            only change `max_updates`, `target_loss` and `target_accuracy`.
        device: "cpu" or "cuda".
        on_progress: Called after each evaluation.
        **options: Fields of `bridge.rate.training.Options`: units, tau_ms, seed, batch, ...

    Returns:
        The network with its history. `provenance["stopped"]` says why training ended: "target",
        "max_updates" or "interrupted"; in the last two cases it holds a checkpoint to resume.

    Raises:
        SpecError: an option or the task makes no sense.
        BackendError: the device is not there.
    """
    place = torch_device(device)
    chosen_task = find_task(task) if isinstance(task, str) else task
    with _threads(1):
        run = _start(chosen_task, _options(resume, options), resume, place)
        before = time.monotonic()
        try:
            _loop(run, place, on_progress)
        except KeyboardInterrupt:
            run.stopped = "interrupted"
        return _finish(run, device, time.monotonic() - before)


def _options(resume: RateNetwork | None, given: dict[str, Any]) -> Options:
    known = {entry.name for entry in fields(Options)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SpecError(f"unknown training option {unknown[0]!r}; known are {', '.join(known)}")
    if resume is None:
        return Options(**given)
    if resume.checkpoint is None:
        raise SpecError("this network is finished or was made elsewhere: there is no checkpoint")
    fixed = sorted(set(given) - {"max_updates", "target_loss", "target_accuracy"})
    if fixed:
        raise SpecError(f"{fixed[0]} cannot be changed when training is resumed")
    stored = dict(resume.provenance["options"])
    stored["tau_ms"] = tuple(stored["tau_ms"])
    return replace(Options(**stored), **given)


def _start(task: Task, options: Options, resume: RateNetwork | None, device: torch.device) -> _Run:
    rng = np.random.default_rng((options.seed, _START))
    start = _initial_parameters(task, options, rng)
    parameters: Mapping[str, NDArray[np.floating]] = start
    if resume is not None and resume.checkpoint is not None:
        parameters = resume.checkpoint.parameters
    module = RateModule(
        {name: parameters[name] for name in PARAMETERS},
        w_in=start["w_in"],
        excitatory=start["excitatory"] > 0 if options.dale else None,
        tau_range_ms=options.tau_ms,
        dt_ms=task.step_ms,
    ).to(device)
    trained = [value for value in module.parameters() if value.requires_grad]
    run = _Run(task, options, module, torch.optim.Adam(trained, lr=options.learning_rate))
    if resume is not None:
        _restore(run, resume)
    return run


def _initial_parameters(
    task: Task, options: Options, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Raw parameters at the start, in the original's distributions."""
    size = options.units
    excitatory = rng.random(size) >= options.inhibitory
    w = rng.standard_normal((size, size)) * options.gain / math.sqrt(size * options.sparsity)
    w *= rng.random((size, size)) < options.sparsity
    return {
        "w": np.abs(w) if options.dale else w,
        "gate": rng.standard_normal(size),
        "w_in": rng.standard_normal((size, task.input_size)),
        "w_out": rng.standard_normal((task.output_size, size)) / 100.0,
        "b_out": np.zeros(task.output_size),
        "excitatory": excitatory.astype(np.float64),
    }


def _loop(run: _Run, device: torch.device, on_progress: Callable[[Progress], None] | None) -> None:
    options = run.options
    while run.updates < options.max_updates:
        _update(run, device)
        if run.updates % options.check_every and run.updates < options.max_updates:
            continue
        loss, accuracy = _evaluate(run, device)
        run.history.append((run.updates, loss, accuracy))
        if on_progress is not None:
            on_progress(Progress(run.updates, options.max_updates, loss, accuracy))
        done = loss < options.target_loss and accuracy > options.target_accuracy
        if done and run.updates >= options.min_updates:
            run.stopped = "target"
            return
    run.stopped = "max_updates"


def _update(run: _Run, device: torch.device) -> None:
    """One step of Adam on a fresh batch; which batch depends on its number alone."""
    options = run.options
    trials = run.task.trials(
        options.batch, np.random.default_rng((options.seed, _TRIALS, run.updates))
    )
    outputs = run.module(*_inputs_and_noise(run, trials, device, (_NOISE, run.updates)))
    loss = _losses(run, outputs, trials, device).mean()
    run.adam.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(run.module.parameters(), options.clip_norm)
    _step_whole(run)


def _step_whole(run: _Run) -> None:
    """Adam's step and its count belong together: an interrupt must not fall between them."""
    try:
        run.adam.step()
    finally:
        run.updates += 1


@torch.no_grad()
def _evaluate(run: _Run, device: torch.device) -> tuple[float, float]:
    """Mean loss and accuracy on fresh trials."""
    options = run.options
    rng = np.random.default_rng((options.seed, _EVALUATION, run.updates))
    trials = run.task.trials(options.evaluation_trials, rng)
    stream = (_EVALUATION, run.updates)
    outputs = run.module(*_inputs_and_noise(run, trials, device, stream))
    loss = _losses(run, outputs, trials, device).mean().item()
    if not math.isfinite(loss):
        raise SpecError(f"training diverged after {run.updates} updates; lower the learning_rate")
    correct = run.task.rate_correct(outputs.double().cpu().numpy(), trials)
    return loss, float(correct.mean())


def _inputs_and_noise(
    run: _Run, trials: Trials, device: torch.device, stream: tuple[int, int]
) -> tuple[Tensor, Workspace]:
    """(T, B, C) inputs, and noise in a workspace, first the initial state."""
    inputs = torch.tensor(trials.inputs, dtype=torch.float32, device=device)
    generator = torch.Generator(device).manual_seed(derived_seed(run.options.seed, *stream))
    steps, batch, _ = trials.inputs.shape
    if batch not in run.spaces:
        run.spaces[batch] = Workspace(steps, batch, run.options.units, device)
    space = run.spaces[batch]
    space.x.normal_(0.0, NOISE_SD, generator=generator)
    space.x[0] *= INITIAL_SD / NOISE_SD
    return inputs, space


NOISE_SD, INITIAL_SD = 0.1, 0.01


def _losses(run: _Run, outputs: Tensor, trials: Trials, device: torch.device) -> Tensor:
    """(B,) loss of each trial."""
    errors = outputs - torch.tensor(trials.targets, dtype=torch.float32, device=device)
    if run.options.loss == "l1":
        return errors.abs().sum(dim=(0, 2))
    return errors.square().sum(dim=(0, 2)).sqrt()


def _restore(run: _Run, resume: RateNetwork) -> None:
    if resume.checkpoint is None or resume.history is None:
        raise SpecError("this network holds no checkpoint to resume from")
    kept, history = resume.checkpoint, resume.history
    run.updates = kept.updates
    for name, parameter in run.module.named_parameters():
        if parameter.requires_grad:
            run.adam.state[parameter] = {
                "step": torch.tensor(float(kept.updates)),
                "exp_avg": torch.tensor(kept.moment1[name]).to(parameter),
                "exp_avg_sq": torch.tensor(kept.moment2[name]).to(parameter),
            }
    columns = (history.update.tolist(), history.loss.tolist(), history.accuracy.tolist())
    run.history = list(zip(*columns, strict=True))


def _checkpoint(run: _Run) -> Checkpoint:
    parts: dict[str, dict[str, Any]] = {"parameters": {}, "moment1": {}, "moment2": {}}
    for name, parameter in run.module.named_parameters():
        state = run.adam.state.get(parameter, {})
        zeros = torch.zeros_like(parameter)
        parts["parameters"][name] = parameter.detach().cpu().numpy()
        parts["moment1"][name] = state.get("exp_avg", zeros).cpu().numpy()
        parts["moment2"][name] = state.get("exp_avg_sq", zeros).cpu().numpy()
    return Checkpoint(updates=run.updates, **parts)


def _finish(run: _Run, device: str, seconds: float) -> RateNetwork:
    update, loss, accuracy = zip(*run.history, strict=True) if run.history else ((), (), ())
    return run.module.network(
        noise_sd=NOISE_SD,
        initial_sd=INITIAL_SD,
        task=run.task.name,
        history=History(
            update=np.asarray(update), loss=np.asarray(loss), accuracy=np.asarray(accuracy)
        ),
        checkpoint=None if run.stopped == "target" else _checkpoint(run),
        provenance={
            "made_by": f"spikebridge {version('spikebridge')}",
            "method": "trained in PyTorch",
            "package": f"torch {version('torch')}",
            "device": device,
            "options": asdict(run.options),
            "updates": run.updates,
            "stopped": run.stopped,
            "seconds": round(seconds, 1),
        },
    )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Two threads wait for each other on matrices this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
