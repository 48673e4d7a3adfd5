"""What decides the code that Brian2 generates for a run, and what is filled in afterwards.

A `Form` holds no values: no weight, constant, input, seed or connection. Networks of one form share
their generated code, and a compiled program of that form runs all of them.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bridge.backends.constants import Gates, gates, input_current, membrane
from bridge.backends.reference import filtered_input
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, derived_seed
from bridge.spiking.filters import Direct, DoubleExponential, Exponential, Side
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.neurons import Population
from bridge.spiking.noise import unit_keys
from bridge.spiking.values import unknown

Array = NDArray[np.float64]
Values = dict[str, NDArray[Any]]
NoiseKind = Literal["none", "given", "counted", "own"]


@dataclass(frozen=True)
class PopulationForm:
    """A population without its values.

    `noise`: "given" number by number, "counted" (`bridge.spiking.noise`, computed by the generated
    code) or the simulator's "own". `stimulated`: the stimulations that push some of its neurons.
    """

    size: int
    step: Literal["euler", "exact", "quadratic"]
    noise: NoiseKind
    stimulated: tuple[int, ...]


@dataclass(frozen=True)
class ProjectionForm:
    """A projection without its values; populations by number, the input as source -1.

    `filter` is what the generated code does: an input filtered on the presynaptic side is known
    beforehand and is "given", step by step.
    """

    source: int
    target: int
    filter: Literal["direct", "single", "double", "given"]
    side: Side
    delay_steps: int
    connected: bool


@dataclass(frozen=True)
class Form:
    """What decides the generated code of a run: B = `trials` side by side, T = `samples`."""

    dt_ms: float
    trials: int
    samples: int
    sample_steps: int
    sample_offset_steps: int
    populations: tuple[PopulationForm, ...]
    projections: tuple[ProjectionForm, ...]
    gain: bool
    voltages: bool
    margins: bool

    @property
    def steps(self) -> int:
        """Number of steps K of a trial."""
        return self.samples * self.sample_steps

    def owner(self, number: int) -> int | None:
        """The population whose neurons hold the filter of a projection; None: nobody does."""
        projection = self.projections[number]
        if projection.filter == "given":
            return None
        return projection.source if projection.side == "pre" else projection.target

    def plain(self) -> dict[str, Any]:
        """The form as plain values, to be hashed or handed to another process."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Form":
        """The form of what `plain` gave, also after a way through JSON."""
        populations = [
            PopulationForm(**{**part, "stimulated": tuple(part["stimulated"])})
            for part in plain["populations"]
        ]
        projections = [ProjectionForm(**part) for part in plain["projections"]]
        parts = {"populations": tuple(populations), "projections": tuple(projections)}
        return cls(**{**plain, **parts})


def form_of(
    network: SpikingNetwork, drive: Drive, *, counted: bool, voltages: bool, margins: bool
) -> Form:
    """The form of a run of all trials of `drive`.

    Args:
        network: What is run.
        drive: Its number of trials and samples, its kind of noise, whether it has gains.
        counted: Shared noise is computed by the generated code, not given.
        voltages: Voltages are recorded at the end of each sample.
        margins: The least distance from threshold is recorded.
    """
    names = [population.name for population in network.populations]
    return Form(
        dt_ms=float(network.dt_ms),
        trials=drive.n_trials,
        samples=len(drive.inputs),
        sample_steps=network.sample_steps,
        sample_offset_steps=network.sample_offset_steps,
        populations=tuple(
            PopulationForm(
                size=population.size,
                step=membrane(population.neurons, network.dt_ms).step,
                noise=_noise_kind(population, drive, counted=counted),
                stimulated=_stimulated(network, population, drive),
            )
            for population in network.populations
        ),
        projections=tuple(_projection_form(part, names) for part in network.projections),
        gain=drive.recurrent_gain is not None,
        voltages=voltages,
        margins=margins,
    )


def _noise_kind(population: Population, drive: Drive, *, counted: bool) -> NoiseKind:
    if isinstance(drive.noise, FrozenNoise):
        return "given"
    if not np.any(population.noise_mv):
        return "none"
    if isinstance(drive.noise, OwnNoise):
        return "own"
    return "counted" if counted else "given"


def _stimulated(network: SpikingNetwork, population: Population, drive: Drive) -> tuple[int, ...]:
    chosen = drive.chosen(network.size)[:, network.span(population.name)]
    return tuple(np.flatnonzero(chosen.any(axis=1)).tolist())


def _projection_form(projection: Projection, names: list[str]) -> ProjectionForm:
    kinds: dict[type, Literal["direct", "single", "double"]] = {
        Direct: "direct",
        Exponential: "single",
        DoubleExponential: "double",
    }
    if type(projection.filter) not in kinds:
        raise unknown(f"projection {projection.name}: filter", projection.filter)
    from_input, side = projection.source == INPUT, projection.filter.side
    given = from_input and side == "pre"
    return ProjectionForm(
        source=-1 if from_input else names.index(projection.source),
        target=names.index(projection.target),
        filter="given" if given else kinds[type(projection.filter)],
        side=side,
        delay_steps=projection.delay_steps,
        connected=not from_input and bool(projection.synapses().nnz),
    )


def constant_values(network: SpikingNetwork, form: Form, number: int) -> Values:
    """Constants of one trial's neurons of population `number`, (n,) each, and single numbers."""
    population, mine = network.populations[number], form.populations[number]
    constants = membrane(population.neurons, network.dt_ms)
    values: Values = {
        "bias": constants.bias,
        "factor": constants.factor,
        "v_threshold": constants.threshold,
        "v_reset": constants.reset,
        "refractory_steps": np.asarray(population.neurons.refractory_steps, dtype=np.int32),
    }
    if mine.noise in ("counted", "own"):
        values["noise_sd"] = np.asarray(population.noise_mv)
    if mine.noise == "counted":
        span = network.span(population.name)
        values["noise_unit"] = unit_keys(np.arange(span.start, span.stop, dtype=np.int32))
    for into, projection in enumerate(network.projections):
        if form.owner(into) == number:
            values |= _gate_values(gates(projection.filter, network.dt_ms), into)
    return values


def _gate_values(gate: Gates, into: int) -> Values:
    parts = {"decay": gate.decay, "rise": gate.rise, "gain": gate.gain}
    return {f"{name}_{into}": part for name, part in parts.items() if part is not None}


def start_values(network: SpikingNetwork, form: Form, number: int, drive: Drive) -> Values:
    """What population `number` starts the trials of `drive` with: (B n,) each, single numbers."""
    population, mine = network.populations[number], form.populations[number]
    shape = (drive.n_trials, population.size)
    left = population.neurons.initial_refractory_steps
    v_mv = drive.initial_voltages_mv(network)[:, network.span(population.name)]
    values: Values = {
        "v": v_mv.ravel(),
        "refractory_left": np.full(shape, left, dtype=np.int32).ravel(),
    }
    if drive.recurrent_gain is not None:
        values["trial_gain"] = np.broadcast_to(drive.recurrent_gain[:, None], shape).ravel()
    if form.margins:
        # Finite, so that the arithmetic that replaces it leaves nothing behind.
        values["margin"] = np.full(shape, 1e300).ravel()
    if mine.noise == "counted":
        keys = drive.noise_keys()[0]
        values |= {"noise_first": keys[0, ...], "noise_second": keys[1, ...]}
    for m in mine.stimulated:
        chosen = drive.chosen(network.size)[m, network.span(population.name)]
        values[f"chosen_{m}"] = np.broadcast_to(chosen, shape).ravel()
    if mine.noise == "own":
        values["run_seed"] = np.asarray(run_seed(drive), dtype=np.int32)
    return values


def run_seed(drive: Drive) -> int:
    """A seed of Brian2's own generator for these trials, below 2**31."""
    if isinstance(drive.noise, FrozenNoise):
        return 0
    return derived_seed(drive.noise.seed, drive.first_trial)


def input_values(network: SpikingNetwork, number: int, drive: Drive) -> Array:
    """(T, B * n_post) input current of every sample over projection `number`.

    Of every step where it is filtered on the presynaptic side.
    """
    projection = network.projections[number]
    if projection.filter.side == "pre":
        current = filtered_input(network, projection, drive)
    else:
        current = input_current(projection, drive.inputs)
    return current.reshape(len(current), -1)
