"""A form as Brian2 objects: groups, synapses and when each operation of a step runs.

No integrator of Brian2 does what the contract asks, so every equation is written out with
`run_regularly`, one binary operation a statement: Brian2 rewrites longer expressions and the
rounding changes. Slots of a step: `groups` membrane, noise, stimulation and margins; `thresholds`;
`synapses` arrivals; `after_synapses` filters; `resets`.

Where the filters are those of the presynaptic side, spikes are relayed to their own neuron, after
the delay, and a summed variable of the target, which Brian2 brings up to date first in `groups`,
weighs what the filters hold.

Inside Brian2 everything is named by its number, not by the user's names.
"""

from dataclasses import dataclass

import brian2

from bridge.backends.brian2_form import Form, ProjectionForm
from bridge.backends.brian2_operations import (
    MARGIN,
    Sources,
    filter_lines,
    filtered_by,
    into_population,
    is_summed,
    membrane_lines,
    noise_lines,
    push_lines,
)
from bridge.spiking.neurons import LARGEST_MV


@dataclass
class Group:
    """One population in all trials of the run: B * n neurons, trial after trial."""

    neurons: brian2.NeuronGroup
    spikes: brian2.SpikeMonitor
    voltages: brian2.StateMonitor | None


@dataclass
class Model:
    """A network of Brian2 objects for B trials side by side."""

    net: brian2.Network
    groups: list[Group]
    synapses: dict[int, brian2.Synapses]


def build(form: Form, sources: Sources) -> Model:
    """Brian2 objects of a form; the variables of their groups are still to be set."""
    # With one clock for each operation, Brian2 would spend its time on clocks.
    clock = brian2.Clock(dt=form.dt_ms * brian2.ms, name="steps")
    groups = [_group(form, number, sources, clock) for number in range(len(form.populations))]
    synapses = {
        number: _synapses(number, projection, groups, clock)
        for number, projection in enumerate(form.projections)
        if projection.connected
    }
    net = brian2.Network()
    for group in groups:
        net.add(group.neurons, *group.neurons.contained_objects, group.spikes)
        if group.voltages is not None:
            net.add(group.voltages)
    # First, since Brian2 complains of what is deleted before it was in a network.
    net.add(*synapses.values())
    for number, part in synapses.items():
        sources.connect(part, number)
        if form.projections[number].side == "pre":
            relay = _relay(number, form.projections[number], groups, clock)
            net.add(relay)
            relay.connect(j="i")
    return Model(net=net, groups=groups, synapses=synapses)


def _group(form: Form, number: int, sources: Sources, clock: brian2.Clock) -> Group:
    """The neurons of a population with their operations and monitors."""
    neurons = brian2.NeuronGroup(
        form.trials * form.populations[number].size,
        "\n".join(_equations(form, number)),
        threshold="v >= v_threshold",
        reset="v = v_reset\nrefractory_left = refractory_steps",
        clock=clock,
        name=f"neurons_{number}",
        namespace={
            **sources.namespace(),
            "dt_s": form.dt_ms / 1000.0,
            "largest_mv": LARGEST_MV,
        },
    )
    lines = [*membrane_lines(form, number, sources), *noise_lines(form, number, sources)]
    lines += push_lines(form, number, sources)
    if form.margins:
        lines += MARGIN
    _run(neurons, "groups", lines)
    _run(neurons, "after_synapses", filter_lines(form, number, sources))
    return Group(
        neurons=neurons,
        spikes=brian2.SpikeMonitor(neurons, name=f"spikes_{number}"),
        voltages=_voltage_monitor(form, number, neurons) if form.voltages else None,
    )


def _synapses(
    number: int, projection: ProjectionForm, groups: list[Group], clock: brian2.Clock
) -> brian2.Synapses:
    source, target = groups[projection.source].neurons, groups[projection.target].neurons
    if projection.side == "pre":
        weighed = f"w : 1\nsum_{number}_post = w * x_{number}_pre : 1 (summed)"
        return brian2.Synapses(source, target, weighed, clock=clock, name=f"synapses_{number}")
    return brian2.Synapses(
        source,
        target,
        "w : 1",
        on_pre=f"arrived_{number}_post += w",
        delay=projection.delay_steps * clock.dt,
        clock=clock,
        name=f"synapses_{number}",
    )


def _relay(
    number: int, projection: ProjectionForm, groups: list[Group], clock: brian2.Clock
) -> brian2.Synapses:
    """Brings each neuron's spikes to its own filter."""
    neurons = groups[projection.source].neurons
    return brian2.Synapses(
        neurons,
        neurons,
        on_pre=f"arrived_{number}_post += 1",
        delay=projection.delay_steps * clock.dt,
        clock=clock,
        name=f"relay_{number}",
    )


def _voltage_monitor(form: Form, number: int, neurons: brian2.NeuronGroup) -> brian2.StateMonitor:
    # At the start of a step a monitor sees the end of the step before; the last is read off v.
    return brian2.StateMonitor(
        neurons,
        "v",
        record=True,
        dt=form.sample_steps * form.dt_ms * brian2.ms,
        when="start",
        name=f"voltages_{number}",
    )


def _run(neurons: brian2.NeuronGroup, when: str, lines: list[str]) -> None:
    if lines:
        neurons.run_regularly("\n".join(lines), clock=neurons.clock, when=when)


def _equations(form: Form, number: int) -> list[str]:
    """What each neuron keeps from step to step, and its constants."""
    states = ["v", *(["margin"] if form.margins else [])]
    constants = ["bias", "factor", "v_threshold", "v_reset"]
    states += [
        f"sum_{into}" for into, part in into_population(form, number).items() if is_summed(part)
    ]
    for into, projection in filtered_by(form, number).items():
        from_input = projection.source < 0
        if not from_input:
            states.append(f"arrived_{into}")
        if not (from_input and projection.filter == "direct"):
            states.append(f"x_{into}")
        if projection.filter != "direct":
            constants += [f"decay_{into}", f"gain_{into}"]
        if projection.filter == "double":
            states.append(f"h_{into}")
            constants.append(f"rise_{into}")
    integers = ["refractory_left : integer", "refractory_steps : integer (constant, shared)"]
    noise = form.populations[number].noise
    if noise in ("counted", "own"):
        constants.append("noise_sd")
    if noise == "counted":
        integers.append("noise_unit : integer (constant)")
        integers += [f"noise_{key} : integer (constant, shared)" for key in ("first", "second")]
    if noise == "own":
        integers.append("run_seed : integer (constant, shared)")
    constants += [f"chosen_{m}" for m in form.populations[number].stimulated]
    if form.gain:
        constants.append("trial_gain")
    return [
        *(f"{name} : 1" for name in states),
        *(f"{name} : 1 (constant)" for name in constants),
        *integers,
    ]
