"""The order of events within a step, in one place for the programs of all devices.

Populations follow each other in their order, as in the contract that
`bridge.backends.reference.simulation` spells out.
"""

from typing import Protocol

from bridge.backends.compiled.form import Form


class Parts(Protocol):
    """Writes down the parts of a step; populations, trains and projections go by their numbers."""

    def train(self, number: int) -> None:
        """Find the units of an input that spike in this step."""

    def look(self, number: int) -> None:
        """Take the samples of an analog input that act over a projection from this step on."""

    def decay(self, number: int) -> None:
        """Let the filter of a projection decay."""

    def take(self, number: int) -> None:
        """Take what arrives over a projection in this step."""

    def population(self, number: int) -> None:
        """Currents, model, noise, pushes, spikes, emission, reset; the filters it holds decay."""


def trains(form: Form) -> range:
    """The numbers of the inputs that emit spikes."""
    return range(len(form.populations), len(form.populations) + form.trains)


def write_step(form: Form, parts: Parts) -> None:
    """Write down a step."""
    for train in trains(form):
        parts.train(train)
    for number, part in enumerate(form.projections):
        if part.source < 0:
            parts.look(number)
            if part.states and part.within_step:
                _decay_and_take(parts, number)
        elif part.source in trains(form) and part.within_step:
            _decay_and_take(parts, number)
    for population in range(len(form.populations)):
        parts.population(population)
        for number, part in enumerate(form.projections):
            if part.source == population and part.within_step:
                _decay_and_take(parts, number)
    _after_all(form, parts)


def _decay_and_take(parts: Parts, number: int) -> None:
    parts.decay(number)
    parts.take(number)


def _after_all(form: Form, parts: Parts) -> None:
    """What is done when all populations have emitted."""
    for number, part in enumerate(form.projections):
        if not part.within_step:
            # Populations let the filters that they hold decay themselves.
            if part.owner < 0 or part.owner in trains(form):
                parts.decay(number)
            parts.take(number)
