"""The operations of a step as Brian2 statements, one binary operation each."""

from typing import Protocol

import brian2

from bridge.backends.brian2.form import Form, ProjectionForm


class Sources(Protocol):
    """Where a model takes from what is not known before it runs."""

    def namespace(self) -> dict[str, object]:
        """Functions for the operations, by name."""

    def input(self, number: int) -> str:
        """This step's input current over projection `number`, as an expression."""

    def given_noise(self, number: int) -> str:
        """This step's noise of population `number`, mV, as an expression."""

    def kick(self, stimulation: int, number: int) -> str:
        """This step's push of population `number` by a stimulation, mV, as an expression."""

    def late(self, number: int) -> str:
        """What arrives of the values of this step's and of earlier ones, as an expression."""

    def connect(self, synapses: brian2.Synapses, number: int, factor: int) -> None:
        """Make the synapses of a factor of projection `number`, sorted by (pre, post)."""

    def delay(self, relay: brian2.Synapses, number: int) -> None:
        """Set the delays of projection `number`, a synapse for each neuron in each trial."""


def filtered_by(form: Form, number: int) -> dict[int, ProjectionForm]:
    """The projections whose filters a population holds, by number."""
    return {k: part for k, part in enumerate(form.projections) if form.owner(k) == number}


def into_population(form: Form, number: int) -> dict[int, ProjectionForm]:
    """The projections into a population, by number."""
    return {k: part for k, part in enumerate(form.projections) if part.target == number}


def is_summed(projection: ProjectionForm) -> bool:
    """Whether its current, or what enters its filter, is a sum over what neurons hold."""
    return projection.source >= 0 and (
        projection.side == "pre" or projection.graded or projection.rank > 0
    )


def is_scaled(form: Form, projection: ProjectionForm) -> bool:
    """Whether the gain of the trial acts on it: it does on what populations send."""
    return form.gain and projection.scaled and projection.source in form.neurons


def sums_current(projection: ProjectionForm) -> bool:
    """Whether that sum is its current."""
    return projection.source >= 0 and projection.side == "pre"


# Names that are no variables of the group live for one operation only and are never stored. Each is
# written once: the numpy target would otherwise write into the array it was first set to.


def membrane_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Current and step of a population."""
    lines, current = [], "constant_bias"
    for into, projection in into_population(form, number).items():
        x = projection.output
        if projection.source < 0 and (projection.given or not projection.states):
            x = sources.input(into)
        elif sums_current(projection):
            x = f"sum_{into}"
            if is_scaled(form, projection):
                lines.append(f"scaled_{into} = {x} * trial_gain")
                x = f"scaled_{into}"
        lines.append(f"current_{into} = {current} + {x}")
        current = f"current_{into}"
    return [*lines, *(line.format(current=current) for line in form.populations[number].step)]


def emission_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """What a population passes on, where it is values, and what of it arrives later."""
    late = [f"late_{into} = {sources.late(into)}" for into in late_from(form, number)]
    return [*form.populations[number].emission, *late]


def late_from(form: Form, number: int) -> list[int]:
    """The projections over which values of a population arrive later."""
    return [
        into
        for into, part in enumerate(form.projections)
        if part.source == number and part.graded and part.late
    ]


def sent(projection: ProjectionForm, into: int) -> str:
    """The variable of a population that passes on values, that arrives over a projection."""
    return f"late_{into}" if projection.late else "emitted"


def noise_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Noise of a population."""
    kind, v = form.populations[number].noise, form.populations[number].voltage
    if kind == "none":
        return []
    if kind == "given":
        return [f"{v} = {v} + {sources.given_noise(number)}"]
    drawn = "randn()"
    if kind == "counted":
        step = "noise_step(t_in_timesteps, noise_first, noise_second)"
        drawn = f"noise_normal(noise_unit, {step})"
    return [f"drawn = {drawn}", "noise_mv = drawn * noise_sd", f"{v} = {v} + noise_mv"]


def push_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Stimulation of a population, one after the other."""
    lines: list[str] = []
    v = form.populations[number].voltage
    for m in form.populations[number].stimulated:
        lines.append(f"kick_{m}_mv = {sources.kick(m, number)} * chosen_{m}")
        lines.append(f"{v} = {v} + kick_{m}_mv")
    return lines


def filter_lines(form: Form, into: int, sources: Sources) -> list[str]:
    """What the filter of a projection does in a step; its neurons hold it."""
    projection = form.projections[into]
    lines: list[str] = []
    arrived = f"arrived_{into}"
    if projection.source < 0:
        if not projection.states:
            return []
        arrived = sources.input(into)
    elif projection.graded:
        arrived = sent(projection, into) if projection.side == "pre" else f"sum_{into}"
    elif not projection.counts:
        arrived = f"sum_{into}"
    if is_scaled(form, projection) and projection.side == "post":
        lines.append(f"scaled_{into} = {arrived} * trial_gain")
        arrived = f"scaled_{into}"
    if projection.states:
        entry, gain = projection.states[0], f"filter_{into}_constant_gain"
        lines += projection.decay
        lines.append(f"jump_{into} = {arrived} * {gain}")
        lines.append(f"{entry} = {entry} + jump_{into}")
    else:
        lines.append(f"{projection.output} = {arrived}")
    if projection.counts:
        lines.append(f"arrived_{into} = 0")
    return lines


def margin_lines(form: Form, number: int) -> list[str]:
    """The least distance of the voltages from threshold so far."""
    if not form.margins or number not in form.neurons or not form.populations[number].condition:
        return []
    return [
        f"near = abs({form.populations[number].voltage} - constant_threshold)",
        "nearer = near * int(near < margin)",
        "margin = margin * int(near >= margin)",
        "margin = margin + nearer",
    ]
