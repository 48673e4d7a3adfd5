"""A form as Brian2 objects: groups, synapses and when each operation of a step runs.

No integrator of Brian2 does what the contract asks, so every equation is written out with
`run_regularly`, one binary operation a statement: Brian2 rewrites longer expressions and the
rounding changes. Slots of a step: `groups` membrane, noise, stimulation, margins and emission;
`thresholds`; `synapses` arrivals; `after_synapses` filters; `resets`. Where projections act within
the step, each stage of populations has the first four for itself, one stage after the other, and
the other projections follow after the last.

Where the filters are those of the presynaptic side, spikes are relayed to their own neuron, after
the delay, and a summed variable of the target, which Brian2 brings up to date first in `groups`,
weighs what the filters hold. Values are summed likewise.

Inside Brian2 everything is named by its number, not by the user's names.
"""

from dataclasses import dataclass

import brian2

from bridge.backends.brian2.connections import Connection, connection, slot_of
from bridge.backends.brian2.form import Form, PopulationForm
from bridge.backends.brian2.operations import (
    Sources,
    emission_lines,
    filter_lines,
    filtered_by,
    into_population,
    is_summed,
    late_from,
    margin_lines,
    membrane_lines,
    noise_lines,
    push_lines,
)
from bridge.backends.brian2.vocabulary import functions


@dataclass
class Group:
    """One population in all trials of the run: B * n neurons, trial after trial."""

    neurons: brian2.NeuronGroup
    spikes: brian2.SpikeMonitor | None
    samples: brian2.StateMonitor | None
    window: brian2.EventMonitor | None


@dataclass
class Model:
    """A network of Brian2 objects for B trials side by side."""

    net: brian2.Network
    groups: list[Group]
    connections: dict[int, Connection]


def build(form: Form, sources: Sources) -> Model:
    """Brian2 objects of a form; the variables of their groups are still to be set."""
    # With one clock for each operation, Brian2 would spend its time on clocks.
    clock = brian2.Clock(dt=form.dt_ms * brian2.ms, name="steps")
    groups = [_group(form, number, sources, clock) for number in range(len(form.populations))]
    neurons = [group.neurons for group in groups]
    connections = {
        number: connection(form, number, neurons, clock)
        for number, projection in enumerate(form.projections)
        if projection.connected
    }
    net = brian2.Network()
    net.schedule = _schedule(form)
    for group in groups:
        net.add(group.neurons, *group.neurons.contained_objects)
        net.add(*(each for each in (group.spikes, group.samples, group.window) if each is not None))
    # First, since Brian2 complains of what is deleted before it was in a network.
    for made in connections.values():
        net.add(*made.objects())
    for number, made in connections.items():
        made.connect(sources, number)
    return Model(net=net, groups=groups, connections=connections)


def _schedule(form: Form) -> list[str]:
    """The slots of a step."""
    stages = [
        slot_of(form, slot, stage)
        for stage in range(form.stages)
        for slot in ("groups", "thresholds", "synapses")
    ]
    usual = ["start", "groups", *stages, "thresholds", "synapses", "resets", "end"]
    return list(dict.fromkeys(usual))


def _group(form: Form, number: int, sources: Sources, clock: brian2.Clock) -> Group:
    """The neurons of a population with their operations and monitors."""
    mine = form.populations[number]
    firing = {"threshold": mine.condition, "reset": "\n".join(mine.reset)}
    neurons = brian2.NeuronGroup(
        form.trials * mine.size,
        "\n".join(_equations(form, number)),
        **(firing if mine.condition else {}),
        **({"events": {"window": _IN_WINDOW}} if mine.stepped else {}),
        clock=clock,
        name=f"neurons_{number}",
        namespace={**sources.namespace(), **functions(), **form.numbers},
    )
    if mine.condition:
        neurons.thresholder["spike"].when = slot_of(form, "thresholds", mine.stage)
    before, after, last = _filter_times(form, number, sources)
    lines = [*before, *membrane_lines(form, number, sources), *noise_lines(form, number, sources)]
    lines += [*push_lines(form, number, sources), *margin_lines(form, number)]
    lines += emission_lines(form, number, sources)
    _run(neurons, slot_of(form, "groups", mine.stage), lines)
    for slot, late in after.items():
        _run(neurons, slot, late)
    _run(neurons, "after_synapses", last)
    seen = mine.condition and not mine.given
    return Group(
        neurons=neurons,
        spikes=brian2.SpikeMonitor(neurons, name=f"spikes_{number}") if seen else None,
        samples=_sample_monitor(form, number, neurons) if mine.sampled else None,
        window=_window_monitor(form, number, neurons) if mine.stepped else None,
    )


def _filter_times(
    form: Form, number: int, sources: Sources
) -> tuple[list[str], dict[str, list[str]], list[str]]:
    """What the filters that a population holds do before its step, after a stage, and at the end.

    Those of the input act within the step before it, those of a population after its stage.
    """
    before: list[str] = []
    after: dict[str, list[str]] = {}
    last: list[str] = []
    for into, projection in filtered_by(form, number).items():
        lines = filter_lines(form, into, sources)
        if not projection.within_step:
            last += lines
        elif projection.source < 0:
            before += lines
        else:
            stage = form.populations[projection.source].stage
            after.setdefault(f"after_{slot_of(form, 'synapses', stage)}", []).extend(lines)
    return before, after, last


def _sample_monitor(form: Form, number: int, neurons: brian2.NeuronGroup) -> brian2.StateMonitor:
    # At the start of a step a monitor sees the end of the step before; the last is read off them.
    return brian2.StateMonitor(
        neurons,
        list(form.populations[number].sampled),
        record=True,
        dt=form.sample_steps * form.dt_ms * brian2.ms,
        when="start",
        name=f"samples_{number}",
    )


# An event of every neuron, and so one that asks for its number.
_IN_WINDOW = "t_in_timesteps >= window_start and t_in_timesteps < window_stop and i >= 0"


def _window_monitor(form: Form, number: int, neurons: brian2.NeuronGroup) -> brian2.EventMonitor:
    # After the resets: what a step leaves behind.
    neurons.thresholder["window"].when = "end"
    return brian2.EventMonitor(
        neurons,
        "window",
        variables=list(form.populations[number].stepped),
        when="end",
        order=1,
        name=f"window_{number}",
    )


def _run(neurons: brian2.NeuronGroup, when: str, lines: list[str]) -> None:
    if lines:
        neurons.run_regularly("\n".join(lines), clock=neurons.clock, when=when)


def _equations(form: Form, number: int) -> list[str]:
    """What each neuron keeps from step to step, and its constants."""
    mine = form.populations[number]
    states = [*mine.states, *(["margin"] if form.margins and not mine.given else [])]
    states += ["emitted"] if mine.emission else []
    states += [f"late_{into}" for into in late_from(form, number)]
    constants = [*mine.constants]
    states += [
        f"sum_{into}" for into, part in into_population(form, number).items() if is_summed(part)
    ]
    for into, projection in filtered_by(form, number).items():
        if projection.counts:
            states.append(f"arrived_{into}")
        states += projection.states
        if projection.source >= 0 and not projection.states:
            states.append(projection.output)
        constants += projection.constants
    if mine.noise in ("counted", "own"):
        constants.append("noise_sd")
    constants += [f"chosen_{m}" for m in mine.stimulated]
    if form.gain and not mine.given:
        constants.append("trial_gain")
    return [
        *(f"{name} : 1" for name in states),
        *(f"{name} : 1 (constant)" for name in constants),
        *_integers(mine),
    ]


def _integers(mine: PopulationForm) -> list[str]:
    """The whole numbers of each neuron, and those that all share."""
    if mine.given:
        return ["train_due : integer", "train_place : integer"]
    integers = []
    if mine.gated:
        integers = ["refractory_left : integer", "refractory_steps : integer (constant, shared)"]
    if mine.stepped:
        integers += [f"window_{edge} : integer (constant, shared)" for edge in ("start", "stop")]
    if mine.noise == "counted":
        integers.append("noise_unit : integer (constant)")
        integers += [f"noise_{key} : integer (constant, shared)" for key in ("first", "second")]
    if mine.noise == "own":
        integers.append("run_seed : integer (constant, shared)")
    return integers
