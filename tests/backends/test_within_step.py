"""What acts within the step: layers that hand on in the step in which they emit."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, FrozenNoise, NoiseStream, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

QUICK = ["brian2-numpy", "snntorch", "compiled"]
# Slow to build: the layers of `test_src` go through the compiled program each time.
COMPILED = [
    pytest.param(name, marks=pytest.mark.full) for name in ("brian2-standalone", "brian2-cython")
]
SIZES = {"first": 9, "second": 7, "third": 5}


def population(name, threshold_mv=1.0):
    neurons = Lif(
        membrane_step="euler", tau_mem_ms=10.0, v_rest_mv=0.0, v_threshold_mv=threshold_mv,
        v_reset_mv=0.0, refractory_steps=3 if name == "second" else 0,
    )  # fmt: skip
    start = UniformVoltage(low_mv=0.0, high_mv=0.9)
    noise = 0.05 if name == "first" else 0.0
    return Population(
        name=name, size=SIZES[name], neurons=neurons, initial_voltage=start, noise_mv=noise
    )


def projection(source, target, filter_, weights, **fields):
    name = f"{source}_to_{target}"
    return Projection(
        name=name, source=source, target=target, filter=filter_, weights=weights, **fields
    )


def layers(seed=3):
    """Three layers, each within the step on the next; the last acts back, a step later."""
    rng = np.random.default_rng(seed)

    def weights(post, pre, scale):
        return rng.normal(scale, abs(scale), (SIZES[post], SIZES.get(pre, 2)))

    rise = rng.uniform(0.5, 2, SIZES["third"])
    return SpikingNetwork(
        dt_ms=0.5,
        populations=[population(name) for name in SIZES],
        projections=[
            projection(INPUT, "first", Exponential(tau_ms=4.0, normalisation="jump"),
                       weights("first", INPUT, 2.0), within_step=True),
            projection("first", "second", Direct(), weights("second", "first", 8.0),
                       within_step=True),
            projection("first", "third", DoubleExponential(tau_rise_ms=rise, tau_decay_ms=5.0),
                       weights("third", "first", 0.02), within_step=True),
            projection("second", "third", Exponential(tau_ms=3.0, normalisation="jump", side="pre"),
                       weights("third", "second", 2.0), within_step=True),
            projection("third", "first", Exponential(tau_ms=3.0, normalisation="jump"),
                       weights("first", "third", -0.5)),
            projection("third", "third", Direct(), weights("third", "third", 1.0), delay_steps=4),
        ],
        input_size=2,
        sample_steps=6,
        sample_offset_steps=2,
    )  # fmt: skip


def drive(samples=30, trials=3):
    rng = np.random.default_rng(1)
    return Drive(
        inputs=rng.uniform(0, 1, (samples, trials, 2)), noise=SharedNoise(seed=4),
        recurrent_gain=np.array([1.0, 0.7, 1.3])[:trials],
    )  # fmt: skip


def run(label, network, given):
    backend, options = EXACT_BACKENDS[label]
    return simulate(network, given, backend=backend, voltages=True, margins=True, **options)


def step_by_step(network, inputs):
    """The same three layers in loops over steps alone, for one trial: spikes (K, N)."""
    first, second, third = (network.population(name) for name in SIZES)
    given = Drive(inputs=inputs, noise=SharedNoise(seed=4))
    v = {name: given.initial_voltages_mv(network)[0, network.span(name)] for name in SIZES}
    noise = NoiseStream(network, given).take(given.n_steps(network))[:, 0]
    parts = {part.name: part for part in network.projections}
    w = {name: part.weights for name, part in parts.items()}
    dt, tau = network.dt_ms, 10.0
    x_in, back = np.zeros(9), np.zeros(9)
    traces, rise, slow = np.zeros(7), np.zeros(5), np.zeros(5)
    times = parts["first_to_third"].filter
    held = [np.zeros(5) for _ in range(5)]
    left, spikes = np.zeros(7, dtype=int), []
    for step in range(given.n_steps(network)):
        u = inputs[network.input_sample(step, len(inputs)), 0]
        x_in = x_in * np.exp(-dt / 4.0) + w["input_to_first"] @ u
        v["first"] = v["first"] + dt / tau * (x_in + back - v["first"]) + noise[step, :9]
        fired = (v["first"] >= 1.0).astype(float)
        stepped = v["second"] + dt / tau * (w["first_to_second"] @ fired - v["second"])
        v["second"] = np.where(left == 0, stepped, v["second"])
        left = np.maximum(left - 1, 0)
        then = (v["second"] >= 1.0).astype(float)
        slow = slow * np.exp(-dt / times.tau_decay_ms) + rise * dt / 1000
        rise = rise * np.exp(-dt / times.tau_rise_ms) + w["first_to_third"] @ fired / (
            times.tau_rise_ms / 1000 * times.tau_decay_ms / 1000
        )
        traces = traces * np.exp(-dt / 3.0) + then
        current = slow + w["second_to_third"] @ traces + held.pop(0)
        v["third"] = v["third"] + dt / tau * (current - v["third"])
        last = (v["third"] >= 1.0).astype(float)
        back = back * np.exp(-dt / 3.0) + w["third_to_first"] @ last
        held.append(w["third_to_third"] @ last)
        for name, now in zip(SIZES, (fired, then, last), strict=True):
            v[name] = np.where(now > 0, 0.0, v[name])
        left = np.where(then > 0, 3, left)
        spikes.append(np.concatenate([fired, then, last]))
    assert (first.size, second.size, third.size) == (9, 7, 5)
    return np.array(spikes)


def test_the_reference_takes_the_steps_of_a_plain_loop():
    network, given = layers(), drive(trials=1)
    got = simulate(network, replace(given, recurrent_gain=None))
    expected = step_by_step(network, given.inputs)
    found = np.zeros_like(expected)
    found[got.spikes.step, got.spikes.neuron] = 1
    for name in SIZES:
        assert expected[:, network.span(name)].sum() > 20
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("label", [*QUICK, *COMPILED])
def test_layers_within_the_step_fire_the_same_spikes_everywhere(label):
    network, given = layers(), drive()
    expected, got = run("reference", network, given), run(label, network, given)
    assert expected.spikes.count > 300
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)


@pytest.mark.parametrize("name", [part.name for part in layers().projections if part.within_step])
def test_it_matters_which_act_within_the_step(name):
    network = layers()
    later = [
        replace(part, within_step=False) if part.name == name else part
        for part in network.projections
    ]
    expected, got = (
        simulate(network, drive()),
        simulate(replace(network, projections=later), drive()),
    )
    assert not np.array_equal(expected.spikes.codes(), got.spikes.codes())


def chain(*pairs):
    return [projection(a, b, Direct(), np.ones((SIZES[b], SIZES[a])), within_step=True)
            for a, b in pairs]  # fmt: skip


def network_of(projections):
    return SpikingNetwork(
        dt_ms=0.5, populations=[population(name) for name in SIZES], projections=projections
    )


def test_a_loop_within_the_step_is_named():
    with pytest.raises(SpecError, match="loop, third to first to second to third"):
        network_of(chain(("first", "second"), ("second", "third"), ("third", "first")))
    with pytest.raises(SpecError, match="loop, second to second"):
        network_of(chain(("second", "second")))


def test_what_acts_within_the_step_comes_before_what_it_acts_on():
    with pytest.raises(SpecError, match="population first has to come after third"):
        network_of(chain(("third", "first")))


def test_what_acts_within_the_step_has_no_delay():
    fields = {"within_step": True, "delay_steps": 1}
    late = projection("first", "second", Direct(), np.ones((7, 9)), **fields)
    with pytest.raises(SpecError, match="has no delay"):
        network_of([late])


def test_nest_and_dense_steps_refuse_it():
    network = layers()
    with pytest.raises(SpecError, match="dense: not for networks"):
        simulate(network, drive(), backend="snntorch", dense=True)
    filtered = [
        projection("first", "second", Exponential(tau_ms=3.0, normalisation="jump"),
                   np.ones((7, 9)), within_step=True)
    ]  # fmt: skip
    with pytest.raises(SpecError, match="in NEST a spike acts a step later at least"):
        simulate(network_of(filtered), Drive(inputs=np.zeros((2, 1, 0)), noise=SharedNoise(seed=1)),
                 backend="nest")  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("noise", ["shared", "frozen"])
def test_stages_of_compiled_steps_fire_the_same_spikes(noise):
    network, given = layers(), drive()
    if noise == "frozen":
        drawn = NoiseStream(network, given).take(given.n_steps(network))
        given = replace(
            given, noise=FrozenNoise(values_mv=drawn),
            v_initial_mv=given.initial_voltages_mv(network),
        )  # fmt: skip
    expected = simulate(network, given, voltages=True)
    got = simulate(network, given, backend="snntorch", compiled=True, voltages=True)
    assert got.provenance["compiled"]
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


def test_frozen_noise_reaches_every_stage():
    network, given = layers(), drive()
    drawn = NoiseStream(network, given).take(given.n_steps(network))
    frozen = replace(
        given, noise=FrozenNoise(values_mv=drawn), v_initial_mv=given.initial_voltages_mv(network)
    )
    expected = simulate(network, given, voltages=True)
    for label in ("reference", *QUICK):
        got = run(label, network, frozen)
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
