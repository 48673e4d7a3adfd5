"""One rate network as several kinds of neurons, on the same trials."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bridge.arguments import in_words, of_kind, text
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.conversion import convert
from bridge.methods.driven_trials import driven_trials
from bridge.methods.roads import known_by, road_of
from bridge.methods.scale_search import Conversion
from bridge.methods.scoring import SEARCH
from bridge.methods.shown_trials import Shown, TaskTrials
from bridge.progress import told
from bridge.rate.network import RateNetwork
from bridge.rate.network_task import task_of
from bridge.spiking.drive import Drive

Progress = Callable[[float], None]

# Of the time of each: the conversion's share; the rest is a run of what it made.
_CONVERTED = 0.9
# What `convert` takes in addition to the options of a road.
_COMMON = {"refit_readout"}


@dataclass(frozen=True, kw_only=True, eq=False)
class OfNeuron:
    """A conversion to one kind of neuron.

    Attributes:
        neuron: "lif", "qif" or "if".
        conversion: What was made.
        rate_hz: Mean rate over neurons in the trials of the search, Hz.
    """

    neuron: str
    conversion: Conversion
    rate_hz: float


def convert_each(
    rate: RateNetwork,
    neurons: Sequence[str],
    *,
    drive: Drive | None = None,
    on_progress: Progress | None = None,
    progress: bool = True,
    **options: Any,
) -> list[OfNeuron]:
    """Conversions of a rate network to several kinds of neurons.

    All are searched on the same trials. Each kind takes those of the options that are for it.

    Args:
        rate: As `bridge.convert` takes it.
        neurons: Of "lif", "qif" and "if", each at most once.
        drive: As `bridge.convert` takes it.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Of `bridge.convert`.

    Raises:
        SpecError: a kind is not known or named twice, or no kind takes an option.
    """
    rate = of_kind("rate", rate, RateNetwork)
    if not isinstance(neurons, list | tuple) or not neurons:
        raise SpecError(f"neurons: expected a list of kinds, got {in_words(neurons)}")
    if len({text("neurons", each) for each in neurons}) < len(neurons):
        raise SpecError(f"neurons: expected each kind once, got {', '.join(neurons)}")
    # Before anything is searched.
    asked = [(neuron, _for(neuron, rate, neurons, options)) for neuron in neurons]
    with told("converting", on_progress, progress) as report:
        return _converted(rate, asked, drive, report)


def _converted(
    rate: RateNetwork,
    asked: Sequence[tuple[str, dict[str, Any]]],
    drive: Drive | None,
    report: Progress | None,
) -> list[OfNeuron]:
    """The kinds one after the other, each with its options."""
    made = []
    for number, (neuron, own) in enumerate(asked):
        start, middle, end = ((number + share) / len(asked) for share in (0.0, _CONVERTED, 1.0))
        searching = partial(_span, report, start, middle)
        found = convert(rate, drive=drive, on_progress=searching, **own)
        fired = _rate_hz(found, drive, partial(_span, report, middle, end))
        made.append(OfNeuron(neuron=neuron, conversion=found, rate_hz=fired))
    return [_knowing(one, [other for other in made if other is not one]) for one in made]


def _knowing(one: OfNeuron, others: Sequence[OfNeuron]) -> OfNeuron:
    """A conversion that knows the curves of the others, so that its report can show them."""
    curves = [curve for other in others for curve in other.conversion.error_curves()]
    return replace(one, conversion=replace(one.conversion, others=tuple(curves)))


def _span(report: Progress | None, start: float, end: float, fraction: float) -> None:
    """Report a fraction of a part of the whole."""
    if report is not None:
        report(start + (end - start) * fraction)


def _for(
    neuron: str, rate: RateNetwork, neurons: Sequence[str], options: dict[str, Any]
) -> dict[str, Any]:
    """The options of a kind; SpecError for one that none of the kinds takes."""
    own = {name: options[name] for name in set(options) & (known_by(neuron) | _COMMON)}
    others = set().union(_COMMON, *(known_by(each) for each in neurons))
    left = {name: options[name] for name in set(options) - others}
    given = {**own, **left, "neuron": neuron}
    road_of(rate, {name: given[name] for name in set(given) - _COMMON})
    return given


def _rate_hz(found: Conversion, drive: Drive | None, on_progress: Progress) -> float:
    """Mean rate in the trials of the search."""
    search = found.search
    shown = _shown(found, drive)
    recording = simulate(
        found.network, shown.drive(), backend=search.backend, on_progress=on_progress
    )
    neurons = found.network.size * shown.count
    return recording.spikes.count / (neurons * recording.trial_s)


def _shown(found: Conversion, drive: Drive | None) -> Shown:
    search = found.search
    if drive is not None:
        return driven_trials(found.rate, drive, search.seed).shown(SEARCH)
    task = TaskTrials(task=task_of(found.rate), count=search.trials, seed=search.seed)
    return task.shown(SEARCH)
