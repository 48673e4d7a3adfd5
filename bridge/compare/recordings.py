"""Recordings that others made, compared: whatever ran them, and wherever they come from."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bridge.arguments import callback, flag, of_kind, texts
from bridge.compare.agreement import Agreement
from bridge.compare.statistics.comparison import Plan, compare_statistically
from bridge.compare.statistics.quantities import shared_readouts
from bridge.compare.statistics.settled import check_from_ms
from bridge.errors import SpecError
from bridge.progress import telling
from bridge.spiking.arrays import counted
from bridge.spiking.recording import Recording, Spikes


# Each argument is an option of the command.
def compare_recordings(  # noqa: PLR0913
    one: Recording,
    other: Recording,
    *,
    again: Recording | None = None,
    labels: tuple[str, str] = ("A", "B"),
    seed: int = 0,
    plan: Plan | None = None,
    from_ms: float | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    progress: bool = True,
) -> Agreement:
    """Compare two recordings statistically, trial by trial and neuron by neuron.

    Trial b of one is compared with trial b of the other. They should be of the same stimulus, or
    both of stimuli in random order. Surplus trials are left out.

    Args:
        one: A.
        other: B, of the same neurons and trials as long.
        again: A', another recording of what made A: the yardstick; None: it is estimated from how
            much trials differ.
        labels: Names of A and B.
        seed: Decides the draws of the test.
        plan: How sure it is to be; its `trials` may be fewer than there are.
        from_ms: Start of the part of a trial in which rates, intervals and correlations are
            described, ms; None: as in `bridge.compare` for recordings of ours, 0 for others.
        on_progress: Called with what is being done and the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.

    Raises:
        SpecError: they differ in neurons or in the length of trials, or have too few trials.
    """
    one, other = of_kind("one", one, Recording), of_kind("other", other, Recording)
    again = None if again is None else of_kind("again", again, Recording)
    plan = Plan() if plan is None else of_kind("plan", plan, Plan)
    labels = _two_names(labels)
    counted("seed", seed)
    callback("on_progress", on_progress)
    if from_ms is not None:
        check_from_ms(from_ms, 1000.0 * min(one.trial_s, other.trial_s))
    count = min(each.spikes.n_trials for each in (one, other, again) if each is not None)
    if plan.trials is not None and plan.trials > count:
        raise SpecError(f"trials: {plan.trials} are asked for, the recordings share {count}")
    if plan.trials is not None:
        count = plan.trials
    one, other, again = _side_by_side(one, other, again)
    sets = tuple(_first_trials(each, count) for each in (one, again, other) if each is not None)
    _check_neurons(labels[0], one, labels[1], other)
    if again is not None:
        _check_neurons(labels[0], one, "the yardstick", again)
        missed = set(shared_readouts([one, other])) - set(shared_readouts([one, other, again]))
        if missed:
            # It would take away what A and B can be compared by.
            raise SpecError(
                f"the yardstick lacks readout {min(missed)!r}, which {labels[0]} and {labels[1]} "
                "have; compare without it, or give one that has it"
            )
    wanted = flag("progress", progress) and on_progress is None
    with telling("comparing", wanted=wanted) as teller:
        report = on_progress if teller is None else teller.of_part
        statistical = compare_statistically(sets, labels, plan, seed, report)
    return Agreement(
        network=None,
        labels=labels,
        statistical=(statistical,),
        frozen={},
        seconds={},
        seed=seed,
        from_ms=from_ms,
    )


def _two_names(labels: object) -> tuple[str, str]:
    names = texts("labels", labels)
    if len(names) != 2:
        raise SpecError(f"labels: expected two names, got {len(names)}")
    return names[0], names[1]


def _side_by_side(
    one: Recording, other: Recording, again: Recording | None
) -> tuple[Recording, Recording, Recording | None]:
    """The recordings with neuron n of each the same one, as far as their files state it.

    A file that knows its populations by name only, as SONATA does, has them in any order; one that
    does not state their sizes seems to lack the last neurons where these are silent.
    """
    given = [each for each in (one, other, again) if each is not None]
    names = list(one.populations)
    if any(set(each.populations) != set(names) for each in given):
        if any(len(each.populations) > 1 for each in given):
            return one, other, again
        # The only population may be called whatever its file likes.
        given = [replace(each, populations={_ALL: each.spikes.n_neurons}) for each in given]
        names = [_ALL]
    sizes = {name: max(each.populations[name] for each in given) for name in names}
    aligned = [_with_populations(each, sizes) for each in given]
    return aligned[0], aligned[1], aligned[2] if again is not None else None


_ALL = "neurons"


def _with_populations(recording: Recording, sizes: dict[str, int]) -> Recording:
    """The recording with its populations in this order, and as large where it states no sizes."""
    if recording.provenance.get("sizes_told", True):
        sizes = {name: recording.populations[name] for name in sizes}
    if list(recording.populations.items()) == list(sizes.items()):
        return recording
    starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    moved = np.concatenate(
        [starts[name] + np.arange(size) for name, size in recording.populations.items()]
    )
    spikes = recording.spikes
    shape = (spikes.n_trials, spikes.n_steps, sum(sizes.values()))
    return replace(
        recording,
        spikes=Spikes.gather(spikes.trial, spikes.step, moved[spikes.neuron], shape),
        populations=sizes,
        voltages_mv=None,
        values=None,
        window=None,
    )


def _check_neurons(name: str, one: Recording, other_name: str, other: Recording) -> None:
    """Raise SpecError unless neuron n of one can be neuron n of the other."""
    sizes = one.spikes.n_neurons, other.spikes.n_neurons
    if sizes[0] != sizes[1]:
        raise SpecError(
            f"{name} has {sizes[0]} neurons, {other_name} has {sizes[1]}: neuron by neuron they "
            "cannot be compared"
        )
    named = [list(each.populations.items()) for each in (one, other)]
    # A file that knows a single population may call it whatever it likes.
    if named[0] != named[1] and min(map(len, named)) > 1:
        raise SpecError(
            f"{name} and {other_name} have other populations ({_told(one)}; {_told(other)}): "
            "neuron by neuron they cannot be compared"
        )


def _told(recording: Recording) -> str:
    return ", ".join(f"{size} {name}" for name, size in recording.populations.items())


def _first_trials(recording: Recording, count: int) -> Recording:
    """The first trials of a recording."""
    if recording.spikes.n_trials == count:
        return recording
    bare = replace(recording, voltages_mv=None, margins_mv=None, values=None, window=None)
    return bare.chosen(np.arange(count))
