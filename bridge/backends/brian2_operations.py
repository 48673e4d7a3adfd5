"""The operations of a step as Brian2 statements, one binary operation each."""

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

    def kick(self, stimulation: int, number: int) -> str:
        """This step's push of population `number` by a stimulation, mV, as an expression."""

    def connect(self, synapses: brian2.Synapses, number: int) -> None:
        """Make the synapses of projection `number`, sorted by (pre, post) in each trial."""


def filtered_by(form: Form, number: int) -> dict[int, ProjectionForm]:
    """The projections whose filters a population holds, by number."""
    return {k: part for k, part in enumerate(form.projections) if form.owner(k) == number}


def into_population(form: Form, number: int) -> dict[int, ProjectionForm]:
    """The projections into a population, by number."""
    return {k: part for k, part in enumerate(form.projections) if part.target == number}


def is_summed(projection: ProjectionForm) -> bool:
    """Whether its current is a sum over what filters of the presynaptic side hold."""
    return projection.source >= 0 and projection.side == "pre"


# Names that are no variables of the group live for one operation only and are never stored. Each is
# written once: the numpy target would otherwise write into the array it was first set to.


def membrane_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Current and membrane step of a population."""
    lines, current = [], "bias"
    for into, projection in into_population(form, number).items():
        x = f"x_{into}"
        if projection.source < 0 and projection.filter in ("direct", "given"):
            x = sources.input(into)
        elif is_summed(projection):
            x = f"sum_{into}"
            if form.gain:
                lines.append(f"scaled_{into} = {x} * trial_gain")
                x = f"scaled_{into}"
        lines.append(f"current_{into} = {current} + {x}")
        current = f"current_{into}"
    step = _STEPS[form.populations[number].step]
    lines += [line.format(current=current) for line in step]
    return [*lines, "refractory_left = refractory_left - int(refractory_left > 0)"]


def noise_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Noise of a population."""
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


def push_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Stimulation of a population, one after the other."""
    lines: list[str] = []
    for m in form.populations[number].stimulated:
        lines.append(f"kick_{m}_mv = {sources.kick(m, number)} * chosen_{m}")
        lines.append(f"v = v + kick_{m}_mv")
    return lines


def filter_lines(form: Form, number: int, sources: Sources) -> list[str]:
    """Filters that the neurons of a population hold, after the spikes of the step."""
    lines: list[str] = []
    for into, projection in filtered_by(form, number).items():
        x, h, arrived = f"x_{into}", f"h_{into}", f"arrived_{into}"
        if projection.source < 0:
            if projection.filter == "direct":
                continue
            arrived = sources.input(into)
        elif form.gain and projection.side == "post":
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
_QUADRATIC = [
    "bounded = clip(v, -largest_mv, largest_mv)",
    "square = bounded * bounded",
    "driven = square + {current}",
    "change = driven * factor",
    "taken = change * int(refractory_left == 0)",
    "v = v + taken",
]
_STEPS = {"euler": _EULER, "exact": _EXACT, "quadratic": _QUADRATIC}
MARGIN = [
    "near = abs(v - v_threshold)",
    "nearer = near * int(near < margin)",
    "margin = margin * int(near >= margin)",
    "margin = margin + nearer",
]
