"""What a file holds, in rows for a person: `spikebridge info`."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bridge.compare.statistics.settled import from_ms_of, settled, told
from bridge.compare.statistics.spike_statistics import summary
from bridge.errors import SpecError
from bridge.exchange.store import Stored
from bridge.methods.measured import Measured
from bridge.methods.rate_targets.result import TargetFit
from bridge.methods.scale_search import Conversion, ScaleSearch, Search
from bridge.methods.src.trained import TrainedNetwork
from bridge.rate.learning import Checkpoint, History
from bridge.rate.network import RateNetwork
from bridge.sections import plain
from bridge.spiking.conditions import tally
from bridge.spiking.drive import Drive
from bridge.spiking.essentials import several
from bridge.spiking.filters import known_filter
from bridge.spiking.inputs import is_plain
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import known_neurons
from bridge.spiking.projection import Projection
from bridge.spiking.readouts import Readout, StateReadout
from bridge.spiking.recording import Recording, Window
from bridge.spiking.spikes import Spikes
from bridge.spiking.values import known_model

Rows = dict[str, object]


def describe(thing: Stored, from_ms: float | None = None) -> tuple[str, Rows]:
    """A title, and names with values.

    Args:
        thing: What a file holds.
        from_ms: Of a recording: from when on in each trial statistics are computed, see
            `bridge.compare.statistics.settled`.

    Raises:
        SpecError: it is not a recording, or not a time within its trials.
    """
    describers: dict[type, tuple[str, Callable[[Any], Rows]]] = {
        RateNetwork: ("rate network", _rate),
        SpikingNetwork: ("spiking network", _network),
        Conversion: (
            "conversion: a spiking network, and the rate network it was made from",
            _conversion,
        ),
        TargetFit: ("fit: a spiking network that learned from rate dynamics", _fit),
        TrainedNetwork: ("spiking network that was trained as one", _trained),
        Drive: ("drive", _drive),
        Recording: ("recording", _recording),
    }
    known_model("describe", thing, tuple(describers))
    if from_ms is not None:
        if not isinstance(thing, Recording):
            raise SpecError("from_ms (--from-ms): it is for recordings, this file holds another")
        return "recording", _recording(thing, from_ms)
    title, rows = describers[type(thing)]
    return title, rows(thing)


def _rate(rate: RateNetwork) -> Rows:
    tau, recurrent = rate.tau_ms, rate.recurrent
    rows: Rows = {
        "units": rate.size,
        "inputs, outputs": f"{rate.input_size}, {rate.w_out.shape[0]}",
        "activation": rate.activation,
        **_units(rate),
        "step": f"{rate.dt_ms:g} ms",
        "time constants": f"{tau.min():.1f} to {tau.max():.1f} ms",
        "nonzero recurrent weights": f"{np.count_nonzero(recurrent) / recurrent.size:.1%}",
    }
    if rate.excitatory is not None:
        excitatory = rate.excitatory
        rows["Dale's law"] = f"{excitatory.sum()} excitatory, {(~excitatory).sum()} inhibitory"
    if rate.cell_types is not None:
        kinds = Counter(rate.cell_types)
        rows["cell types"] = ", ".join(f"{kinds[name]} {name}" for name in sorted(kinds))
    if rate.task:
        rows["task"] = rate.task
    return rows | _learning(rate.history, rate.checkpoint) | _provenance(rate.provenance)


def _learning(history: History | None, checkpoint: Checkpoint | None) -> Rows:
    rows: Rows = {}
    if history is not None and history.loss.size:
        loss, accuracy = history.loss[-1], history.accuracy[-1]
        rows["last evaluation"] = f"mean loss {loss:.3f}, accuracy {accuracy:.1%}"
    if checkpoint is not None:
        rows["unfinished"] = f"after {checkpoint.updates} updates; --resume goes on"
    return rows


def _trained(trained: TrainedNetwork) -> Rows:
    spikes = {f"spikes of {name}": told for name, told in trained.told_activity().items()}
    learned = _learning(trained.history, trained.checkpoint)
    return {**learned, **spikes, **_network(trained.network)}


def _units(rate: RateNetwork) -> Rows:
    """What the units have in addition to weights and time constants."""
    words: dict[str, tuple[str, object]] = {
        "form": ("form", f"{rate.form}: the states are the activities"),
        "bias": ("bias", f"{rate.bias.min():.3g} to {rate.bias.max():.3g}"),
        "initial_state": (
            "first state",
            f"{rate.initial_state.min():.3g} to {rate.initial_state.max():.3g}",
        ),
        "highest_rate": ("highest rate", f"{rate.highest_rate:g}".replace("inf", "none")),
    }
    return dict(words[field] for field in rate.told_units())


def _network(network: SpikingNetwork) -> Rows:
    rows: Rows = {"neurons": network.size, "step": f"{network.dt_ms:g} ms"}
    for population in network.populations:
        model = known_neurons(f"population {population.name}", population.neurons)
        rows[f"population {population.name}"] = f"{population.size} {model.described()}"
    if not is_plain(network.inputs):
        rows |= {f"input {part.name}": part.described() for part in network.inputs}
    for projection in network.projections:
        rows[f"projection {projection.name}"] = _projection(projection)
    for readout in network.readouts:
        rows[f"readout {readout.name}"] = _readout(network, readout)
    rows["sample"] = f"every {network.sample_steps} steps"
    if network.task:
        rows["task"] = network.task
    return rows | _provenance(network.provenance)


def _readout(network: SpikingNetwork, readout: Readout | StateReadout) -> str:
    if isinstance(readout, Readout):
        sources = ", ".join(channel.source for channel in readout.channels)
        return f"{readout.size} outputs from {sources}"
    state = readout.state or network.population(readout.source).neurons.voltage
    return f"{network.outputs(readout)} outputs, state {state} of {readout.source}"


def _projection(projection: Projection) -> str:
    filter_ = known_filter(f"projection {projection.name}", projection.filter)
    acts = "within the step" if projection.within_step else projection.told_delay()
    acts += "" if projection.scaled else ", not scaled"
    if projection.initial_states:
        acts += f", start of {', '.join(projection.initial_states)} given"
    synapses = " and ".join(f"{factor.nnz:,}" for factor in projection.factors)
    through = f" through {projection.rank} factors" if projection.rank else ""
    return (
        f"{projection.source} to {projection.target}: {synapses} synapses{through}, "
        f"{filter_.described()}, {acts}"
    )


def _conversion(conversion: Conversion) -> Rows:
    search, found = conversion.search, conversion.faithfulness()
    beside: Rows = {}
    if search.correct is not None:
        best = search.accuracies()[search.best]
        beside["accuracy there"] = f"{best:.1%} of {search.trials} trials"
    if found is not None:
        beside |= {"answers": found.accuracies()} if found.judged else {}
        beside["against the rate network"] = found.measures()
    return {
        **_chosen(search),
        **beside,
        "searched on": f"{search.backend}, seed {search.seed}, {search.seconds:g} s",
        **_network(conversion.network),
        **{f"rate network: {name}": value for name, value in _rate(conversion.rate).items()},
    }


def _chosen(search: Search) -> Rows:
    if isinstance(search, ScaleSearch):
        return {"chosen 1/lambda": f"{search.best_inverse_scale:g}, by the rule {search.rule}"}
    return {"chosen gain": f"{search.told_choice().removeprefix('gain = ')}: {search.told_rule()}"}


def _fit(fit: TargetFit) -> Rows:
    rows: Rows = {"learning": f"{fit.stopped}, {several(len(fit.learning_errors), 'trial')}"}
    if fit.teacher is not None:
        rows["taught by"] = f"a trained network of {several(fit.teacher.size, 'unit')}"
    if fit.errors.size:
        rows["on its own"] = fit.told()
        rows["nMSE on its own"] = f"{fit.errors.min():.3g} to {fit.errors.max():.3g}"
        rows["rate"] = f"{fit.rate_hz:.3g} Hz"
    if fit.checkpoint is not None:
        rows["checkpoint"] = f"after {several(fit.checkpoint.trials, 'trial')}; --resume goes on"
    return rows | _network(fit.network)


def _drive(drive: Drive) -> Rows:
    samples, trials, channels = drive.inputs.shape
    return {
        "trials": trials,
        "samples": samples,
        "input channels": channels,
        **_trains(drive.spikes),
        "noise": type(drive.noise).__name__,
        "initial voltages": "drawn" if drive.v_initial_mv is None else "given",
    } | _conditions(drive)


def _recording(recording: Recording, from_ms: float | None = None) -> Rows:
    spikes = recording.spikes
    rows: Rows = {
        "trials": f"{spikes.n_trials} of {recording.trial_s:g} s",
        "neurons": spikes.n_neurons,
        "spikes": f"{spikes.count:,}",
    }
    rows |= _conditions(recording)
    if recording.inputs is not None:
        rows["inputs"] = f"{recording.inputs.shape} samples, trials, channels"
    rows |= _trains(recording.input_spikes)
    start_ms = from_ms_of(from_ms, recording)
    described = summary(settled(recording, start_ms))
    if start_ms:
        rows["statistics"] = told(start_ms, recording)
    rows |= {name: f"{value:.4g}" for name, value in described.items()}
    rows |= {
        f"readout {k}": f"{v.shape} samples, trials, outputs" for k, v in recording.readouts.items()
    }
    rows |= {
        f"values {k}": f"{v.shape} samples, trials, neurons"
        for k, v in (recording.values or {}).items()
    }
    if recording.window is not None:
        rows["window"] = _window(recording.window)
    if recording.margins_mv is not None:
        rows["nearest to threshold"] = f"{np.min(recording.margins_mv):.3g} mV"
    made = dict(recording.provenance)
    if recording.task == made.get("task"):
        del made["task"]
    found = Measured.read(made.get("measured"))
    if found is not None:
        rows[f"median {found.name}"] = found.spread
        del made["measured"]
    # Not to be taken for the seed that was given, from which it is derived.
    renamed = {"seed of the noise" if name == "seed" else name: made[name] for name in made}
    return rows | _provenance(renamed)


def _window(window: Window) -> str:
    held = [f"{', '.join(states)} of {name}" for name, states in window.states.items()]
    handed_on = f"; values of {', '.join(window.values)}" if window.values else ""
    return (
        f"every step from {window.start_step:,} on, before {window.stop_step:,}: "
        f"{'; '.join(held)}{handed_on}"
    )


def _trains(spikes: Mapping[str, Spikes]) -> Rows:
    """What is given as spikes."""
    return {
        f"input {name}": f"{several(train.count, 'spike')} of {several(train.n_neurons, 'unit')}"
        for name, train in spikes.items()
    }


def _conditions(thing: Drive | Recording) -> Rows:
    """What the trials are of."""
    rows: Rows = {}
    if thing.task:
        rows["task"] = thing.task
    if thing.seed is not None:
        rows["seed"] = thing.seed
    if thing.labels is not None:
        rows["trials of each condition"] = tally(thing.labels, thing.conditions)
    return rows


def _provenance(provenance: Mapping[str, object]) -> Rows:
    return {f"made: {name}": plain(value) for name, value in provenance.items() if value != ""}
