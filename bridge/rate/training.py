"""Training of rate networks in PyTorch (Kim et al. 2019), in batches of trials, seeded."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from bridge.arguments import callback, flag, in_words, of_kind
from bridge.backends.devices import room_on
from bridge.backends.torch_settings import own_settings
from bridge.errors import SpecError, TrainingError
from bridge.progress import telling
from bridge.rate.interrupts import interrupts_held
from bridge.rate.network import RateNetwork
from bridge.rate.noise import EVALUATION, NOISE_SD, draw
from bridge.rate.plan import Plan, check_given, check_training, options_of, plan_of
from bridge.rate.start import first_values
from bridge.rate.training_run import Run, checkpoint_of, restore, start
from bridge.rate.update import drawn, losses_of, tensor_of, update
from bridge.spiking.arrays import counted
from bridge.spiking.drive import derived_seed
from bridge.tasks import Task, rate_correct


@dataclass(frozen=True)
class Progress:
    """Where the training of a network is after an evaluation."""

    update: int
    max_updates: int
    loss: float
    accuracy: float
    seed: int

    def told(self) -> str:
        """How good the network is, in words."""
        return f"loss {self.loss:.3f}, accuracy {self.accuracy:.0%}"


def train(
    task: str | Task,
    *,
    resume: RateNetwork | None = None,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> RateNetwork:
    """Train a rate network on a task; a KeyboardInterrupt ends it early with what there is.

    Args:
        task: Name of a task, or an object with the methods of `bridge.tasks.Task`.
        resume: Go on with this unfinished network, as if it had never stopped; `options` may then
            only change `max_updates`, `target_loss` and `target_accuracy`. Of a conversion its rate
            network goes on.
        device: "cpu" or "cuda".
        on_progress: Called after each evaluation.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Fields of `bridge.rate.training_options.Options`: units, tau_ms, seed, batch, ...

    Returns:
        The network with its history. `provenance["stopped"]` says why training ended: "target",
        "max_updates" or "interrupted"; in the last two cases it holds a checkpoint to resume.

    Raises:
        SpecError: an option or the task makes no sense.
        TrainingError: training diverged, or this seed gives too few units of a type.
        BackendError: the device is not there.
    """
    resume = None if resume is None else of_kind("resume", resume, RateNetwork)
    plan = check_training(task, resume=resume, device=device, **options)
    with _told(on_progress, progress) as report:
        return train_as_planned(plan, resume=resume, on_progress=report)


@contextmanager
def _told(
    on_progress: Callable[[Progress], None] | None, progress: object
) -> Iterator[Callable[[Progress], None] | None]:
    """What is called after each evaluation: the caller's function, else what shows it, or None."""
    given = callback("on_progress", on_progress)
    with telling("training", wanted=flag("progress", progress) and given is None) as teller:
        shown = None if teller is None else lambda p: teller(p.update / p.max_updates, p.told())
        yield shown if given is None else given


def train_as_planned(
    plan: Plan,
    *,
    resume: RateNetwork | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> RateNetwork:
    """As `train`, of arguments that are held against each other already."""
    seed = plan.options.seed
    with _run(plan, [seed]) as run:
        if resume is not None:
            restore(run, *checkpoint_of(resume))
        _loop(run, on_progress)
    return run.finished[seed]


def train_many(
    task: str | Task,
    seeds: Sequence[int],
    *,
    device: str = "cpu",
    on_progress: Callable[[Progress], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> list[RateNetwork]:
    """Train networks at once that differ in nothing but their seed.

    Each is what `train` gives for its seed: trials, noise, gradients, optimizer and end are its
    own. On a CPU it is so to the last bit, if `batch` and `evaluation_trials` are at least 4. One
    that reached its target leaves the others. A KeyboardInterrupt ends all that are still in
    training, each with a checkpoint for `train`.

    Args:
        task: As for `train`.
        seeds: One for each network, no two alike.
        device: "cpu" or "cuda".
        on_progress: Called after each evaluation for each network in training.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: As for `train`, except for the seed.

    Returns:
        The networks in the order of their seeds; `provenance["seconds"]` is the time until each
        ended, in addition to the others.

    Raises:
        SpecError: an option, the seeds or the task make no sense.
        TrainingError: training diverged, or a seed gives too few units of a type.
        BackendError: the device is not there.
    """
    seeds = _whole_numbers(seeds)
    if "seed" in options or not seeds or len(set(seeds)) < len(seeds):
        raise SpecError(f"seeds: expected one for each network, no two alike, got {list(seeds)}")
    chosen = [options_of({**options, "seed": seed}) for seed in seeds]
    check_given(options, chosen[0])
    plan = plan_of(task, chosen[0], device)
    with _told(on_progress, progress) as report, _run(plan, seeds) as run:
        _loop(run, report)
    return [run.finished[seed] for seed in seeds]


def train_each(
    task: str | Task, seeds: Sequence[int], *, device: str = "cpu", **options: Any
) -> list[RateNetwork | TrainingError]:
    """As `train_many`, where a network whose training fails leaves the others.

    Returns:
        In the order of the seeds the networks, or why their training failed.
    """
    chosen = {seed: options_of({**options, "seed": seed}) for seed in seeds}
    check_given(options, chosen[seeds[0]])
    plan = plan_of(task, chosen[seeds[0]], device)
    found: dict[int, RateNetwork | TrainingError] = {}
    for seed in seeds:
        try:
            first_values(plan.task, plan.options, seed)
        except TrainingError as error:
            found[seed] = error
    if able := [seed for seed in seeds if seed not in found]:
        with _run(plan, able) as run:
            run.each = True
            _loop(run, None)
        found |= run.finished
        found |= run.failed
    return [found[seed] for seed in seeds]


def _whole_numbers(seeds: object) -> list[int]:
    """Seeds from a list, a range or an array of them; SpecError for anything else."""
    if isinstance(seeds, str | bytes | Mapping) or not isinstance(seeds, Iterable):
        raise SpecError(f"seeds: expected one for each network, got {in_words(seeds)}")
    return [counted("seeds", seed) for seed in seeds]


# What commands call what takes less room.
_SMALLER = ("batch", "evaluation_trials")


@contextmanager
def _run(plan: Plan, seeds: Sequence[int]) -> Iterator[Run]:
    """A training that is about to start, with the threads and settings it needs."""
    few = "train fewer networks together, or " if len(seeds) > 1 else ""
    otherwise = f"{few}use smaller batches or fewer evaluation trials"
    room = room_on(plan.device, otherwise, ("together", *_SMALLER) if few else _SMALLER)
    with own_settings(gradients=True), _helper() as helper, room:
        yield start(plan.task, plan.options, seeds, plan.device, helper)


def _loop(run: Run, on_progress: Callable[[Progress], None] | None) -> None:
    """Train until each network has ended."""
    stopped = "max_updates"
    try:
        with interrupts_held() as interrupted:
            while run.seeds and run.updates < run.options.max_updates:
                update(run)
                _stop_if(interrupted)
                if run.updates % run.options.check_every and run.updates < run.options.max_updates:
                    continue
                _check(run, on_progress)
    except KeyboardInterrupt:
        stopped = "interrupted"
    run.finish(range(len(run.seeds)), stopped)


def _stop_if(interrupted: threading.Event) -> None:
    if interrupted.is_set():
        raise KeyboardInterrupt


def _check(run: Run, on_progress: Callable[[Progress], None] | None) -> None:
    """Evaluate all networks; those that are good enough are finished."""
    options, results = run.options, _evaluate(run)
    for seed, result in zip(run.seeds, results, strict=True):
        run.histories[seed].append((run.updates, *result))
    for seed, result in zip(run.seeds, results, strict=True):
        if on_progress is not None:
            on_progress(Progress(run.updates, options.max_updates, *result, seed))
    if run.updates >= options.min_updates:
        good = [
            row
            for row, (loss, accuracy) in enumerate(results)
            if loss < (options.target_loss or 0.0) and accuracy > options.target_accuracy
        ]
        run.finish(good, "target")


@torch.no_grad()
def _evaluate(run: Run) -> list[tuple[float, float]]:
    """Mean loss and accuracy of each network on fresh trials; those that diverged leave."""
    space, memory = run.evaluation
    noise = memory[: len(run.seeds)]
    trials = drawn(run, run.options.evaluation_trials, EVALUATION)
    seeds = [derived_seed(seed, EVALUATION, run.updates) for seed in run.seeds]
    draw(noise, seeds, [NOISE_SD] * len(seeds))
    outputs = run.module(tensor_of(run, trials, "inputs"), noise, space)
    losses = losses_of(run.options, outputs, tensor_of(run, trials, "targets")).tolist()
    answers = outputs.double().cpu().numpy()
    good = [row for row, loss in enumerate(losses) if math.isfinite(loss)]
    bad = [row for row, loss in enumerate(losses) if not math.isfinite(loss)]
    run.fail(bad, [_diverged(run.seeds[row], run.updates) for row in bad])
    correct = [float(rate_correct(run.task, answers[row], trials[row]).mean()) for row in good]
    return [(losses[row], share) for row, share in zip(good, correct, strict=True)]


def _diverged(seed: int, updates: int) -> TrainingError:
    return TrainingError(
        f"training of seed {seed} diverged after {updates} updates; lower the learning_rate"
    )


@contextmanager
def _helper() -> Iterator[Executor]:
    """A second thread, for noise and weight gradients."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as helper:
        yield helper
