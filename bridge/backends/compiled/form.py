"""What decides the text of a run's loop: no value is in it, and no size.

Networks of one form share their program, whatever their weights, neurons, trials and steps. Only
whether a constant is the same for all neurons counts: then it need not be read for each.
Populations and projections go by their numbers: no name of the user's reaches the program.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bridge.backends.kept import Wanted
from bridge.spiking.drive import Drive, FrozenNoise
from bridge.spiking.filters import filter_trace
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import NeuronTraces, traces
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.sparse_arrays import is_sparse
from bridge.spiking.tracing import Trace
from bridge.spiking.weights import matrices_of

DTYPES = {"float64": "double", "float32": "float"}
"""What the numbers may be, and what C++ calls them."""
NoiseKind = Literal["none", "given", "counted"]


@dataclass(frozen=True)
class PopulationForm:
    """A population without its values.

    Attributes:
        states: Names of the states.
        voltage: The one that takes noise and stimulation, and is compared with the threshold.
        constants: Names of the constants.
        alike: Those that are one number for all neurons; the threshold, which pads, is not.
        traces: What the model does in a step.
        fires: Whether there is a threshold.
        strictly: Whether it must be passed.
        graded: Whether values are passed on.
        gated: Whether neurons are ever refractory.
        noise: "given" number by number, or "counted" (`bridge.spiking.noise`).
        stimulated: The stimulations that push some of its neurons.
        sampled: What is kept of it at the end of each sample: states, and what it passes on.
        stepped: What is kept in each step of the window.
    """

    states: tuple[str, ...]
    voltage: str
    constants: tuple[str, ...]
    alike: tuple[str, ...]
    traces: NeuronTraces
    fires: bool
    strictly: bool
    graded: bool
    gated: bool
    noise: NoiseKind
    stimulated: tuple[int, ...]
    sampled: tuple[str, ...]
    stepped: tuple[str, ...]


@dataclass(frozen=True)
class ProjectionForm:
    """A projection without its values.

    Attributes:
        source: Number of the source: -1 is an analog input, and inputs that emit spikes are
            numbered after the populations.
        target: Number of the target.
        within_step: Whether it acts in the step in which its source emits.
        presynaptic: Whether the filter runs over the source's neurons, before the weights.
        graded: Whether the source passes on values.
        dense: Of each factor of the weights, whether all are kept, a row for each presynaptic
            neuron: of W, or of D and B where the weights are B D.
        delayed: Whether what is emitted arrives later.
        own_delays: Whether presynaptic neurons have delays of their own.
        scaled: Whether the gain of the trial acts on it.
        started: States of the filter that start with numbers given.
        states: Names of the filter's states; none: what arrives is the output.
        output: The one that is the output.
        constants: Names of the filter's constants.
        alike: Those that are one number for all.
        decay: What becomes of the states where nothing arrives.
    """

    source: int
    target: int
    within_step: bool
    presynaptic: bool
    graded: bool
    dense: tuple[bool, ...]
    delayed: bool
    own_delays: bool
    scaled: bool
    started: tuple[str, ...]
    states: tuple[str, ...]
    output: str
    constants: tuple[str, ...]
    alike: tuple[str, ...]
    decay: Trace

    @property
    def owner(self) -> int:
        """Number of those whose filter it is; -1: the channels of an analog input."""
        return self.source if self.presynaptic else self.target


@dataclass(frozen=True)
class Form:
    """What decides the text of a run.

    Attributes:
        dtype: What the numbers are.
        populations: In their order within a step.
        projections: In the order in which their currents are summed.
        trains: How many inputs emit spikes.
        stimulations: How many there are.
        margins: Whether least distances from threshold are kept.
    """

    dtype: str
    populations: tuple[PopulationForm, ...]
    projections: tuple[ProjectionForm, ...]
    trains: int
    stimulations: int
    margins: bool


def form_of(network: SpikingNetwork, drive: Drive, wanted: Wanted, dtype: str) -> Form:
    """The form of a run.

    Raises:
        SpecError: a model does what could not be repeated.
    """
    names = [part.name for part in network.populations]
    names += [part.name for part in network.spiking_inputs()]
    numbers = {name: number for number, name in enumerate(names)}
    return Form(
        dtype=dtype,
        populations=tuple(
            _population(network, drive, number, wanted, dtype)
            for number in range(len(network.populations))
        ),
        projections=tuple(
            _projection(network, numbers, each, dtype) for each in network.projections
        ),
        trains=len(network.spiking_inputs()),
        stimulations=len(drive.stimulation),
        margins=wanted.margins,
    )


def _population(
    network: SpikingNetwork, drive: Drive, number: int, wanted: Wanted, dtype: str
) -> PopulationForm:
    population = network.populations[number]
    neurons, span = population.neurons, network.span(population.name)
    chosen = drive.chosen(network.size)[:, span]
    constants = neurons.constants_of(population.size, network.dt_ms)
    constants.pop("threshold", None)
    return PopulationForm(
        states=tuple(neurons.states),
        voltage=neurons.voltage,
        constants=neurons.named_constants(),
        alike=_alike(constants),
        traces=traces(neurons, dtype),
        fires=neurons.fires,
        strictly=neurons.strictly,
        graded=neurons.emits == "value",
        gated=neurons.gated,
        noise=_noise(drive, population),
        stimulated=tuple(m for m, mine in enumerate(chosen) if mine.any()),
        sampled=wanted.sampled(network, number),
        stepped=wanted.stepped(network, number),
    )


def _noise(drive: Drive, population: Population) -> NoiseKind:
    if isinstance(drive.noise, FrozenNoise):
        return "given"
    return "counted" if np.any(population.noise_mv) else "none"


def _projection(
    network: SpikingNetwork, numbers: Mapping[str, int], projection: Projection, dtype: str
) -> ProjectionForm:
    filter_ = projection.filter
    between = not network.is_input(projection.source)
    held = projection.shape[1 if filter_.side == "pre" else 0]
    return ProjectionForm(
        # Analog inputs have no number.
        source=numbers.get(projection.source, -1),
        target=numbers[projection.target],
        within_step=network.acts_within_step(projection),
        # Without a state both sides are the same.
        presynaptic=filter_.side == "pre" and not filter_.memoryless,
        graded=network.emits(projection.source) == "value",
        dense=tuple(not is_sparse(factor) for factor in matrices_of(projection.weights)),
        delayed=projection.longest_delay_steps > 0,
        own_delays=projection.own_delays,
        scaled=projection.scaled and between,
        started=tuple(state for state in filter_.states if state in projection.initial_states),
        states=tuple(filter_.states),
        output=filter_.output,
        constants=filter_.named_constants(),
        alike=_alike(filter_.constants_of(held, network.dt_ms)),
        decay=filter_trace(filter_, dtype).decay,
    )


def _alike(constants: Mapping[str, NDArray[np.float64]]) -> tuple[str, ...]:
    """Names of the constants that are one number for all, to the last bit: 0 is not -0."""
    return tuple(
        name
        for name, values in constants.items()
        if values.size and np.unique(values.view(np.int64)).size == 1
    )
