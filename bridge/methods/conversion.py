"""A conversion from end to end: scale factor, mapping, and a readout fitted to spikes if asked."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal, TypedDict

from bridge.arguments import callback, flag, of_kind, text
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.driven_trials import driven_trials
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.one_to_one import SpikingOptions, map_one_to_one
from bridge.methods.predicted_scale import predict_inverse_scale
from bridge.methods.readout import refit_on
from bridge.methods.scale_search import Conversion
from bridge.methods.scoring import KNOWN_SCALE, REFIT, SCORE, SEARCH, no_task
from bridge.methods.search import search_scale
from bridge.methods.search_options import SearchOptions
from bridge.methods.shown_trials import TaskTrials, TrialSource
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
    **options: Any,
) -> Conversion:
    """Map a rate network one to one, at the scale factor that keeps what it does best.

    Args:
        rate: A network with a task, unless a drive is given; of a conversion its rate network.
        drive: Inputs to show the networks instead of trials of a task, of which all trials are
            used: the output error decides. Where its labels are conditions of the network's task,
            that judges the answers, too (`bridge.methods.driven_trials`).
        scale: "predicted": try only the scale factor that
            `bridge.methods.predicted_scale` finds from the neurons' response, without a search.
        refit_readout: Fit the readout to filtered spikes, see `bridge.refit_readout`. The
            provenance of the network says how many of as many fresh trials were right before and
            after it, and how far the output was from the rate network's. Of a drive every other
            trial is fitted, to the rate network's output where no task judges, and the rest are
            the fresh ones.
        on_progress: Called with the fraction done.
        **options: Fields of `bridge.methods.search_options.SearchOptions` (inverse_scales, rule,
            trials, seed, backend, device, exhaustive) and of
            `bridge.methods.one_to_one.SpikingOptions` (neuron, synapse, tau_side, refractory_ms,
            start_mv, output_bias).

    Returns:
        The spiking network, the rate network, and how well each scale factor did. The search is
        of the network before its readout is refitted. `.faithfulness()` says whether the spiking
        network is still the rate network.

    Raises:
        SpecError: neither task nor drive, an unknown option, or one that makes no sense; a drive
            that the rate network cannot be shown, or that it answers with a constant.
    """
    rate = of_kind("rate", rate, RateNetwork)
    how: dict[str, Any] = {
        "scale": scale,
        "refit_readout": refit_readout,
        "on_progress": on_progress,
    }
    if drive is not None:
        return _convert_driven(rate, of_kind("drive", drive, Drive), how, options)
    if not rate.task:
        purpose = "predict" if scale == "predicted" else "search"
        raise no_task(f"{purpose} the scale factor with", KNOWN_SCALE)
    return convert_for(task_of(rate), rate, **how, **options)


def convert_for(task: Task, rate: RateNetwork, **options: Any) -> Conversion:
    """As `convert`, of a network whose task is known already."""
    how, search, spiking = _split(options)
    source = TaskTrials(task=task, count=search.trials, seed=search.seed)
    return _converted(source, rate, how, search, spiking)


def _convert_driven(
    rate: RateNetwork, drive: Drive, how: Mapping[str, Any], options: Mapping[str, Any]
) -> Conversion:
    """As `convert`, on what a drive shows."""
    if "trials" in options:
        raise SpecError(f"trials: the drive that is given has {drive.n_trials} of its own")
    how, search, spiking = _split({**how, **options})
    source = driven_trials(rate, drive, search.seed)
    if how["refit_readout"]:
        source.check_refit()
    found = _converted(source, rate, how, replace(search, trials=source.count), spiking)
    provenance = {**found.network.provenance, **source.told()}
    return replace(found, network=replace(found.network, provenance=provenance))


class _How(TypedDict):
    """What `convert` takes besides the options of the search and the mapping."""

    scale: str
    refit_readout: bool
    on_progress: Progress | None


def _converted(
    source: TrialSource,
    rate: RateNetwork,
    how: _How,
    search: SearchOptions,
    spiking: SpikingOptions,
) -> Conversion:
    """A conversion searched on trials of whatever source."""
    if how["scale"] == "predicted":
        search = _predicted(source, rate, search, spiking)
    report = how["on_progress"] or (lambda _fraction: None)
    share = _SEARCHED if how["refit_readout"] else 1.0
    shown = source.shown(SEARCH)
    found = search_scale(shown, rate, search, spiking, lambda done: report(share * done))
    network = map_one_to_one(rate, found.best_inverse_scale, spiking)
    made = {"scale": how["scale"], "search_seed": search.seed, "search_trials": search.trials}
    network = replace(network, provenance={**network.provenance, **made})
    if how["refit_readout"]:
        network = _refitted(source, network, rate, search, report)
    return Conversion(network=network, rate=rate, search=found)


def _split(given: Mapping[str, Any]) -> tuple[_How, SearchOptions, SpikingOptions]:
    """Options sorted by what knows them, and checked."""
    search, spiking = (
        {entry.name for entry in fields(kind)} for kind in (SearchOptions, SpikingOptions)
    )
    how = _How(
        scale=text("scale", given.get("scale", "searched")),
        refit_readout=flag("refit_readout", given.get("refit_readout", False)),
        on_progress=callback("on_progress", given.get("on_progress")),
    )
    unknown = sorted(set(given) - search - spiking - set(how))
    if unknown:
        known = ", ".join(sorted(search | spiking))
        raise SpecError(f"unknown option of a conversion {unknown[0]!r}; known are {known}")
    if how["scale"] not in ("searched", "predicted"):
        raise SpecError(f"scale: 'searched' or 'predicted', got {how['scale']!r}")
    return (
        how,
        SearchOptions(**{name: given[name] for name in search & set(given)}),
        SpikingOptions(**{name: given[name] for name in spiking & set(given)}),
    )


def _predicted(
    source: TrialSource, rate: RateNetwork, search: SearchOptions, spiking: SpikingOptions
) -> SearchOptions:
    """A search over one scale factor, the predicted one."""
    if search.inverse_scales is not None:
        raise SpecError("inverse_scales: a predicted scale factor has none to try")
    if search.exhaustive:
        raise SpecError("exhaustive: a predicted scale factor is the only one, and does all trials")
    found = predict_inverse_scale(source, rate, spiking, seed=search.seed)
    return replace(search, inverse_scales=(found,))


def _refitted(
    source: TrialSource,
    network: SpikingNetwork,
    rate: RateNetwork,
    search: SearchOptions,
    report: Progress,
) -> SpikingNetwork:
    """The network with its readout fitted, and what that changes in fresh trials.

    Spikes do not depend on the readout, so one run shows both.
    """
    where: dict[str, Any] = {"backend": search.where, **search.quick_options()}
    changed = refit_on(
        source.shown(REFIT),
        network,
        seed=search.seed,
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
    answers = RateAnswers.of(rate, fresh.task, fresh.trials, search.seed)
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
