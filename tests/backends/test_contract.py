"""One suite over all backends: a backend is done when the contract passes."""

from dataclasses import replace

import numpy as np
import pytest
from all_forms import all_forms_drive, all_forms_network
from conftest import (
    EXACT_BACKENDS,
    NETWORKS,
    STIMULATION,
    drive_for,
    go_nogo_network,
    kim_network,
    quadratic_network,
    two_population_network,
)

import bridge
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, FrozenNoise, NoiseStream, OwnNoise, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.stimulation import Stimulation

# Brian2 makes all its targets from one model; the compiled ones, slow to build, run the network of
# all forms and draw their own noise, the other questions go to the target that needs no compiler.
QUICK = ["reference", "brian2-numpy", "snntorch", "compiled"]


def run(label, network, drive, **options):
    backend, extra = EXACT_BACKENDS[label]
    return simulate(network, drive, backend=backend, **extra, **options)


@pytest.fixture(scope="module")
def reference_runs():
    """What the reference gives for each network, with everything recorded."""
    runs = {}
    for name, (make, samples) in NETWORKS.items():
        network = make()
        fields = {"recurrent_gain": [1.0, 0.7, 1.3], "stimulation": STIMULATION.get(name, ())}
        drive = drive_for(network, samples, trials=3, **fields)
        recording = simulate(network, drive, backend="reference", voltages=True, margins=True)
        runs[name] = (network, drive, recording)
    network = all_forms_network()
    drive = all_forms_drive(network)
    recording = simulate(network, drive, backend="reference", voltages=True, margins=True)
    runs["all forms"] = (network, drive, recording)
    whole, drive, _ = runs["two channels"]
    network = replace(whole, projections=whole.projections[1:], readouts=())
    recording = simulate(network, drive, backend="reference", voltages=True, margins=True)
    runs["one channel"] = (network, drive, recording)
    return runs


CASES = [(label, name) for label in QUICK[1:] for name in (*NETWORKS, "all forms")]
# Cython makes a module of every line of a network: of all forms some sixty, which take minutes.
CASES += [("brian2-cython", "one channel")]
# What a compiler that tries hard could round otherwise, it leaves alone at -O0. A program of
# Brian2's is made so for the frozen recording, and held to every bit there.
AS_USERS_HAVE_IT = [("compiled", "all forms")]
AS_USERS_HAVE_IT += [
    pytest.param(label, name, marks=pytest.mark.full)
    for label, name in (
        ("brian2-standalone", "one channel"),
        ("brian2-standalone", "two populations"),
        ("brian2-standalone", "all forms"),
        ("brian2-cython", "two populations"),
        ("brian2-cython", "all forms"),
    )
]


@pytest.mark.parametrize(("label", "name"), CASES)
def test_a_float64_backend_repeats_the_reference_bit_for_bit(label, name, reference_runs):
    check_bits(label, *reference_runs[name])


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize(("label", "name"), AS_USERS_HAVE_IT)
def test_compilers_that_try_hard_leave_every_bit(label, name, reference_runs):
    check_bits(label, *reference_runs[name])


def check_bits(label, network, drive, expected):
    got = run(label, network, drive, voltages=True, margins=True)
    assert expected.spikes.count > 50
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)
    for readout, outputs in expected.readouts.items():
        np.testing.assert_array_equal(got.readouts[readout], outputs)


def test_every_population_and_projection_of_all_forms_matters(reference_runs):
    network, drive, expected = reference_runs["all forms"]
    for population in network.populations:
        span = network.span(population.name)
        fired = (expected.spikes.neuron >= span.start) & (expected.spikes.neuron < span.stop)
        assert np.count_nonzero(fired) > 50
    # What comes later in a drive changes nothing before it.
    short = begun(drive, 20)
    for projection in network.projections:
        others = [other for other in network.projections if other is not projection]
        without = simulate(replace(network, projections=others), short, voltages=True)
        assert np.abs(without.voltages_mv - expected.voltages_mv[:20]).max() > 1


def begun(drive, samples):
    """The first samples of a drive."""
    steps = samples * drive.spikes["train"].n_steps // len(drive.inputs)
    return replace(
        drive,
        inputs=drive.inputs[:samples],
        spikes={name: trains.cut(0, steps) for name, trains in drive.spikes.items()},
        stimulation=[replace(k, stop_step=min(k.stop_step, steps)) for k in drive.stimulation],
    )


@pytest.mark.parametrize("name", [*NETWORKS, "all forms"])
def test_a_stored_network_runs_as_the_one_in_memory(name, reference_runs, tmp_path):
    # By a program that has been compiled for the one in memory.
    network, drive, expected = reference_runs[name]
    bridge.save(network, tmp_path / "network.h5")
    bridge.save(drive, tmp_path / "drive.h5")
    read, driven = bridge.load(tmp_path / "network.h5"), bridge.load(tmp_path / "drive.h5")
    got = run("compiled", read, driven, voltages=True, margins=True)
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


def single_neuron(weight_mv=0.0, filter_=None, **lif):
    """One noiseless neuron at rest at -60 mV, driven by one input channel through `filter_`."""
    given = {
        "membrane_step": "euler", "tau_mem_ms": 10.0, "v_rest_mv": -60.0, "v_threshold_mv": -50.0,
        "v_reset_mv": -60.0,
    } | lif  # fmt: skip
    return one_of(Lif(**given), weight_mv, filter_)


def single_qif(current, **fields):
    """One noiseless QIF neuron under a constant current, at the step of the paper's constants."""
    given = {"tau_mem_ms": 10.0, "v_threshold_mv": 30.0, "v_reset_mv": -65.0} | fields
    quiet = np.zeros(np.size(current))
    return replace(one_of(Qif(bias_mv=current, **given), quiet), dt_ms=0.01)


def one_of(neurons, weight_mv, filter_=None):
    """A neuron for each weight, each with the same input."""
    weights = np.reshape(weight_mv, (-1, 1))
    return SpikingNetwork(
        dt_ms=0.1,
        populations=[
            Population(
                name="one", size=len(weights), neurons=neurons,
                initial_voltage=UniformVoltage(low_mv=-60, high_mv=-60),
            )
        ],
        projections=[
            Projection(
                name="drive", source=INPUT, target="one", weights=weights,
                filter=filter_ or Direct(),
            )
        ],
        input_size=1,
    )  # fmt: skip


def side_by_side(networks):
    """Networks of one population each as one, which takes a simulator no longer than the first."""
    named = list(enumerate(networks))
    return replace(
        named[0][1],
        populations=[replace(net.populations[0], name=f"one_{k}") for k, net in named],
        projections=[
            replace(net.projections[0], name=f"drive_{k}", target=f"one_{k}") for k, net in named
        ],
    )


def constant(samples, trials=1):
    return Drive(inputs=np.ones((samples, trials, 1)), noise=SharedNoise(seed=0))


@pytest.mark.parametrize("label", QUICK)
def test_the_f_i_curve_follows_the_formula_of_the_lif(label):
    # 1 / (refractory + tau ln((I - reset) / (I - threshold))), currents relative to rest.
    currents = [12.0, 20.0]
    network = single_neuron(currents, membrane_step="exact", refractory_steps=20)
    # One interval is like the other.
    spikes = run(label, network, constant(700)).spikes
    for neuron, current in enumerate(currents):
        period_ms = 20 * 0.1 + 10 * np.log(current / (current - 10))
        intervals = np.diff(spikes.step[spikes.neuron == neuron]) * 0.1
        assert intervals.size > 1
        # A spike can only come at a step: up to two steps late.
        assert np.all(intervals >= period_ms)
        assert np.all(intervals <= period_ms + 0.2)


@pytest.mark.parametrize("label", QUICK)
def test_the_f_i_curve_follows_the_formula_of_the_qif(label):
    # v = s tan(s t / tau) from reset to threshold with s^2 = I, then the refractory time.
    currents = np.array([25.0, 100.0])
    network = single_qif(currents, refractory_steps=200)
    spikes = run(label, network, constant(1500), voltages=True).spikes
    for neuron, root in enumerate(np.sqrt(currents)):
        period_ms = 2 + 10 / root * (np.arctan(30 / root) - np.arctan(-65 / root))
        steps = spikes.step[spikes.neuron == neuron]
        assert steps.size > 1
        # A spike comes at a step, and Euler is early or late by about half a step, dt/2 ln f1/f0;
        # 0.0072 is found.
        assert np.diff(steps) * 0.01 == pytest.approx(period_ms, abs=0.01)


@pytest.mark.parametrize("label", QUICK)
def test_a_qif_neuron_rests_at_the_lower_root_of_its_current(label):
    # v^2 + I = 0: -5 mV draws v near, from +5 on it runs away. Longer steps end there, too.
    network = replace(single_qif(-25.0, initial_refractory_steps=1), dt_ms=0.04)
    starts, spikes = [[-60.0], [4.9], [5.1]], [0, 0, 1]
    drive = replace(constant(625, trials=3), v_initial_mv=starts)
    got = run(label, network, drive, voltages=True)
    assert np.bincount(got.spikes.trial, minlength=3).tolist() == spikes
    # What is left of a relaxation whose time constant, 1 / |2 v| of tau, is a tenth of it.
    assert got.voltages_mv[-1, :, 0] == pytest.approx(-5, abs=1e-6)


@pytest.mark.parametrize("label", [*QUICK, "float32"])
def test_no_voltage_of_a_qif_neuron_squares_to_infinity(label):
    # 1e25 squared is no number in float32, 1e200 none in float64.
    single = label == "float32"
    network = single_qif(-1e9, initial_refractory_steps=2)
    drive = replace(constant(6), v_initial_mv=[[-1e25 if single else -1e200]])
    if single:
        got = simulate(network, drive, backend="snntorch", dtype="float32", voltages=True)
    else:
        got = run(label, network, drive, voltages=True)
    assert np.all(got.voltages_mv <= 0)
    assert got.spikes.count == 0


@pytest.mark.parametrize("label", QUICK)
def test_stimulation_pushes_its_neurons_in_its_window_even_refractory_ones(label):
    # The membrane stands still: v counts the pushes, of three neurons in two populations.
    lif = {
        "membrane_step": "euler", "tau_mem_ms": 10.0, "v_rest_mv": 0.0, "v_threshold_mv": 0.0,
        "v_reset_mv": -70.0, "initial_refractory_steps": 30,
    }  # fmt: skip
    network = SpikingNetwork(
        dt_ms=0.1,
        populations=[
            Population(
                name=name, size=2, neurons=Lif(**lif),
                initial_voltage=UniformVoltage(low_mv=-60, high_mv=-60),
            )
            for name in ("first", "second")
        ],
        projections=[],
    )  # fmt: skip
    pushes = (
        Stimulation(start_step=3, stop_step=7, neurons=[0, 2], amplitude_mv=0.5, probability=1),
        Stimulation(start_step=5, stop_step=12, neurons=[2, 3], amplitude_mv=-2.0, probability=1),
        Stimulation(start_step=0, stop_step=20, neurons=[1], amplitude_mv=9.0, probability=0),
    )
    drive = Drive(inputs=np.zeros((20, 2, 0)), noise=SharedNoise(seed=0), stimulation=pushes)
    v_mv = run(label, network, drive, voltages=True).voltages_mv
    step = np.arange(20)
    first, second = np.clip(step - 2, 0, 4) * 0.5, np.clip(step - 4, 0, 7) * -2.0
    expected = -60 + np.stack([first, 0 * step, first + second, second], axis=1)
    np.testing.assert_array_equal(v_mv, np.stack([expected] * 2, axis=1))


@pytest.mark.parametrize("label", QUICK)
def test_a_push_to_threshold_makes_a_spike_in_its_own_step(label):
    push = Stimulation(start_step=4, stop_step=5, neurons=[0], amplitude_mv=10.0, probability=1)
    drive = replace(constant(9), stimulation=(push,))
    spikes = run(label, single_neuron(), drive, margins=True).spikes
    assert spikes.step.tolist() == [4]


@pytest.mark.parametrize("label", QUICK)
def test_margins_are_taken_after_the_pushes(label):
    # Only in its last step does the neuron, at rest 10 mV below threshold, come within 1 mV.
    push = Stimulation(start_step=8, stop_step=9, neurons=[0], amplitude_mv=9.0, probability=1)
    drive = replace(constant(9), stimulation=(push,))
    assert run(label, single_neuron(), drive, margins=True).margins_mv.tolist() == [1.0]


@pytest.mark.parametrize("label", QUICK)
def test_a_neuron_skips_exactly_its_refractory_steps(label):
    # Driven so hard that each fires at every step it may move in.
    periods = (0, 1, 7, 40)
    network = side_by_side(single_neuron(1e5, refractory_steps=steps) for steps in periods)
    spikes = run(label, network, constant(100)).spikes
    for neuron, steps in enumerate(periods):
        fired = spikes.step[spikes.neuron == neuron]
        assert fired.tolist() == list(range(0, 100, steps + 1))


@pytest.mark.parametrize("label", QUICK)
def test_a_trial_begins_with_its_initial_refractory_steps(label):
    network = single_neuron(1e5, initial_refractory_steps=13)
    assert run(label, network, constant(50)).spikes.step[0] == 13


@pytest.mark.parametrize("label", QUICK)
def test_a_neuron_at_threshold_fires_and_one_just_below_does_not(label):
    # v stays where it starts: no current, rest at the start value.
    starts = [-50.0, np.nextafter(-50.0, -60)]
    network = side_by_side(
        single_neuron(v_rest_mv=start, initial_refractory_steps=5) for start in starts
    )
    drive = replace(constant(3), v_initial_mv=[starts])
    assert run(label, network, drive).spikes.neuron.tolist() == [0]


FIRST_EFFECT = [
    (Direct(), 0, 1),
    (Exponential(tau_ms=5, normalisation="jump"), 0, 1),
    (DoubleExponential(tau_rise_ms=1, tau_decay_ms=5), 0, 2),
    (Exponential(tau_ms=5, normalisation="jump"), 6, 7),
    (DoubleExponential(tau_rise_ms=1, tau_decay_ms=5), 3, 5),
    (Exponential(tau_ms=5, normalisation="jump", side="pre"), 0, 1),
    (Exponential(tau_ms=5, normalisation="jump", side="pre"), 6, 7),
    (DoubleExponential(tau_rise_ms=1, tau_decay_ms=5, side="pre"), 0, 2),
    (DoubleExponential(tau_rise_ms=1, tau_decay_ms=5, side="pre"), 3, 5),
]


@pytest.mark.parametrize("label", QUICK)
def test_a_spike_first_moves_a_voltage_after_the_contracted_steps(label):
    # "sender" fires once, in step 0; each of the others rests until its own current comes.
    lif = {
        "membrane_step": "euler", "tau_mem_ms": 10.0, "v_rest_mv": -60.0, "v_threshold_mv": -50.0,
        "v_reset_mv": -60.0,
    }  # fmt: skip
    count = len(FIRST_EFFECT)
    network = SpikingNetwork(
        dt_ms=0.1,
        populations=[
            Population(
                name=name, size=size, neurons=Lif(**lif, initial_refractory_steps=1),
                initial_voltage=UniformVoltage(low_mv=start, high_mv=start),
            )
            for name, size, start in (("sender", 1, -50.0), ("receivers", count, -60.0))
        ],
        projections=[
            Projection(
                name=f"to_{k}", source="sender", target="receivers",
                weights=1e-3 * np.eye(count)[:, [k]], filter=filter_, delay_steps=delay,
            )
            for k, (filter_, delay, _) in enumerate(FIRST_EFFECT)
        ],
    )  # fmt: skip
    drive = Drive(inputs=np.zeros((12, 1, 0)), noise=SharedNoise(seed=0))
    voltages = run(label, network, drive, voltages=True).voltages_mv[:, 0, 1:]
    found = np.argmax(voltages != -60.0, axis=0)
    assert found.tolist() == [expected for *_, expected in FIRST_EFFECT]


@pytest.mark.parametrize("label", QUICK)
def test_weights_act_from_pre_to_post(label):
    network = two_population_network()
    drive = drive_for(network, 30)
    only = [p for p in network.projections if p.name in ("exc_to_inh", "filtered_input")]
    one_way = replace(network, projections=only)
    silenced = replace(one_way, projections=[p for p in only if p.source == INPUT])
    span = network.span("exc")
    with_it, without = run(label, one_way, drive).spikes, run(label, silenced, drive).spikes
    excitatory = [s.codes()[np.asarray(s.neuron) < span.stop] for s in (with_it, without)]
    np.testing.assert_array_equal(*excitatory)
    assert with_it.count != without.count


def one_by_one(projection):
    """The same projection as one for each presynaptic neuron, with its time constants alone."""
    weights = projection.synapses().toarray()
    arrays = {k: v for k, v in vars(projection.filter).items() if k.startswith("tau")}
    for j in range(weights.shape[1]):
        alone = np.zeros_like(weights)
        alone[:, j] = weights[:, j]
        own = {name: values[j] for name, values in arrays.items()}
        filter_ = replace(projection.filter, **own, side="post")
        name = f"{projection.name}_{j}"
        yield replace(projection, name=name, weights=alone, filter=filter_)


def test_filters_of_the_presynaptic_side_are_those_of_each_presynaptic_neuron_alone():
    # Filters are linear: the sum of filtered spikes is that of filtered sums, neuron by neuron.
    network = quadratic_network()
    split = [part for projection in network.projections for part in one_by_one(projection)]
    drive = drive_for(network, 30, recurrent_gain=[1.5, 0.7])
    got, expected = (
        simulate(one, drive, voltages=True)
        for one in (network, replace(network, projections=split))
    )
    assert expected.spikes.count > 50
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    # The same terms are added in another order, which rounds otherwise.
    np.testing.assert_allclose(got.voltages_mv, expected.voltages_mv, rtol=0, atol=1e-9)
    swapped = [replace(p, filter=p.filter) for p in network.projections]
    swapped[0] = replace(swapped[0], filter=swapped[0].filter.of_readout())
    other = simulate(replace(network, projections=swapped), drive, voltages=True)
    # The sides are not the same where neurons differ in their time constants.
    assert np.abs(got.voltages_mv - other.voltages_mv).max() > 1e-3


@pytest.mark.parametrize("label", QUICK)
def test_a_part_of_a_drive_gives_the_spikes_of_its_trials(label):
    network = go_nogo_network()
    pushes = (Stimulation(start_step=0, stop_step=180, neurons=[1, 5, 8], amplitude_mv=1.0),)
    drive = drive_for(network, 10, trials=4, stimulation=pushes)
    whole = run(label, network, drive).spikes
    part = run(label, network, drive.trials(1, 3)).spikes
    mine = (np.asarray(whole.trial) >= 1) & (np.asarray(whole.trial) < 3)
    assert np.count_nonzero(mine) > 50
    np.testing.assert_array_equal(np.asarray(whole.step)[mine], part.step)
    np.testing.assert_array_equal(np.asarray(whole.neuron)[mine], part.neuron)


@pytest.mark.parametrize("label", QUICK)
def test_shared_noise_is_the_frozen_noise_it_draws(label):
    network = go_nogo_network(size=12)
    drive = drive_for(network, 10)
    frozen = replace(
        drive,
        noise=FrozenNoise(values_mv=NoiseStream(network, drive).take(200)),
        v_initial_mv=drive.initial_voltages_mv(network),
    )
    one, other = run(label, network, drive).spikes, run(label, network, frozen).spikes
    assert one.count > 10
    np.testing.assert_array_equal(one.codes(), other.codes())


@pytest.mark.parametrize(
    "label", [*QUICK, "brian2-standalone", pytest.param("brian2-cython", marks=pytest.mark.full)]
)
def test_own_noise_is_decided_by_its_seed_and_has_the_right_variance(label):
    # Stationary variance of v under noise sd s each step: s^2 / (1 - (1 - dt/tau)^2).
    size, keep = 400, 1 - 0.1 / 2.0
    network = SpikingNetwork(
        dt_ms=0.1,
        populations=[
            Population(
                name="many", size=size, noise_mv=0.5,
                neurons=Lif(
                    membrane_step="euler", tau_mem_ms=2, v_rest_mv=-60, v_threshold_mv=0,
                    v_reset_mv=-60,
                ),
                initial_voltage=UniformVoltage(low_mv=-60, high_mv=-60),
            )
        ],
        projections=[],
        sample_steps=100,
    )  # fmt: skip

    def voltages(seed, trials=2):
        drive = Drive(inputs=np.zeros((6, trials, 0)), noise=OwnNoise(seed=seed))
        return run(label, network, drive, voltages=True).voltages_mv

    one, again, other = voltages(1), voltages(1), voltages(2)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[:, 0], one[:, 1])
    expected = 0.25 / (1 - keep**2)
    sample = one[1:].ravel() + 60
    # 4000 nearly independent draws: s.e. of the variance is 2.2 %, of the mean 1.6 % of the s.d.
    assert abs(sample.var() / expected - 1) < 0.1
    assert abs(sample.mean()) < 0.08 * np.sqrt(expected)


def test_float32_agrees_in_distribution():
    network = go_nogo_network()
    drive = drive_for(network, 40, trials=20)
    exact = simulate(network, drive, backend="snntorch", dtype="float64").spikes
    single = simulate(network, drive, backend="snntorch", dtype="float32").spikes
    counts = [np.bincount(s.trial, minlength=20) for s in (exact, single)]
    spread = np.std(counts[0]) * np.sqrt(2 / 20)
    assert abs(np.mean(counts[0]) - np.mean(counts[1])) < 4 * spread


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "neuron"}, "unknown backend 'neuron'; known are reference, brian2, snntorch"),
        ({"backend": "brian2", "target": "gpu"}, "unknown Brian2 target 'gpu'"),
        ({"backend": "snntorch", "dtype": "float16"}, "unknown dtype 'float16'"),
        ({"backend": "snntorch", "device": "tpu"}, "unknown device 'tpu'"),
        ({"backend": "reference", "target": "numpy"}, "backend reference: unknown option 'target'"),
    ],
)
def test_an_unknown_name_is_refused(options, message):
    network = kim_network(size=3)
    with pytest.raises(SpecError, match=message):
        simulate(network, drive_for(network, 1), **options)


@pytest.mark.parametrize("label", QUICK)
def test_a_drive_that_does_not_fit_is_refused(label):
    network = kim_network(size=3)
    drive = Drive(inputs=np.zeros((2, 1, 5)), noise=SharedNoise(seed=0))
    with pytest.raises(SpecError, match="the network takes 2 channels, got 5"):
        run(label, network, drive)
