"""What decides the code that Brian2 generates for a run, and what is filled in afterwards.

A `Form` holds no values: no weight, constant, input, seed or connection. Networks of one form share
their generated code, and a compiled program of that form runs all of them.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bridge.backends.constants import gates, input_current, membrane
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, derived_seed
from bridge.spiking.filters import Direct, DoubleExponential
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.neurons import Population
from bridge.spiking.noise import unit_keys

Array = NDArray[np.float64]
Values = dict[str, NDArray[Any]]
NoiseKind = Literal["none", "given", "counted", "own"]


@dataclass(frozen=True)
class PopulationForm:
    """A population without its values.

    `noise`: "given" number by number, "counted" (`bridge.spiking.noise`, computed by the generated
    code) or the simulator's "own".
    """

    size: int
    euler: bool
    noise: NoiseKind


@dataclass(frozen=True)
class ProjectionForm:
    """A projection without its values; populations by number, the input as source -1."""

    source: int
    target: int
    filter: Literal["direct", "single", "double"]
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

    def plain(self) -> dict[str, Any]:
        """The form as plain values, to be hashed."""
        return asdict(self)


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
                euler=population.neurons.membrane_step == "euler",
                noise=_noise_kind(population, drive, counted=counted),
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


def _projection_form(projection: Projection, names: list[str]) -> ProjectionForm:
    kinds: dict[type, Literal["direct", "double"]] = {Direct: "direct", DoubleExponential: "double"}
    from_input = projection.source == INPUT
    return ProjectionForm(
        source=-1 if from_input else names.index(projection.source),
        target=names.index(projection.target),
        filter=kinds.get(type(projection.filter), "single"),
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
        if form.projections[into].target == number:
            gate = gates(projection.filter, network.dt_ms)
            parts = {"decay": gate.decay, "rise": gate.rise, "gain": gate.gain}
            values |= {f"{name}_{into}": part for name, part in parts.items() if part is not None}
    return values


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
    if mine.noise == "own":
        values["run_seed"] = np.asarray(run_seed(drive), dtype=np.int32)
    return values


def run_seed(drive: Drive) -> int:
    """A seed of Brian2's own generator for these trials, below 2**31."""
    if isinstance(drive.noise, FrozenNoise):
        return 0
    return derived_seed(drive.noise.seed, drive.first_trial)


def input_values(network: SpikingNetwork, number: int, drive: Drive) -> Array:
    """(T, B * n_post) input current of every sample over projection `number`."""
    current = input_current(network.projections[number], drive.inputs)
    return current.reshape(len(current), -1)
