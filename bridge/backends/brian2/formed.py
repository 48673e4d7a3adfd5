"""The form of a run: what of a network and its drive decides the code that Brian2 generates."""

from typing import Any

import numpy as np

from bridge.backends.brian2.form import Form, NoiseKind, PopulationForm, ProjectionForm
from bridge.backends.brian2.statements import Numbers, assigned, statements
from bridge.backends.kept import EMITTED, Wanted
from bridge.backends.stages import stages_of
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise
from bridge.spiking.filters import filter_trace
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import NeuronModel, traces
from bridge.spiking.population import Population


def form_of(network: SpikingNetwork, drive: Drive, wanted: Wanted, *, counted: bool) -> Form:
    """The form of a run of all trials of `drive`.

    Args:
        network: What is run.
        drive: Its number of trials and samples, its kind of noise, whether it has gains.
        wanted: What is recorded in addition to spikes.
        counted: Shared noise is computed by the generated code, not given.
    """
    numbers = Numbers()
    stages = _stages(network)
    return Form(
        dt_ms=float(network.dt_ms),
        trials=drive.n_trials,
        samples=len(drive.inputs),
        sample_steps=network.sample_steps,
        sample_offset_steps=network.sample_offset_steps,
        populations=tuple(
            PopulationForm(
                size=population.size,
                stage=stages[number],
                **_model_form(population.neurons, numbers),
                noise=_noise_kind(population, drive, counted=counted),
                stimulated=_stimulated(network, population, drive),
                sampled=tuple(map(variable, wanted.sampled(network, number))),
                stepped=tuple(map(variable, wanted.stepped(network, number))),
            )
            for number, population in enumerate(network.populations)
        )
        + tuple(
            _input_form(part.size, number)
            for number, part in enumerate(network.spiking_inputs(), len(network.populations))
        ),
        projections=tuple(
            _projection_form(network, into, numbers) for into in range(len(network.projections))
        ),
        numbers=numbers.named,
        gain=drive.recurrent_gain is not None,
        margins=wanted.margins,
    )


def variable(name: str) -> str:
    """The variable that holds a state, or what is passed on."""
    return "emitted" if name == EMITTED else f"state_{name}"


def _stages(network: SpikingNetwork) -> list[int]:
    """The stage of each population: inputs that act within the step have one before them."""
    ahead = any(
        part.within_step and network.is_input(part.source) and not network.is_analog(part.source)
        for part in network.projections
    )
    stages = {
        number: place + int(ahead)
        for place, members in enumerate(stages_of(network))
        for number in members
    }
    return [stages[number] for number in range(len(stages))]


def _input_form(size: int, number: int) -> PopulationForm:
    """An input that emits spikes: each unit knows its next one, and its place in the table."""
    return PopulationForm(
        size=size,
        stage=0,
        states=(),
        voltage="",
        constants=(),
        step=(),
        emission=(),
        condition="train_due == t_in_timesteps",
        reset=("train_place = train_place + 1", f"train_due = train_{number}(train_place)"),
        gated=False,
        noise="none",
        stimulated=(),
        sampled=(),
        stepped=(),
        given=True,
    )


def _model_form(neurons: NeuronModel, numbers: Numbers) -> dict[str, Any]:
    """What a model is in statements: the fields of a `PopulationForm` that it decides."""
    traced, one = traces(neurons), numbers.name(1.0)
    states = {name: variable(name) for name in neurons.states}
    constants = {name: f"constant_{name}" for name in neurons.named_constants()}
    names = {f"state.{name}": variable for name, variable in states.items()}
    names |= {f"constant.{name}": variable for name, variable in constants.items()}
    step, stepped = _step(neurons, states, names | {"current": "{current}"}, numbers)
    step += _taken_over(stepped, {"{current}", *constants.values()}, one)
    step += assigned(stepped, states, one)
    emission, emitted = statements(traced.emitted, "emission", names, numbers)
    emission += [f"emitted = {held}" for held in emitted.values()]
    reset, fresh = statements(traced.reset, "reset", names, numbers)
    reset += assigned(fresh, states, one)
    if neurons.gated:
        step.append("refractory_left = refractory_left - int(refractory_left > 0)")
        reset.append("refractory_left = refractory_steps")
    met = ">" if neurons.strictly else ">="
    voltage = states[neurons.voltage]
    return {
        "states": tuple(states.values()),
        "voltage": voltage,
        "constants": tuple(constants.values()),
        "step": tuple(step),
        "emission": tuple(emission),
        "condition": f"{voltage} {met} {constants['threshold']}" if neurons.fires else "",
        "reset": tuple(reset),
        "gated": neurons.gated,
    }


def _taken_over(stepped: dict[str, str], lasting: set[str], one: str) -> list[str]:
    """Statements that copy what a state is to become where that goes on by itself.

    The numpy target would add noise to the constant that a state was set to.
    """
    lines = []
    for name, held in stepped.items():
        if held in lasting:
            stepped[name] = f"own_{name}"
            lines.append(f"own_{name} = {held} * {one}")
    return lines


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


def _step(
    neurons: NeuronModel, states: dict[str, str], names: dict[str, str], numbers: Numbers
) -> tuple[list[str], dict[str, str]]:
    """Statements of a model's step where neurons are free, and what holds each new state.

    Multiplying by 0 or 1 rounds nothing, and compilers vectorise it.
    """
    free, refractory = "int(refractory_left == 0)", "int(refractory_left > 0)"
    traced = traces(neurons)
    if not neurons.gated:
        return statements(traced.step, "step", names, numbers)
    if traced.change is not None:
        (state,) = states
        step, outputs = statements(traced.change, "step", names, numbers)
        step.append(f"taken = {outputs['change']} * {free}")
        step.append(f"grown = {states[state]} + taken")
        return step, {state: "grown"}
    step, stepped = statements(traced.step, "step", names, numbers)
    for name, held in stepped.items():
        step.append(f"taken_{name} = {held} * {free}")
        step.append(f"kept_{name} = {states[name]} * {refractory}")
        step.append(f"gated_{name} = taken_{name} + kept_{name}")
    return step, {name: f"gated_{name}" for name in stepped}


def _projection_form(network: SpikingNetwork, into: int, numbers: Numbers) -> ProjectionForm:
    projection = network.projections[into]
    order = [population.name for population in network.populations]
    order += [part.name for part in network.spiking_inputs()]
    filter_, from_input = projection.filter, network.is_analog(projection.source)
    states = {name: f"filter_{into}_{name}" for name in filter_.states}
    constants = {name: f"filter_{into}_constant_{name}" for name in filter_.named_constants()}
    names = {f"state.{name}": variable for name, variable in states.items()}
    names |= {f"constant.{name}": variable for name, variable in constants.items()}
    graded = not from_input and network.emits(projection.source) == "value"
    late = not from_input and (projection.own_delays or (graded and projection.delays.any()))
    decay, decayed = statements(filter_trace(filter_).decay, f"decay_{into}", names, numbers)
    return ProjectionForm(
        source=-1 if from_input else order.index(projection.source),
        target=order.index(projection.target),
        given=from_input and (filter_.side == "pre" or projection.longest_delay_steps > 0),
        states=tuple(states.values()),
        output=states.get(filter_.output, f"filter_{into}_x"),
        constants=tuple(constants.values()),
        decay=(*decay, *assigned(decayed, states, numbers.name(1.0))),
        side=filter_.side,
        graded=graded,
        within_step=network.acts_within_step(projection),
        # What is given is so already.
        delay_steps=0 if from_input or late else projection.shortest_delay_steps,
        late=bool(late),
        scaled=not from_input and projection.scaled,
        rank=projection.rank,
        connected=not from_input and all(factor.nnz for factor in projection.factors),
    )
