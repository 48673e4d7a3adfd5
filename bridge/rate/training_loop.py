"""A training from its first update to its end: updates, evaluations, and why it ends."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from bridge.backends.devices import room_on
from bridge.backends.torch_settings import own_settings
from bridge.errors import TrainingError
from bridge.rate.interrupts import interrupts_held
from bridge.rate.noise import EVALUATION, NOISE_SD, draw
from bridge.rate.plan import Plan
from bridge.rate.start import Values
from bridge.rate.training_run import Run, start
from bridge.rate.update import drawn, losses_of, tensor_of, update
from bridge.spiking.drive import derived_seed
from bridge.tasks import rate_correct


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


# What commands call what takes less room.
_SMALLER = ("batch", "evaluation_trials")


@contextmanager
def ready(plan: Plan, first: Mapping[int, Values]) -> Iterator[Run]:
    """A training that is about to start, with the threads and settings it needs."""
    few = "train fewer networks together, or " if len(first) > 1 else ""
    otherwise = f"{few}use smaller batches or fewer evaluation trials"
    room = room_on(plan.device, otherwise, ("together", *_SMALLER) if few else _SMALLER)
    with own_settings(gradients=True), _helper() as helper, room:
        yield start(plan.task, plan.options, first, plan.device, helper)


def loop(
    run: Run, on_progress: Callable[[Progress], None] | None, part_s: float = math.inf
) -> None:
    """Train until each network has ended; or so long at least, s, and until one has."""
    stopped = "max_updates"
    try:
        with interrupts_held() as interrupted:
            while run.seeds and run.updates < run.options.max_updates:
                update(run)
                _stop_if(interrupted)
                last = run.updates == run.options.max_updates
                if run.updates % run.options.check_every and not last:
                    continue
                _check(run, on_progress)
                if (run.finished or run.failed) and not last and _lasts(run, part_s):
                    stopped = INTERRUPTED
                    break
    except KeyboardInterrupt:
        stopped = INTERRUPTED
    run.finish(range(len(run.seeds)), stopped)


INTERRUPTED = "interrupted"


def _lasts(run: Run, part_s: float) -> bool:
    return time.monotonic() - run.began >= part_s


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
