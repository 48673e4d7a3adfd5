"""A conversion from end to end: scale factor, mapping, and a readout fitted to spikes if asked."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, TypedDict

from bridge.arguments import callback, flag, of_kind, text
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.driven_trials import driven_trials
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.readout import refit_on
from bridge.methods.roads import Road, road_of
from bridge.methods.scale_search import Conversion
from bridge.methods.scoring import KNOWN_SCALE, REFIT, SCORE, no_task
from bridge.methods.shown_trials import TaskTrials, TrialSource
from bridge.progress import told
from bridge.rate.network import RateNetwork
from bridge.rate.network_task import task_of
from bridge.spiking.decoding import decode
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.tasks import Task

Progress = Callable[[float], None]

# Of the time of a conversion whose readout is refitted: the search's share and the refit's.
_SEARCHED, _REFITTED = 0.6, 0.8


def convert(
    rate: RateNetwork,
    *,
    drive: Drive | None = None,
    scale: Literal["searched", "predicted"] = "searched",
    refit_readout: bool = False,
    on_progress: Progress | None = None,
    progress: bool = True,
    **options: Any,
) -> Conversion:
    """A spiking network of a rate network's size that keeps what it does best.

    Each unit becomes a neuron. Leaky ("lif") and quadratic ("qif") integrate-and-fire neurons are
    those of Kim et al. 2019, with weights at the best scale factor. Integrate-and-fire neurons with
    the unit's activation inside ("if") take any activation, with as few spikes as are enough.

    Args:
        rate: A network with a task, unless a drive is given; of a conversion its rate network.
        drive: Inputs to show the networks instead of trials of a task, of which all trials are
            used: the output error decides. Where its labels are conditions of the network's task,
            that judges the answers, too (`bridge.methods.driven_trials`).
        scale: "predicted", of LIF and QIF neurons: try only the scale factor that
            `bridge.methods.predicted_scale` finds from the neurons' response, without a search.
        refit_readout: Fit the readout to filtered spikes, see `bridge.refit_readout`. The
            provenance of the network says what that changed on as many fresh trials: right answers
            and output error. Of a drive every other trial is fitted, to the rate network's output
            where no task judges, and the rest are the fresh ones.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: `neuron`, by default "lif". For relu, tanh, form h or a state to start from, and
            if gain_hz is given, the default is "if". LIF and QIF take the fields of
            `bridge.methods.search_options.SearchOptions`: inverse_scales, rule, trials, seed,
            backend, device, exhaustive. They take those of
            `bridge.methods.one_to_one.SpikingOptions`, too: synapse, tau_side, refractory_ms,
            start_mv, output_bias. Any of these makes "lif" the default. "if" takes those of
            `bridge.methods.gain_options.GainOptions`: gain_hz, dt_ms, trials, seed, backend,
            device.

    Returns:
        The spiking network, the rate network, and how well each scale factor or gain did. The
        search is of the network before its readout is refitted. `.faithfulness()` says whether the
        spiking network is still the rate network.

    Raises:
        SpecError: neither task nor drive, an unknown option, or one that makes no sense. Also a
            drive that the rate network cannot be shown, or that it answers with a constant.
    """
    rate = of_kind("rate", rate, RateNetwork)
    # Of neurons with a scale factor alone.
    if text("scale", scale) != "searched":
        options["scale"] = scale
    if drive is None and not rate.task:
        purpose = "predict" if scale == "predicted" else "search"
        raise no_task(f"{purpose} the scale factor with", KNOWN_SCALE)
    with told("converting", on_progress, progress) as report:
        how: dict[str, Any] = {"refit_readout": refit_readout, "on_progress": report}
        if drive is not None:
            return _convert_driven(rate, of_kind("drive", drive, Drive), how, options)
        return convert_for(task_of(rate), rate, **how, **options)


def convert_for(task: Task, rate: RateNetwork, **options: Any) -> Conversion:
    """As `convert`, of a network whose task is known already."""
    how, road = _split(rate, options)
    source = TaskTrials(task=task, count=road.trials, seed=road.seed)
    return _converted(source, rate, how, road)


def _convert_driven(
    rate: RateNetwork, drive: Drive, how: Mapping[str, Any], options: Mapping[str, Any]
) -> Conversion:
    """As `convert`, on what a drive shows."""
    if "trials" in options:
        raise SpecError(f"trials: the drive that is given has {drive.n_trials} of its own")
    how, road = _split(rate, {**how, **options})
    source = driven_trials(rate, drive, road.seed)
    if how["refit_readout"]:
        source.check_refit()
    found = _converted(source, rate, how, road.of(source.count))
    provenance = {**found.network.provenance, **source.told()}
    return replace(found, network=replace(found.network, provenance=provenance))


class _How(TypedDict):
    """What `convert` takes in addition to the options of a road."""

    refit_readout: bool
    on_progress: Progress | None


def _split(rate: RateNetwork, given: Mapping[str, Any]) -> tuple[_How, Road]:
    """Options sorted by what knows them, and checked."""
    how = _How(
        refit_readout=flag("refit_readout", given.get("refit_readout", False)),
        on_progress=callback("on_progress", given.get("on_progress")),
    )
    return how, road_of(rate, {name: given[name] for name in set(given) - set(how)})


def _converted(source: TrialSource, rate: RateNetwork, how: _How, road: Road) -> Conversion:
    """A conversion searched on trials of whatever source."""
    report = how["on_progress"] or (lambda _fraction: None)
    share = _SEARCHED if how["refit_readout"] else 1.0
    road = road.suited(rate)
    found, network = road.searched(source, rate, lambda done: report(share * done))
    made = {**road.told(), "search_seed": road.seed, "search_trials": road.trials}
    network = replace(network, provenance={**network.provenance, **made})
    if how["refit_readout"]:
        network = _refitted(source, network, rate, road, report)
    return Conversion(network=network, rate=rate, search=found)


def _refitted(
    source: TrialSource,
    network: SpikingNetwork,
    rate: RateNetwork,
    road: Road,
    report: Progress,
) -> SpikingNetwork:
    """The network with its readout fitted, and what that changes in fresh trials.

    Spikes do not depend on the readout, so one run shows both.
    """
    where: dict[str, Any] = {"backend": road.where, **road.quick_options()}
    changed = refit_on(
        source.shown(REFIT),
        network,
        seed=road.seed,
        on_progress=lambda done: report(_SEARCHED + (_REFITTED - _SEARCHED) * done),
        **where,
    )
    fresh = source.shown(SCORE)
    recording = simulate(
        network,
        fresh.drive(),
        on_progress=lambda done: report(_REFITTED + (1 - _REFITTED) * done),
        **where,
    )
    reread = replace(recording, readouts=decode(changed, recording.spikes))
    answers = RateAnswers.of(rate, fresh.task, fresh.trials, road.seed)
    before, after = beside(answers, network, recording), beside(answers, changed, reread)
    found = {"fresh_trials": fresh.count, **_fresh(before, after)}
    return replace(changed, provenance={**changed.provenance, **found})


def _fresh(before: Faithfulness, after: Faithfulness) -> dict[str, Any]:
    """What a provenance says of fresh trials, before the readout was refitted and after."""
    found: dict[str, Any] = {
        "fresh_output_error_before": before.output_error,
        "fresh_output_error": after.output_error,
    }
    if after.judged:
        found |= {
            "fresh_correct_before": before.correct,
            "fresh_correct": after.correct,
            "fresh_lost": after.lost,
            "fresh_gained": after.gained,
            "fresh_chance": after.chance,
        }
    known = {"_before": before.measured, "": after.measured, "_rate": after.rate_measured}
    return found | {
        f"fresh_measured{of}": one.plain() for of, one in known.items() if one is not None
    }
