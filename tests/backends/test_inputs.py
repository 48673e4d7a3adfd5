"""Several inputs under names of their own: analog ones side by side, and spikes as events."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from conftest import EXACT_BACKENDS
from scipy import sparse
from several_inputs import GIVEN, INPUTS, SIZES, drive, population, projection, several_inputs

from bridge.backends import simulate
from bridge.backends.weighted_sums import input_current
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, FrozenNoise, SharedNoise
from bridge.spiking.filters import Direct, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.inputs import Input
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.spikes import Spikes

QUICK = ["brian2-numpy", "snntorch", "compiled"]
COMPILED = [
    pytest.param(name, marks=pytest.mark.full) for name in ("brian2-standalone", "brian2-cython")
]


def run(label, network, given, **fields):
    backend, options = EXACT_BACKENDS[label]
    return simulate(
        network, given, backend=backend, voltages=True, margins=True, **options, **fields
    )


def step_by_step(network, given):
    """The same network in a loop over steps, for one trial without gain and noise: (K, N)."""
    parts = {part.name: part for part in network.projections}
    w = {
        name: np.asarray(part.weights if isinstance(part.weights, np.ndarray)
                         else part.weights.toarray())
        for name, part in parts.items()
    }  # fmt: skip
    fired = {}
    for name, spikes in given.spikes.items():
        fired[name] = np.zeros((spikes.n_steps, GIVEN[name]))
        fired[name][spikes.step, spikes.neuron] = 1.0
    v = given.initial_voltages_mv(network)[0].copy()
    near, far = slice(0, 6), slice(6, 11)
    dt, tau = 0.5, 8.0
    seen, held, nerves, onto, between = (np.zeros(n) for n in (2, 5, 7, 5, 5))
    rise, slow, back, waiting = np.zeros(5), np.zeros(5), np.zeros(6), np.zeros(6)
    times = parts["touch_to_far"].filter
    own = np.asarray(parts["nerve_to_near"].filter.tau_ms)
    left, spikes, shown = np.zeros(6, dtype=int), [], []
    for step in range(given.n_steps(network)):
        u = given.inputs[network.input_sample(step, len(given.inputs)), 0]
        light, sound = u[:2], u[2:]
        touch, nerve = fired["touch"][step], fired["nerve"][step]
        shown.append(light)
        held = held * np.exp(-dt / 4.0) + w["light_to_far"] @ light
        slow = slow * np.exp(-dt / times.tau_decay_ms) + rise * dt / 1000
        rise = rise * np.exp(-dt / times.tau_rise_ms) + w["touch_to_far"] @ touch / (
            times.tau_rise_ms / 1000 * times.tau_decay_ms / 1000
        )
        current = np.zeros(11)
        current[near] += w["sound_to_near"] @ sound + w["light_to_near"] @ seen
        current[near] += w["touch_to_near"] @ touch + w["nerve_to_near"] @ nerves + back
        current[far] += held + slow + onto + between
        stepped = v + dt / tau * (current - v)
        free = np.concatenate([left == 0, np.ones(5, dtype=bool)])
        v = np.where(free, stepped, v)
        left = np.maximum(left - 1, 0)
        now = v >= 1.0
        late = fired["nerve"][step - 3] if step >= 3 else np.zeros(7)
        nerves = nerves * np.exp(-dt / own) + late
        seen = seen * np.exp(-dt / 4.0) + (shown[step - 2] if step >= 2 else 0.0)
        onto = onto * np.exp(-dt / 3.0) + w["nerve_to_far"] @ nerve
        between = between * np.exp(-dt / 3.0) + w["near_to_far"] @ now[near]
        back, waiting = waiting, w["far_to_near"] @ now[far]
        v = np.where(now, 0.0, v)
        left = np.where(now[near], 2, left)
        spikes.append(now)
    return np.array(spikes)


def test_the_reference_takes_the_steps_of_a_plain_loop():
    quiet = [population(name, noise_mv=0.0) for name in SIZES]
    network = replace(several_inputs(), populations=quiet)
    given = replace(drive(trials=1), recurrent_gain=None)
    expected = step_by_step(network, given)
    got = simulate(network, given).spikes
    found = np.zeros_like(expected)
    found[got.step, got.neuron] = True
    assert min(expected[:, :6].sum(), expected[:, 6:].sum()) > 20
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("label", [*QUICK, *COMPILED])
def test_several_inputs_give_the_same_bits_everywhere(label):
    network, given = several_inputs(), drive()
    expected, got = run("reference", network, given), run(label, network, given)
    assert expected.spikes.count > 200
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)


@pytest.mark.parametrize("label", QUICK)
def test_spikes_that_act_a_step_later_need_no_stage_of_their_own(label):
    network = several_inputs()
    later = [replace(part, within_step=False) for part in network.projections]
    network = replace(network, projections=later)
    expected, got = run("reference", network, drive()), run(label, network, drive())
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


@pytest.mark.parametrize("name", ["touch_to_near", "touch_to_far"])
def test_it_matters_which_act_within_the_step(name):
    network = several_inputs()
    later = [
        replace(part, within_step=False) if part.name == name else part
        for part in network.projections
    ]
    expected = simulate(network, drive()).spikes
    got = simulate(replace(network, projections=later), drive()).spikes
    assert not np.array_equal(expected.codes(), got.codes())


@pytest.mark.parametrize("label", ["reference", *QUICK])
def test_a_spike_acts_as_that_of_a_population_that_stands_before_all_others(label):
    """The input is made a population whose units are pushed over threshold when the table says."""
    network, given = several_inputs(), replace(drive(trials=1), recurrent_gain=None)
    parrots = Population(
        name="touch", size=4, initial_voltage=UniformVoltage(low_mv=0.0, high_mv=0.0),
        neurons=Lif(membrane_step="euler", tau_mem_ms=8.0, v_rest_mv=0.0, v_threshold_mv=1.0,
                    v_reset_mv=0.0),
    )  # fmt: skip
    within = replace(
        network, populations=[parrots, *network.populations],
        inputs=[part for part in INPUTS if part.name != "touch"],
    )  # fmt: skip
    spikes = given.spikes["touch"]
    push = np.zeros((spikes.n_steps, 1, 15))
    push[spikes.step, 0, spikes.neuron] = 5.0
    start = np.concatenate([np.zeros((1, 4)), given.initial_voltages_mv(network)], axis=1)
    alike = replace(
        given, noise=FrozenNoise(values_mv=push), v_initial_mv=start,
        spikes={"nerve": given.spikes["nerve"]},
    )  # fmt: skip
    quiet = replace(
        given, noise=FrozenNoise(values_mv=push[:, :, 4:]), v_initial_mv=start[:, 4:]
    )  # fmt: skip
    expected, got = run(label, within, alike), run(label, network, quiet)
    assert got.spikes.count > 60
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv[:, :, 4:])


def test_no_gain_acts_on_the_spikes_of_an_input():
    network = several_inputs()
    network = replace(network, projections=network.projections[:7])
    for label in ("reference", *QUICK):
        given = replace(drive(12), recurrent_gain=np.array([0.1, 3.0, 7.0]))
        got = run(label, network, given)
        expected = run(label, network, replace(given, recurrent_gain=None))
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


def test_one_named_input_gives_the_bits_of_the_old_one():
    network, rng = several_inputs(), np.random.default_rng(2)
    analog = [part for part in network.projections if part.source == "light"]
    parts = [part for part in network.projections if part.source in SIZES]
    named = replace(network, projections=analog + parts, inputs=(Input("light", 2),), input_size=2)
    plain = replace(
        named, inputs=(), projections=[replace(part, source="input") for part in analog] + parts
    )
    given = Drive(inputs=rng.uniform(0, 4, (15, 2, 2)), noise=SharedNoise(seed=1))
    for label in ("reference", *QUICK):
        got, expected = run(label, named, given), run(label, plain, given)
        assert expected.spikes.count > 20
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


def test_trials_of_a_drive_run_as_they_did_among_the_others():
    network, given = several_inputs(), drive(15)
    expected = simulate(network, given, voltages=True)
    for label in ("reference", *QUICK):
        got = run(label, network, given.trials(1, 3))
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv[:, 1:])
    parted = run("snntorch", network, given, workers=2)
    np.testing.assert_array_equal(parted.voltages_mv, expected.voltages_mv)
    for name, spikes in given.spikes.items():
        np.testing.assert_array_equal(parted.input_spikes[name].codes(), spikes.codes())


def test_dense_steps_take_spikes_of_inputs():
    network = several_inputs()
    expected = simulate(network, drive(), voltages=True, margins=True)
    got = run("snntorch", network, drive(), dense=True)
    assert expected.margins_mv.min() > 1e-9
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())


@pytest.mark.full
def test_compiled_steps_take_spikes_of_inputs():
    network = several_inputs()
    expected = simulate(network, drive(), voltages=True)
    got = run("snntorch", network, drive(), compiled=True)
    assert got.provenance["compiled"]
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


@pytest.mark.parametrize("label", ["reference", *QUICK])
def test_memory_follows_the_spikes_not_the_units_times_steps(label):
    units, steps = 100_000, 800
    weights = sparse.csc_array(([5.0], ([0], [units - 1])), shape=(1, units))
    one = Population(
        name="near", size=1, initial_voltage=UniformVoltage(low_mv=0.0, high_mv=0.0),
        neurons=Lif(membrane_step="euler", tau_mem_ms=8.0, v_rest_mv=0.0, v_threshold_mv=1.0,
                    v_reset_mv=0.0),
    )  # fmt: skip
    network = SpikingNetwork(
        dt_ms=1.0, populations=[one], inputs=(Input("nerve", units, emits="spikes"),),
        projections=[
            projection("nerve", "near", Exponential(tau_ms=3.0, normalisation="jump"), weights)
        ],
        sample_steps=steps,
    )  # fmt: skip
    spikes = Spikes.gather([0, 0], [7, steps - 9], [units - 1] * 2, (1, steps, units))
    given = Drive(inputs=np.zeros((1, 1, 0)), noise=SharedNoise(seed=1), spikes={"nerve": spikes})
    tracemalloc.start()
    got = run(label, network, given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert got.spikes.count >= 2
    # A byte for each unit in each step would be 80 MB.
    assert peak < 20e6


BAD = {
    "missing": (lambda d: {"touch": d["touch"]}, "spikes: those of input nerve are missing"),
    "unknown": (
        lambda d: d | {"smell": d["touch"]},
        "no spiking input 'smell'; this network has touch, nerve",
    ),
    "analog": (lambda d: d | {"light": d["touch"]}, "no spiking input 'light'"),
    "units": (
        lambda d: d | {"touch": replace(d["touch"], n_neurons=5)},
        "spikes of input touch: expected those of 4 units, got 5",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_spikes_that_do_not_fit_the_network_are_told(name):
    change, sentence = BAD[name]
    given = drive()
    with pytest.raises(SpecError, match=sentence):
        simulate(several_inputs(), replace(given, spikes=change(dict(given.spikes))))


def test_spikes_of_other_steps_or_trials_are_told():
    given = drive()
    longer = {name: replace(each, n_steps=246) for name, each in given.spikes.items()}
    with pytest.raises(SpecError, match="expected trials of 240 steps, got 246"):
        simulate(several_inputs(), replace(given, spikes=longer))
    with pytest.raises(SpecError, match="expected those of 3 trials, got 4"):
        replace(given, spikes={"touch": replace(given.spikes["touch"], n_trials=4)})
    uneven = given.spikes | {"touch": longer["touch"]}
    with pytest.raises(SpecError, match="expected trials of 240 steps, got 246"):
        replace(given, spikes=uneven)


@pytest.mark.parametrize("rows", [(), (7,), (4, 3)])
def test_sparse_input_weights_give_the_sums_of_dense_ones(rows):
    rng = np.random.default_rng(0)
    dense = np.where(rng.random((9, 6)) < 0.3, rng.normal(size=(9, 6)), 0.0)
    samples = rng.normal(size=(*rows, 6))
    one = projection("light", "near", Direct(), dense)
    other = projection("light", "near", Direct(), sparse.csc_array(dense))
    expected = np.zeros((*rows, 9))
    for channel in range(6):
        expected = expected + samples[..., channel, None] * dense[:, channel]
    np.testing.assert_array_equal(input_current(one, samples), expected)
    np.testing.assert_array_equal(input_current(other, samples), expected)


def test_sparse_input_weights_are_never_made_dense():
    channels = 30_000
    weights = sparse.random_array((channels, channels), density=1e-7, rng=np.random.default_rng(0))
    part = projection("light", "near", Direct(), weights)
    tracemalloc.start()
    input_current(part, np.ones((1, channels)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Dense they would be 7.2 GB.
    assert peak < 10e6
