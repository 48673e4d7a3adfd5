"""A methods paragraph to copy: what was converted, run and compared, in plain text.

All numbers are those of the agreement. What is not known of it is not said.
"""

import platform
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from bridge.backends.declaration import declared
from bridge.compare.agreement import Agreement
from bridge.compare.report.levels import listed
from bridge.compare.report.machine_readable import versions
from bridge.compare.report.outcome import Outcome
from bridge.compare.report.references import cited
from bridge.methods.gain_search import GainSearch
from bridge.methods.scale_search import ScaleSearch, Search
from bridge.rate.network import RateNetwork
from bridge.spiking.essentials import several
from bridge.spiking.initial_voltage import InitialVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.parts import Part
from bridge.spiking.population import Population

# Of neurons with a gain; the method with a scale factor names its paper itself.
_OF_GAIN = " (Cao et al. 2015; Diehl et al. 2015; Rueckauer et al. 2017)"


def methods_of(agreement: Agreement, said: Outcome) -> str:
    """Paragraphs of a comparison, and the papers that they cite, one a line at the end."""
    network = agreement.network
    conversion: list[str] = []
    if agreement.rate is not None:
        conversion += _rate(agreement.rate)
    if network is not None:
        conversion += _network(network, agreement.search)
    conversion += said.conversion[:1] and [*_kept(agreement, said)]
    parts = (conversion, list(_runs(agreement)), list(_gate(agreement, said)), [_software()])
    text = "\n\n".join(" ".join(sentences) for sentences in parts if sentences)
    papers = cited(text)
    return "\n\n".join([text, "\n".join(papers)] if papers else [text])


def _rate(rate: RateNetwork) -> Iterator[str]:
    made = rate.provenance
    origin = made.get("method", "")
    task = f", task {rate.task}" if rate.task else ""
    yield (
        f"The rate network has {several(rate.size, 'unit')} (activation {rate.activation}, form "
        f"{rate.form}, step {rate.dt_ms:g} ms{task}){f' and was {origin}' if origin else ''}."
    )
    options = made.get("options", {})
    updates, seed = made.get("updates"), options.get("seed")
    if isinstance(updates, int):
        yield f"Training took {updates:,} updates{'' if seed is None else f' (seed {seed})'}."


def _network(network: SpikingNetwork, search: Search | None) -> Iterator[str]:
    made = network.provenance
    if "method" in made:
        source = _OF_GAIN if isinstance(search, GainSearch) else ""
        yield f"The method of conversion is: {made['method']}{source}."
    if search is not None:
        yield from _search(search)
    options = made.get("options")
    if isinstance(options, Mapping) and options:
        yield f"The options of the conversion are {_values(options)}."
    if "fresh_trials" in made:
        yield (
            "Its output weights were fitted to filtered spikes and scored on "
            f"{several(made['fresh_trials'], 'fresh trial')}."
        )
    if "drive_sha256" in made:
        yield f"The inputs of the search have SHA-256 {made['drive_sha256']}."
    yield f"The spiking network is simulated in steps of {network.dt_ms:g} ms."
    for population in network.populations:
        yield _population(population)
    for projection in network.projections:
        how = f"{projection.filter.described()}{_parameters(projection.filter)}"
        yield f"Projection {projection.name}, {projection.source} to {projection.target}: {how}."


def _population(population: Population) -> str:
    noise = np.asarray(population.noise_mv)
    told = "no noise"
    if noise.any():
        low, high = float(noise.min()), float(noise.max())
        told = f"normal noise of s.d. {low:g}{f' to {high:g}' * (high > low)} mV in each step"
    size, model = several(population.size, "neuron"), population.neurons
    return (
        f"Population {population.name}: {size}, {model.described()}{_parameters(model)}, {told}, "
        f"{_start(population.initial_voltage)}."
    )


def _start(voltage: InitialVoltage) -> str:
    return "initial voltage " + ", ".join(
        f"{name} {value:g}" for name, value in vars(voltage).items()
    )


def _parameters(part: Part) -> str:
    """Its parameters as they are called, in brackets; what has no end is none."""
    values = {name: np.asarray(getattr(part, name)) for name in part.named("each")}
    told = [f"{name} {_range(each)}" for name, each in values.items() if np.isfinite(each).all()]
    return f" ({', '.join(told)})" if told else ""


def _range(values: NDArray[np.float64]) -> str:
    """One number, or the lowest and the highest."""
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def _search(search: Search) -> Iterator[str]:
    if isinstance(search, ScaleSearch):
        what, tried = "1/lambda", search.inverse_scales
    else:
        what, tried = "gain (Hz)", search.gains_hz
    yield f"Chosen: {search.told_choice()}, {search.told_rule()}."
    if tried.size > 1:
        yield (
            f"Tried were {tried.size} values of {what} from {tried[0]:g} to {tried[-1]:g}, on up "
            f"to {several(search.trials, 'trial')} each (seed {search.seed}, run in "
            f"{search.backend})."
        )


def _values(options: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(options.items()))


def _kept(agreement: Agreement, said: Outcome) -> Iterator[str]:
    """Whether the spiking network is still the rate network."""
    found = agreement.faithfulness
    if found is not None:
        yield f"It was held against the rate network on {several(found.trials, 'trial')}."
        yield from said.conversion


def _runs(agreement: Agreement) -> Iterator[str]:
    """Where it was run, and on what."""
    for label, recording in agreement.described().items():
        made = recording.provenance
        kept = [
            str(made[name]) for name in ("package", "dtype", "target", "device") if name in made
        ]
        source = declared()[made["backend"]].paper if made.get("backend") in declared() else ""
        told = ", ".join([*kept, source] if source else kept)
        yield (
            f"{label}{f' ({told})' if told else ''}: "
            f"{several(recording.spikes.n_trials, 'trial')} of {recording.trial_s:g} s, "
            f"{several(recording.spikes.n_neurons, 'neuron')}, "
            f"{several(recording.spikes.count, 'spike')}."
        )
    shown = agreement.task and f"of the task {agreement.task.name}"
    if shown is None and agreement.drive is not None:
        shown = "of a drive that was given"
    if shown:
        yield f"All were shown the same trials {shown}."
    yield f"The seed of the comparison is {agreement.seed}."


def _gate(agreement: Agreement, said: Outcome) -> Iterator[str]:
    """What each level compared and found."""
    for row in said.levels:
        agreed = "agrees" if row.agreed else "differs"
        yield f"Level {row.level}, {row.compared}: {row.tested}."
        yield f"Outcome: {agreed}. Found: {row.found}. How sure: {row.sure}."
    for one in agreement.statistical:
        yield (
            "The p value is of all quantities together, with the labels of runs permuted trial by "
            f"trial {one.draws:,} times (Westfall & Young 1993)."
        )
        yield f"Below {one.alpha:g} it counts as a difference."
        if any("LV" in part.name for part in one.quantities):
            yield "LV is the local variation of intervals (Shinomoto et al. 2003)."
    if agreement.fault:
        yield f"A fault was put in on purpose: {agreement.fault}."
    yield f"Verdict: {said.verdict}"


def _software() -> str:
    known = [f"{name} {number}" for name, number in versions().items()]
    return f"Software: {listed((*known, f'Python {platform.python_version()}'))}."
