"""A form as Brian2 objects: groups, synapses and the operations of a step.

No integrator of Brian2 does what the contract asks, so every equation is written out with
`run_regularly`, one binary operation a statement: Brian2 rewrites longer expressions and the
rounding changes. Slots of a step: `groups` membrane, noise and margins; `thresholds`; `synapses`
arrivals; `after_synapses` filters; `resets`.

Inside Brian2 everything is named by its number, not by the user's names.
"""

from dataclasses import dataclass
from typing import Protocol

import brian2

from bridge.backends.brian2_form import Form, ProjectionForm


class Sources(Protocol):
    """Where a model takes from what is not known before it runs."""

    def namespace(self) -> dict[str, object]:
        """Functions for the operations, by name."""

    def input(self, number: int) -> str:
        """This step's input current over projection `number`, as an expression."""

    def given_noise(self, number: int) -> str:
        """This step's noise of population `number`, mV, as an expression."""

    def connect(self, synapses: brian2.Synapses, number: int) -> None:
        """Make the synapses of projection `number`, sorted by (pre, post) in each trial."""


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
    for number, part in synapses.items():
        sources.connect(part, number)
        net.add(part)
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
        namespace={**sources.namespace(), "dt_s": form.dt_ms / 1000.0},
    )
    lines = [*_membrane(form, number, sources), *_noise(form, number, sources)]
    if form.margins:
        lines += _MARGIN
    _run(neurons, "groups", lines)
    _run(neurons, "after_synapses", _filters(form, number, sources))
    return Group(
        neurons=neurons,
        spikes=brian2.SpikeMonitor(neurons, name=f"spikes_{number}"),
        voltages=_voltage_monitor(form, number, neurons) if form.voltages else None,
    )


def _synapses(
    number: int, projection: ProjectionForm, groups: list[Group], clock: brian2.Clock
) -> brian2.Synapses:
    return brian2.Synapses(
        groups[projection.source].neurons,
        groups[projection.target].neurons,
        "w : 1",
        on_pre=f"arrived_{number}_post += w",
        delay=projection.delay_steps * clock.dt,
        clock=clock,
        name=f"synapses_{number}",
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


def _into(form: Form, number: int) -> dict[int, ProjectionForm]:
    """The projections into a population, by number."""
    return {k: part for k, part in enumerate(form.projections) if part.target == number}


def _equations(form: Form, number: int) -> list[str]:
    """What each neuron keeps from step to step, and its constants."""
    states = ["v", *(["margin"] if form.margins else [])]
    constants = ["bias", "factor", "v_threshold", "v_reset"]
    for into, projection in _into(form, number).items():
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
    if form.gain:
        constants.append("trial_gain")
    return [
        *(f"{name} : 1" for name in states),
        *(f"{name} : 1 (constant)" for name in constants),
        *integers,
    ]


# Names that are no variables of the group live for one operation only and are never stored. Each is
# written once: the numpy target would otherwise write into the array it was first set to.


def _membrane(form: Form, number: int, sources: Sources) -> list[str]:
    lines, current = [], "bias"
    for into, projection in _into(form, number).items():
        direct_input = projection.source < 0 and projection.filter == "direct"
        x = sources.input(into) if direct_input else f"x_{into}"
        lines.append(f"current_{into} = {current} + {x}")
        current = f"current_{into}"
    step = _EULER if form.populations[number].euler else _EXACT
    lines += [line.format(current=current) for line in step]
    return [*lines, "refractory_left = refractory_left - int(refractory_left > 0)"]


def _noise(form: Form, number: int, sources: Sources) -> list[str]:
    kind = form.populations[number].noise
    if kind == "none":
        return []
    if kind == "given":
        return [f"v = v + {sources.given_noise(number)}"]
    drawn = "randn()"
    if kind == "counted":
        step = "noise_step(t_in_timesteps, noise_first, noise_second)"
        drawn = f"noise_normal(noise_unit, {step})"
    return [f"drawn = {drawn}", "noise_mv = drawn * noise_sd", "v = v + noise_mv"]


def _filters(form: Form, number: int, sources: Sources) -> list[str]:
    lines: list[str] = []
    for into, projection in _into(form, number).items():
        x, h, arrived = f"x_{into}", f"h_{into}", f"arrived_{into}"
        if projection.source < 0:
            if projection.filter == "direct":
                continue
            arrived = sources.input(into)
        elif form.gain:
            lines.append(f"scaled_{into} = {arrived} * trial_gain")
            arrived = f"scaled_{into}"
        if projection.filter == "direct":
            lines.append(f"{x} = {arrived}")
        else:
            first = h if projection.filter == "double" else x
            lines.append(f"{x} = {x} * decay_{into}")
            if projection.filter == "double":
                lines += [f"change_{into} = {h} * dt_s", f"{x} = {x} + change_{into}"]
                lines.append(f"{h} = {h} * rise_{into}")
            lines.append(f"jump_{into} = {arrived} * gain_{into}")
            lines.append(f"{first} = {first} + jump_{into}")
        if projection.source >= 0:
            lines.append(f"arrived_{into} = 0")
    return lines


_EULER = [
    "distance = {current} - v",
    "change = distance * factor",
    "taken = change * int(refractory_left == 0)",
    "v = v + taken",
]
_EXACT = [
    "distance = v - {current}",
    "change = distance * factor",
    "stepped = {current} + change",
    "taken = stepped * int(refractory_left == 0)",
    "v = v * int(refractory_left > 0)",
    "v = v + taken",
]
_MARGIN = [
    "near = abs(v - v_threshold)",
    "nearer = near * int(near < margin)",
    "margin = margin * int(near >= margin)",
    "margin = margin + nearer",
]
