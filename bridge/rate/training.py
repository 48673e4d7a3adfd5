"""Training of rate networks in PyTorch (Kim et al. 2019), in batches of trials, seeded."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bridge.backends.snntorch import torch_device
from bridge.errors import SpecError
from bridge.rate.module import PARAMETERS, RateModule, Workspace
from bridge.rate.network import Checkpoint, History, RateNetwork
from bridge.rate.options import Options
from bridge.spiking.drive import derived_seed
from bridge.tasks import Task, Trials
from bridge.tasks import task as find_task

_START, _TRIALS, _NOISE, _EVALUATION = range(4)


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
    noise: "_NoiseAhead"
    evaluation: Workspace
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
            with _interrupts_held() as interrupted:
                _loop(run, place, interrupted, on_progress)
        except KeyboardInterrupt:
            run.stopped = "interrupted"
        finally:
            run.noise.pool.shutdown()
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
    sizes = (options.batch, options.batch, options.evaluation_trials)
    one, other, evaluation = (
        Workspace(task.steps, trials, options.units, device) for trials in sizes
    )
    run = _Run(
        task=task,
        options=options,
        module=module,
        adam=torch.optim.Adam(trained, lr=options.learning_rate),
        noise=_NoiseAhead((one, other), options.seed),
        evaluation=evaluation,
    )
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


def _loop(
    run: _Run,
    device: torch.device,
    interrupted: threading.Event,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    options = run.options
    while run.updates < options.max_updates:
        _update(run, device)
        if interrupted.is_set():
            raise KeyboardInterrupt
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


@contextmanager
def _interrupts_held() -> Iterator[threading.Event]:
    """An interrupt sets the event, so that no update is left half done; a second one acts."""
    event = threading.Event()
    # Handlers belong to the main thread; elsewhere no KeyboardInterrupt comes.
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def hold(*_: object) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def _update(run: _Run, device: torch.device) -> None:
    """One step of Adam on a fresh batch; which batch depends on its number alone."""
    options = run.options
    trials = run.task.trials(
        options.batch, np.random.default_rng((options.seed, _TRIALS, run.updates))
    )
    inputs = torch.tensor(trials.inputs, dtype=torch.float32, device=device)
    outputs = run.module(inputs, run.noise.take(run.updates))
    loss = _losses(run, outputs, trials, device).mean()
    run.adam.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(run.module.parameters(), options.clip_norm)
    run.adam.step()
    run.updates += 1


@torch.no_grad()
def _evaluate(run: _Run, device: torch.device) -> tuple[float, float]:
    """Mean loss and accuracy on fresh trials."""
    options = run.options
    rng = np.random.default_rng((options.seed, _EVALUATION, run.updates))
    trials = run.task.trials(options.evaluation_trials, rng)
    inputs = torch.tensor(trials.inputs, dtype=torch.float32, device=device)
    _draw(run.evaluation, derived_seed(options.seed, _EVALUATION, run.updates))
    outputs = run.module(inputs, run.evaluation)
    loss = _losses(run, outputs, trials, device).mean().item()
    if not math.isfinite(loss):
        raise SpecError(f"training diverged after {run.updates} updates; lower the learning_rate")
    correct = run.task.rate_correct(outputs.double().cpu().numpy(), trials)
    return loss, float(correct.mean())


class _NoiseAhead:
    """The noise of the updates, each drawn while the update before it is computed.

    It takes a fifth of an update, on a thread of its own. The noise of an update is decided by
    the seed and its number alone, so a resumed training sees the same.
    """

    def __init__(self, spaces: tuple[Workspace, Workspace], seed: int) -> None:
        self.spaces, self.seed = spaces, seed
        self.pool = ThreadPoolExecutor(1)
        self.drawn: dict[int, Future[Workspace]] = {}

    def take(self, update: int) -> Workspace:
        """The workspace of an update, its noise in it."""
        if update not in self.drawn:
            self._begin(update)
        space = self.drawn.pop(update).result()
        self._begin(update + 1)
        return space

    def _begin(self, update: int) -> None:
        seed = derived_seed(self.seed, _NOISE, update)
        self.drawn[update] = self.pool.submit(_draw, self.spaces[update % 2], seed)


def _draw(space: Workspace, seed: int) -> Workspace:
    """Fill a workspace with noise, first the initial state."""
    generator = torch.Generator(space.x.device).manual_seed(seed)
    space.x.normal_(0.0, NOISE_SD, generator=generator)
    space.x[0] *= INITIAL_SD / NOISE_SD
    return space


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
