"""Training of rate networks in PyTorch (Kim et al. 2019), in batches of trials, seeded."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bridge.arguments import callback, flag, in_words, of_kind
from bridge.errors import SpecError
from bridge.progress import telling
from bridge.rate.network import RateNetwork
from bridge.rate.plan import Plan, check_given, check_training, options_of, plan_of
from bridge.rate.start import Values, first_values
from bridge.rate.training_loop import Progress, loop, ready
from bridge.rate.training_run import restore
from bridge.spiking.arrays import counted
from bridge.tasks import Task


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
    with ready(plan, _first(plan, [seed])) as run:
        if resume is not None:
            restore(run, [resume])
        loop(run, on_progress)
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
    with _told(on_progress, progress) as report, ready(plan, _first(plan, seeds)) as run:
        loop(run, report)
    return [run.finished[seed] for seed in seeds]


def _first(plan: Plan, seeds: Sequence[int]) -> dict[int, Values]:
    """What networks are before their training, by seed."""
    return {seed: first_values(plan.task, plan.options, seed) for seed in seeds}


def _whole_numbers(seeds: object) -> list[int]:
    """Seeds from a list, a range or an array of them; SpecError for anything else."""
    if isinstance(seeds, str | bytes | Mapping) or not isinstance(seeds, Iterable):
        raise SpecError(f"seeds: expected one for each network, got {in_words(seeds)}")
    return [counted("seeds", seed) for seed in seeds]
