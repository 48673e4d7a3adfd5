"""What is printed of an object is its essentials in a line: no arrays, nothing that scrolls by."""

import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from conftest import NETWORKS, STIMULATION, drive_for, kim_network
from exchange.test_store import THINGS, conversion, recording
from methods.rate_targets.one_sine import SMALL, one_sine

import bridge
from bridge.compare.statistics.comparison import Plan
from bridge.compare.statistics.design import Design, Quantity
from bridge.compare.statistics.power import Sensitivity
from bridge.exchange.formats import Encoded, Imported
from bridge.exchange.spike_trains import SpikeTrains
from bridge.methods.one_to_one import SpikingOptions
from bridge.methods.scoring import Score
from bridge.methods.search_options import SearchOptions
from bridge.rate.network import RateNetwork
from bridge.rate.training_options import Options
from bridge.spiking.drive import FrozenNoise
from bridge.spiking.essentials import brief
from bridge.tasks.neurogym import NeurogymTrials

LONGEST = 300


def inside(thing):
    """A thing and every description within it."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        yield thing
        thing = [getattr(thing, field.name) for field in dataclasses.fields(thing)]
    if isinstance(thing, Mapping):
        thing = list(thing.values())
    if isinstance(thing, tuple | list):
        for part in thing:
            yield from inside(part)


def large_rate_network(size=300):
    rng = np.random.default_rng(0)
    return RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)), w_in=rng.normal(0, 1, (size, 2)),
        w_out=rng.normal(0, 1, (3, size)), b_out=np.zeros(3), tau_ms=rng.uniform(20, 100, size),
        task="go-nogo", provenance={"method": "trained in PyTorch", "options": {"seed": [1] * 999}},
    )  # fmt: skip


def large_spiking_network():
    return bridge.map_one_to_one(large_rate_network(), 30)


@cache
def agreement():
    return bridge.compare(
        kim_network(), backends=["reference", "snntorch"], levels=["exact", "statistical"],
        drive=drive_for(kim_network(), 4, trials=14), plan=Plan(trials=14),
    )  # fmt: skip


def tasks():
    rng = np.random.default_rng(0)
    built_in = [bridge.task(name) for name in ("go-nogo", "xor", "context", "oscillation")]
    mine = bridge.FunctionTask(
        name="mine", step_ms=5.0, steps=9, input_size=1, output_size=1, conditions=("a", "b") * 99,
        draw=lambda count, rng: None, correct=lambda outputs, trials: None,
    )  # fmt: skip
    trials = built_in[0].trials(20, rng)
    asked = NeurogymTrials(**vars(trials), asked=np.zeros((200, 20), dtype=bool))
    return [*built_in, bridge.task("flip-flop:bits=2"), mine, trials, asked]


@cache
def others():
    rng = np.random.default_rng(0)
    values = rng.poisson(5.0, (2, 30, 40)).astype(float)
    times = np.sort(rng.uniform(0, 1, 999))
    return [
        Imported(rate=large_rate_network(), inverse_scale=30.0, notes=("A note.",) * 40),
        Encoded(content=bytes(10_000), notes=("A note.",)),
        SpikeTrains(times_s=times, neuron=np.zeros(999, dtype=np.int64), populations={"a": 1}),
        Sensitivity.of(values, Design(sets=2, quantities=3, alpha=0.01), rng),
        Options(),
        Options(gain=2.0, learning_rate=0.5),
        SearchOptions(inverse_scales=np.arange(1, 900)),
        SpikingOptions(),
        Score(correct=3, trials=4),
        bridge.nmse(bound=0.1),
        bridge.fit_targets(one_sine(), **{**SMALL, "learn_trials": 2}),
        FrozenNoise(values_mv=np.zeros((100, 3, 50))),
    ]


MADE = {
    "what is stored": lambda: [make() for make in THINGS.values()],
    "networks of every form": lambda: [make() for make, _ in NETWORKS.values()],
    "stimulation": lambda: list(STIMULATION.values()),
    "large networks": lambda: [large_rate_network(), large_spiking_network()],
    "tasks and trials": tasks,
    "agreements": lambda: [agreement()],
    "others": others,
}  # fmt: skip


@pytest.mark.parametrize("kind", MADE)
def test_what_is_printed_of_any_object_is_a_line(kind):
    found = [thing for made in MADE[kind]() for thing in inside(made)]
    assert found
    for thing in found:
        line = repr(thing)
        assert line.startswith(f"{type(thing).__name__}("), line
        assert line.endswith(")"), line
        assert str(thing) == line
        assert len(line) < LONGEST, line
        for sign in ("\n", "array(", "[[", "  ", "<"):
            assert sign not in line, line


def test_every_public_class_was_looked_at():
    seen = {type(thing) for make in MADE.values() for made in make() for thing in inside(made)}
    public = {getattr(bridge, name) for name in bridge.__all__}
    classes = {each for each in public if isinstance(each, type) and dataclasses.is_dataclass(each)}
    assert classes <= seen


LINES = {
    "a rate network": (
        large_rate_network,
        "RateNetwork(300 units, 2 inputs, 3 outputs, sigmoid, step 5 ms, task go-nogo, "
        "trained in PyTorch)",
    ),
    "a spiking network": (
        large_spiking_network,
        "SpikingNetwork(300 neurons in units, Lif, 2 projections, readouts output, 2 inputs, "
        "step 0.05 ms, task go-nogo, one-to-one mapping",
    ),
    "a population": (
        lambda: NETWORKS["quadratic"][0]().populations[1],
        "Population(leaky: 9 Lif, cell types PV, SOM)",
    ),
    "neurons": (
        lambda: kim_network().populations[0].neurons,
        "Lif(membrane_step='euler', tau_mem_ms=10, v_rest_mv=0, v_threshold_mv=-40, "
        "v_reset_mv=-65, bias_mv=-40, refractory_steps=40, initial_refractory_steps=40)",
    ),
    "a projection": (
        lambda: NETWORKS["two populations"][0]().projections[1],
        "Projection(inh_to_exc: inh to exc, weights 20 x 12 (60 stored), Exponential, "
        "delay 15 steps)",
    ),
    "a filter": (
        lambda: NETWORKS["quadratic"][0]().projections[2].filter,
        "DoubleExponential(tau_rise_ms=1 to 3 (2), tau_decay_ms=4 to 9 (2), side='pre')",
    ),
    "a readout": (
        lambda: NETWORKS["two populations"][0]().readouts[0],
        "Readout(both: 1 output from exc, inh)",
    ),
    "a recording": (
        lambda: replace(
            recording(), labels=[0, 1, 0], conditions=("a", "b"), task="go-nogo", seed=0
        ),
        "Recording(3 trials of 0.001 s, 7 neurons in second, first, 40 spikes, readouts z, a, "
        "step 0.1 ms, task go-nogo, seed 0, reference)",
    ),
    "spikes": (lambda: recording().spikes, "Spikes(40 of 7 neurons, 3 trials of 10 steps)"),
    "a drive": (
        lambda: replace(drive_for(kim_network(), 8), task="go-nogo", seed=0),
        "Drive(2 trials of 8 samples, 2 inputs, SharedNoise(seed=5), task go-nogo, seed 0)",
    ),
    "a conversion": (
        conversion,
        "Conversion(6 neurons, 1/lambda 33.3333, 100.0% of 7 trials right, step 0.05 ms, "
        "task go-nogo, one-to-one mapping",
    ),
    "a search": (
        lambda: conversion().search,
        "ScaleSearch(1/lambda 33.3333 of 20 to 33.3333 (2), 100.0% of 7 trials right, seed 4, "
        "snntorch)",
    ),
    "a task": (
        lambda: bridge.task("context"),
        "Context(context: 500 samples of 5 ms, inputs 4, outputs 1, conditions 8)",
    ),
    "trials": (
        lambda: tasks()[-2],
        "Trials(20 trials, inputs 200 x 20 x 1, targets 200 x 20 x 1, labels 0 to 1)",
    ),
    "a quantity": (
        lambda: Quantity(name="a", unit="", values=np.zeros((2, 3, 4))),
        "Quantity(name='a', unit='', values=2 x 3 x 4 float64)",
    ),
    "options": (
        lambda: Options(gain=2.0, dale=False),
        "Options(dale=False, balanced=False, gain=2, learning_rate=0.001)",
    ),
    "an agreement": (
        agreement,
        "Agreement(reference, snntorch, agreed on exact, statistical, seed 0, 30 neurons)",
    ),
}


@pytest.mark.parametrize("kind", LINES)
def test_the_line_says_what_matters(kind):
    make, line = LINES[kind]
    assert repr(make()).startswith(line.removesuffix(")"))


def test_what_is_not_known_does_not_hide_what_is():
    assert brief(np.array([np.nan, 1.0, 3.0])) == "1 to 3 (3)"
    assert brief(np.full(3, np.nan)) == "nan to nan (3)"


def test_names_without_end_are_cut_short():
    network = replace(kim_network(), task="t" * 1000, provenance={"method": "made\nup " * 1000})
    assert len(repr(network)) < LONGEST
    many = replace(
        recording(), readouts={f"readout_{number}": np.zeros((5, 3, 1)) for number in range(90)}
    )
    assert "readout_3 and 86 more" in repr(many)
