"""The contract as a property: networks drawn by chance give the same bits in every exact backend.

`python data/drawn_networks.py` draws 300; what was drawn is on record in `drawn_networks.csv`.
"""

import os
import secrets
from collections import Counter
from typing import get_args

import numpy as np
from backends.test_values_and_windows import same
from conftest import EXACT_BACKENDS
from hypothesis import HealthCheck, assume, given, note, seed, settings
from hypothesis import strategies as st
from scipy import sparse

from bridge.backends import simulate
from bridge.spiking.computed_readouts import with_computed_readouts
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.inputs import Input
from bridge.spiking.network import Channel, Readout, SpikingNetwork, StateReadout
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.neurons.activation_if import ActivationIf
from bridge.spiking.neurons.brc import Brc
from bridge.spiking.neurons.cuba_li import CubaLi
from bridge.spiking.neurons.cuba_lif import CubaLif
from bridge.spiking.neurons.function_unit import FunctionUnit
from bridge.spiking.neurons.integrate_and_fire import IntegrateAndFire
from bridge.spiking.neurons.integrator import Integrator
from bridge.spiking.neurons.leaky_integrator import LeakyIntegrator
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.neurons.membrane import Filtered, Firing, LeakyMembrane, ResetByAll
from bridge.spiking.neurons.resistive_if import ResistiveIf
from bridge.spiking.neurons.resistive_lif import ResistiveLif
from bridge.spiking.neurons.src import Src
from bridge.spiking.neurons.threshold import Threshold
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.spikes import Spikes
from bridge.spiking.stimulation import Stimulation
from bridge.spiking.weights import Factored

# snnTorch takes many steps at once where there is none.
WINDOWS = [None, None, (13, 29)]
COUNT = int(os.environ.get("BRIDGE_DRAWN_NETWORKS", "15"))
LABELS = ("snntorch", "brian2-numpy", "compiled")
DRAWN = Counter()


def lif(draw, rng, size):
    by = draw(st.sampled_from(["value", "subtraction"]))
    return Lif(
        membrane_step=draw(st.sampled_from(["euler", "exact"])),
        tau_mem_ms=rng.uniform(5, 20, size), v_rest_mv=0.0, v_threshold_mv=rng.uniform(5, 10, size),
        v_reset_mv=-1.0, bias_mv=rng.uniform(0, 14, size), reset_by=by,
        fires_where=draw(st.sampled_from(["at_threshold", "above_threshold"])),
        refractory_steps=draw(st.integers(0, 4)), initial_refractory_steps=draw(st.integers(0, 3)),
    )  # fmt: skip


def integrating(draw, rng, size):
    by = draw(st.sampled_from(["value", "subtraction"]))
    return IntegrateAndFire(
        tau_mem_ms=rng.uniform(5, 20, size), v_threshold_mv=5.0, v_reset_mv=-0.5,
        bias_mv=rng.uniform(-1, 6, size), reset_by=by,
        fires_where=draw(st.sampled_from(["at_threshold", "above_threshold"])),
        refractory_steps=draw(st.integers(0, 2)),
    )  # fmt: skip


def activated(draw, rng, size):
    activation = draw(st.sampled_from(["sigmoid", "softplus", "relu"]))
    clipped = activation != "sigmoid" and draw(st.booleans())
    return ActivationIf(
        activation=activation, gain_hz=rng.uniform(50, 300, size), bias=rng.normal(0, 1, size),
        highest_rate=rng.uniform(0.5, 2, size) if clipped else np.inf,
        refractory_steps=draw(st.integers(0, 2)), initial_refractory_steps=draw(st.integers(0, 5)),
    )  # fmt: skip


def quadratic(draw, rng, size):
    return Qif(
        tau_mem_ms=rng.uniform(8, 12, size), v_threshold_mv=30.0, v_reset_mv=-65.0,
        bias_mv=rng.uniform(-10, 90, size), refractory_steps=draw(st.integers(0, 4)),
    )  # fmt: skip


def cells(draw, rng, size):
    gate = draw(st.sampled_from(["heaviside", "sigmoid"]))
    return Src(gate=gate, bias=rng.uniform(-6, -4, size), z=rng.uniform(0, 0.3, size))


def bistable(draw, rng, size):
    names = ("w_a", "u_a", "b_a", "w_c", "u_c", "b_c", "bias")
    return Brc(**{name: rng.normal(0, 1, size) for name in names})


def linear(draw, rng, size):
    return Linear(bias=rng.normal(0, 1, size))


def function(draw, rng, size):
    # Squares in a loop grow beyond all numbers; `tests/methods/test_nbrc.py` has them.
    bounded = draw(st.sampled_from(["tanh", "sigmoid"]))
    return FunctionUnit(function=bounded, bias=rng.normal(0, 1, size))


def membrane(model):
    """Neurons of NIR: what all its models have in common, and what each has of it."""

    def drawn(draw, rng, size):
        # Of a membrane without a leak per second.
        r = rng.uniform(100, 400, size) if not issubclass(model, LeakyMembrane) else 0.8
        given = {"bias": rng.normal(0.5, 1, size), "r": r}
        if issubclass(model, LeakyMembrane):
            given |= {"tau_mem_ms": rng.uniform(3, 20, size), "v_leak": rng.normal(0, 0.2, size)}
        if issubclass(model, Filtered):
            given |= {"tau_syn_ms": rng.uniform(2, 9, size), "w_in": rng.uniform(0.5, 2, size)}
        if issubclass(model, Firing):
            given |= {"v_threshold": rng.uniform(0.5, 1, size), "v_reset": rng.normal(0, 0.1, size),
                      "refractory_steps": draw(st.integers(0, 2)),
                      "reset_by": draw(st.sampled_from(get_args(ResetByAll)))}  # fmt: skip
            given["fires_where"] = draw(st.sampled_from(["at_threshold", "above_threshold"]))
        return model(**given)

    return drawn


def threshold(draw, rng, size):
    where = draw(st.sampled_from(["at_threshold", "above_threshold"]))
    return Threshold(threshold=rng.uniform(0, 1, size), bias=0.3, fires_where=where)


STARTS = [UniformVoltage(low_mv=-0.7, high_mv=0.4), NormalVoltage(mean_mv=0.0, sd_mv=0.3)]
MODELS = {
    "lif": lif,
    "if": integrating,
    "qif": quadratic,
    "src": cells,
    "brc": bistable,
    "linear": linear,
    "function": function,
    "activation_if": activated,
    "threshold": threshold,
    "integrator": membrane(Integrator),
    "leaky_integrator": membrane(LeakyIntegrator),
    "cuba_li": membrane(CubaLi),
    "resistive_if": membrane(ResistiveIf),
    "resistive_lif": membrane(ResistiveLif),
    "cuba_lif": membrane(CubaLif),
}
# By how much what arrives may move a state: the values of linear units in a loop grow in each step.
SCALES = {"src": 0.5, "linear": 0.1, "integrator": 0.2, "leaky_integrator": 0.2, "cuba_li": 0.2}


def filter_of(draw, rng, sizes):
    """A filter of a side, for (post, pre) sizes."""
    side = draw(st.sampled_from(["post", "pre"]))
    size = sizes[1] if side == "pre" else sizes[0]
    kind = draw(st.sampled_from(["direct", "jump", "area", "gain", "double"]))
    step = draw(st.sampled_from(["exact", "euler"]))
    if kind == "direct":
        return Direct()
    if kind == "double":
        return DoubleExponential(
            tau_rise_ms=rng.uniform(1, 3, size),
            tau_decay_ms=rng.uniform(3, 20, size),
            side=side,
            filter_step="exact",
        )
    gain = rng.uniform(0.2, 2, size) if kind == "gain" else 1.0
    return Exponential(
        tau_ms=rng.uniform(2, 20, size), normalisation=kind, side=side, gain=gain, filter_step=step
    )


def matrix_of(draw, rng, shape, scale):
    dense = rng.normal(0, scale, shape)
    if draw(st.booleans()):
        return dense
    return sparse.csc_array(np.where(rng.random(shape) < 0.5, dense, 0.0))


def weights_of(draw, rng, shape, scale):
    rank = draw(st.sampled_from([0, 0, 0, 1, 3]))
    if not rank:
        return matrix_of(draw, rng, shape, scale)
    left = matrix_of(draw, rng, (shape[0], rank), scale)
    return Factored(left=left, right=matrix_of(draw, rng, (rank, shape[1]), 1.0))


def delays_of(draw, rng, pre):
    """One delay, or one for each presynaptic neuron."""
    return rng.integers(0, 6, pre) if draw(st.booleans()) else draw(st.integers(0, 5))


def starts_of(draw, rng, filter_, sizes):
    """Where some of a filter's states start, for (post, pre) sizes."""
    size = sizes[1] if filter_.side == "pre" else sizes[0]
    chosen = draw(st.booleans())
    return {
        name: rng.normal(0, 2, size) for name in filter_.states if chosen and rng.random() < 0.7
    }


INPUTS = [
    (),
    (Input("more", 2),),
    (Input("train", 3, emits="spikes"),),
    (Input("train", 2, emits="spikes"), Input("more", 1), Input("other", 4, emits="spikes")),
]


EVERY_MODEL = tuple(sorted(MODELS))


@st.composite
def networks(draw, models=EVERY_MODEL, first=None):
    """A network of 1 to 4 populations, its filters, delays, chains within the step and loops."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # By the generator: hypothesis would draw some of them seldom.
    kinds = rng.choice(models, draw(st.integers(1, 4))).tolist()
    kinds[0] = first or kinds[0]
    sizes = {f"p{number}": draw(st.integers(1, 6)) for number in range(len(kinds))}
    populations = []
    for name, kind in zip(sizes, kinds, strict=True):
        start = draw(st.sampled_from(STARTS))
        noise = draw(st.sampled_from([0.0, 0.05])) * rng.random(sizes[name])
        populations.append(
            Population(
                name=name, size=sizes[name], neurons=MODELS[kind](draw, rng, sizes[name]),
                initial_voltage=start, noise_mv=noise,
                initial_states={"h_s": rng.normal(0, 0.3, sizes[name])} if kind == "src" else {},
            )
        )  # fmt: skip
    channels = draw(st.integers(0, 2))
    inputs = [*([Input(INPUT, channels)] if channels else []), *draw(st.sampled_from(INPUTS))]
    given = {part.name: part.size for part in inputs}
    sources = [*sizes, *given]
    projections = []
    for number in range(draw(st.integers(1, 8))):
        source, target = draw(st.sampled_from(sources)), draw(st.sampled_from(sorted(sizes)))
        shape = (sizes[target], (sizes | given)[source])
        later = source in given or source < target
        within = later and draw(st.sampled_from([True, True, False]))
        free = source in given or not within
        scale = SCALES.get(kinds[sorted(sizes).index(target)], 2.0)
        filter_ = filter_of(draw, rng, shape)
        projections.append(
            Projection(
                name=f"q{number}", source=source, target=target, filter=filter_,
                initial_states=starts_of(draw, rng, filter_, shape),
                weights=weights_of(draw, rng, shape, scale),
                delay_steps=delays_of(draw, rng, shape[1]) if free else 0, within_step=within,
                scaled=draw(st.booleans()),
            )
        )  # fmt: skip
    read = [part for part in populations if part.neurons.emits == "spikes"][:1]
    readouts = [
        Readout(
            name="output", bias=0.5,
            channels=[
                Channel(source=part.name, weights=rng.normal(0, 1, (2, part.size)),
                        filter=filter_of(draw, rng, (part.size, part.size)))
            ],
        )
        for part in read
    ]  # fmt: skip
    states = [
        StateReadout(name=f"{part.name}_{state}", source=part.name, state=state)
        for part in populations
        for state in part.neurons.states
    ]
    network = SpikingNetwork(
        dt_ms=draw(st.sampled_from([0.1, 0.5, 1.0])), populations=populations,
        projections=projections, readouts=[*readouts, *states], inputs=inputs,
        sample_steps=draw(st.sampled_from([1, 4, 10])), sample_offset_steps=draw(st.integers(0, 3)),
    )  # fmt: skip
    # Not by a choice of its own: hypothesis would prefer the first.
    return with_computed_readouts(network) if rng.random() < 0.5 else network


@st.composite
def drives(draw, network):
    """Input, gains and pushes for a network."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    trials, samples = draw(st.integers(1, 3)), 80 // network.sample_steps
    gain = rng.uniform(0.5, 1.5, trials) if draw(st.booleans()) else None
    pushed = Stimulation(
        start_step=5, stop_step=60, neurons=[int(rng.integers(network.size))], amplitude_mv=0.5
    )
    spikes = {}
    for part in network.spiking_inputs():
        fired = rng.random((trials, samples * network.sample_steps, part.size)) < 0.1
        spikes[part.name] = Spikes.gather(*np.nonzero(fired), fired.shape)
    return Drive(
        spikes=spikes,
        inputs=rng.normal(0, 1, (samples, trials, network.input_size)), noise=SharedNoise(seed=1),
        recurrent_gain=gain, stimulation=(pushed,) if draw(st.booleans()) else (),
    )  # fmt: skip


def every_backend_repeats_the_reference(first, number):
    """Networks whose first population is of a model: in turn, as chance may leave one out."""

    @seed(number)
    @settings(
        max_examples=max(1, COUNT // len(EVERY_MODEL)), deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def of_model(data):
        network = data.draw(networks(first=first))
        # Hypothesis begins with the simplest: a neuron or two, where nothing meets anything.
        assume(network.size > 3)
        drive = data.draw(drives(network))
        note(repr([*network.populations, *network.projections]))
        compare(network, drive, data.draw(st.sampled_from(WINDOWS)))

    of_model()


def compare(network, drive, window):
    """Every backend's bits with the reference's."""
    asked = {"voltages": True, "margins": True, "window": window}
    asked["values"] = any(part.neurons.emits == "value" for part in network.populations)
    expected = simulate(network, drive, **asked)
    for label in LABELS:
        backend, options = EXACT_BACKENDS[label]
        got = simulate(network, drive, backend=backend, **asked, **options)
        np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
        np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)
        for name, outputs in expected.readouts.items():
            np.testing.assert_array_equal(got.readouts[name], outputs)
        for name, values in (expected.values or {}).items():
            np.testing.assert_array_equal(got.values[name], values)
        if expected.window is not None:
            same(got.window, expected.window)
    DRAWN["networks"] += 1
    DRAWN["spikes"] += expected.spikes.count
    DRAWN["populations"] += len(network.populations)
    DRAWN["projections"] += len(network.projections)
    DRAWN["delays of their own"] += sum(part.own_delays for part in network.projections)
    DRAWN["factored"] += sum(part.rank > 0 for part in network.projections)
    DRAWN["filters that hold something"] += sum(
        bool(part.initial_states) for part in network.projections
    )
    DRAWN["computed readouts"] += any(part.name == "output" for part in network.shown_states)
    DRAWN["within the step"] += sum(part.within_step for part in network.projections)
    DRAWN["from spiking inputs"] += sum(part.source in drive.spikes for part in network.projections)
    DRAWN.update(part.neurons.kind for part in network.populations)


def test_drawn_networks_give_the_same_bits_everywhere():
    for number, first in enumerate(EVERY_MODEL):
        every_backend_repeats_the_reference(first, number if COUNT <= 30 else secrets.randbits(32))
    # And they were worth it: of all models, with spikes, and within the step.
    assert DRAWN["spikes"] > 20 * COUNT
    for kind in MODELS:
        assert DRAWN[kind] >= COUNT // 15, kind
    newer = ("delays of their own", "filters that hold something", "factored")
    for drawn in ("within the step", "computed readouts", "from spiking inputs", *newer):
        assert DRAWN[drawn] >= COUNT // 6, drawn
