"""NEST, the independent simulator: what it must share with the reference, and what it refuses."""

import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from conftest import (
    drive_for,
    go_nogo_network,
    kim_network,
    quadratic_network,
    two_channel_network,
    two_population_network,
)
from several_inputs import drive, several_inputs

import bridge
from bridge.backends import simulate
from bridge.backends.nest import simulation as nest
from bridge.backends.nest.kernel import load_its_packages
from bridge.backends.workers import in_processes
from bridge.errors import BackendError, SpecError
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.stimulation import Stimulation
from bridge.spiking.weights import Factored

REST = -60.0


@pytest.fixture(autouse=True, scope="module")
def _a_process_for_nest(tmp_path_factory):
    """In which NEST runs one network after the other, as it runs trials.

    A process for each run, as users have it, would be most of the time of these tests.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    FOR_NEST.update(pipe=ours, folder=tmp_path_factory.mktemp("for-nest"))
    yield
    ours.send(None)
    process.join()
    ours.close()


FOR_NEST = {}


def serve(pipe):
    """Run what lies in a folder, until nothing is asked."""
    while asked := pipe.recv():
        folder, options = asked
        network, drive = (bridge.load(folder / f"{name}.h5") for name in ("network", "drive"))
        pipe.send(simulate(network, drive, backend="nest", **options))


def in_nest(network, drive, **options):
    """A recording of NEST's, made in its process, which reads files."""
    folder, pipe = FOR_NEST["folder"], FOR_NEST["pipe"]
    for name, made in (("network", network), ("drive", drive)):
        (folder / f"{name}.h5").unlink(missing_ok=True)
        bridge.save(made, folder / f"{name}.h5")
    pipe.send((folder, options))
    return pipe.recv()


def in_reference(network, drive, **options):
    return simulate(network, drive, **options)


def lif(**fields):
    given = {
        "membrane_step": "euler", "tau_mem_ms": 10.0, "v_rest_mv": REST, "v_threshold_mv": -50.0,
        "v_reset_mv": REST,
    } | fields  # fmt: skip
    return Lif(**given)


def population(name, size=1, start=REST, noise_mv=0.0, **fields):
    return Population(
        name=name, size=size, neurons=lif(**fields), noise_mv=noise_mv,
        initial_voltage=UniformVoltage(low_mv=start, high_mv=start),
    )  # fmt: skip


def silenced(network):
    """The same network without noise."""
    quiet = [replace(part, noise_mv=0.0) for part in network.populations]
    return replace(network, populations=quiet)


def pair(filter_, delay=0, weight=1e-3, dt_ms=0.1, **receiver):
    """A sender that fires once, in step 0, and the receiver of its spike, at rest."""
    return SpikingNetwork(
        dt_ms=dt_ms,
        populations=[
            population("sender", start=-50.0, initial_refractory_steps=1),
            population("receiver", **receiver),
        ],
        projections=[
            Projection(
                name="one_way", source="sender", target="receiver", weights=[[weight]],
                filter=filter_, delay_steps=delay,
            )
        ],
    )  # fmt: skip


def alone(size=1, channels=0, dt_ms=0.1, start=REST, noise_mv=0.0, **fields):
    """Unconnected neurons; each input channel reaches the neuron of its number with 1 mV."""
    return SpikingNetwork(
        dt_ms=dt_ms,
        populations=[population("alone", size, start, noise_mv, **fields)],
        projections=[
            Projection(
                name="drive", source=INPUT, target="alone", weights=np.eye(size, channels),
                filter=Direct(),
            )
        ] if channels else [],
        input_size=channels,
    )  # fmt: skip


def undriven(samples, trials=1, seed=0):
    return Drive(inputs=np.zeros((samples, trials, 0)), noise=OwnNoise(seed=seed))


def side_by_side(networks):
    """Pairs in one network, which takes NEST no longer than one of them."""
    named = list(enumerate(networks))
    return replace(
        networks[0],
        populations=[
            replace(part, name=f"{part.name}_{k}") for k, net in named for part in net.populations
        ],
        projections=[
            replace(part, name=f"{part.name}_{k}", source=f"sender_{k}", target=f"receiver_{k}")
            for k, net in named
            for part in net.projections
        ],
    )


def psp(network, steps, run=in_nest, **options):
    """(steps, pairs) what the spike of each `pair` does to its receiver, mV from rest."""
    recording = run(network, undriven(steps), voltages=True, **options)
    pairs = network.size // 2
    assert recording.spikes.step.tolist() == [0] * pairs
    assert sorted(recording.spikes.neuron) == list(range(0, 2 * pairs, 2))
    return recording.voltages_mv[:, 0, 1::2] - REST


FILTERS = {
    "jump": Exponential(tau_ms=5, normalisation="jump"),
    "area": Exponential(tau_ms=3, normalisation="area"),
    "as slow as the membrane": Exponential(tau_ms=10, normalisation="jump"),
    "double": DoubleExponential(tau_rise_ms=2, tau_decay_ms=20),
    "fast double": DoubleExponential(tau_rise_ms=0.3, tau_decay_ms=1),
    "double of one time constant": DoubleExponential(tau_rise_ms=4, tau_decay_ms=4),
    "all time constants alike": DoubleExponential(tau_rise_ms=10, tau_decay_ms=10),
    "double that decays faster": DoubleExponential(tau_rise_ms=6, tau_decay_ms=2),
}
# NEST takes no equal time constants: they are set apart, which moves a voltage by up to 2e-5 of it.
SET_APART = ("as slow as the membrane", "double of one time constant", "all time constants alike")


@pytest.mark.parametrize("step", ["euler", "exact"])
def test_one_spike_moves_a_voltage_as_in_the_reference(step):
    # A step of delay, the shortest that NEST has, is the same for both.
    network = side_by_side([pair(each, delay=1, membrane_step=step) for each in FILTERS.values()])
    one, other = psp(network, 800), psp(network, 800, in_reference)
    for name, got, expected in zip(FILTERS, one.T, other.T, strict=True):
        assert got.max() == pytest.approx(expected.max(), rel=2e-5), name
        assert got.sum() == pytest.approx(expected.sum(), rel=2e-5), name
        # Else voltages of -60 mV are rounded to 7e-15 mV in each of 800 steps.
        off = 2e-5 * expected.max() if name in SET_APART else 1e-11
        np.testing.assert_allclose(got, expected, rtol=0, atol=off, err_msg=name)


def test_plain_parameters_follow_the_differential_equations():
    # tau dv/dt = -v + I with I = w e^(-t/s): v = w s / (s - tau) (e^(-t/s) - e^(-t/tau)).
    # The spike of step 0 arrives at the end of step 1, delay 1, or of step 1 = 1 + delay 0.
    t_ms = np.maximum(0.0, 0.1 * (np.arange(600) - 1))

    def formula(tau_ms):
        return tau_ms / (tau_ms - 10) * (np.exp(-t_ms / tau_ms) - np.exp(-t_ms / 10))

    single = psp(pair(FILTERS["jump"], delay=1, weight=0.5), 600, parameters="plain")
    double = psp(pair(FILTERS["double"], weight=0.01), 600, parameters="plain")
    # Exact propagation: voltages of -60 mV are rounded to 7e-15 mV in each of 600 steps.
    np.testing.assert_allclose(single[:, 0], 0.5 * formula(5), rtol=0, atol=2e-12)
    # Unit area in seconds: 1 / (20 - 2) per ms is 1000 / 18 Hz.
    area = 0.01 * 1000 / 18 * (formula(20) - formula(2))
    np.testing.assert_allclose(double[:, 0], area, rtol=0, atol=2e-12)


def test_spikes_of_inputs_arrive_as_those_of_a_population():
    network, given = several_inputs(), replace(drive(), noise=OwnNoise(seed=1))
    kept = [
        replace(part, within_step=False, delay_steps=max(1, part.delay_steps))
        for part in network.projections
        if not part.filter.memoryless and part.filter.side == "post" and part.source != "light"
    ]
    network = silenced(replace(network, projections=kept))
    assert {part.source for part in kept} == {"touch", "nerve", "near"}
    expected, got = (
        simulate(network, given, voltages=True),
        in_nest(network, given, voltages=True),
    )
    assert expected.spikes.count > 200
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    # Voltages of some mV are rounded to 1e-15 in each step, and forgotten with the membrane.
    np.testing.assert_allclose(got.voltages_mv, expected.voltages_mv, rtol=0, atol=1e-12)


def test_spikes_of_inputs_within_the_step_are_refused():
    given = replace(drive(), noise=OwnNoise(seed=1))
    network = several_inputs()
    network = replace(network, projections=[network.projections[4]])
    with pytest.raises(SpecError, match="touch_to_far: in NEST a spike acts a step later"):
        simulate(silenced(network), given, backend="nest")


# Filter, delay, and the step in which the voltage first moves: that of the contract, but for the
# single exponential without delay, one step late.
ONSETS = [
    ("jump", 0, 2), ("jump", 1, 2), ("jump", 6, 7), ("area", 3, 4),
    ("double", 0, 2), ("double", 1, 3), ("double", 5, 7),
]  # fmt: skip


@pytest.mark.parametrize("parameters", ["euler", "plain"])
def test_a_spike_first_moves_a_voltage_in_the_right_step(parameters):
    network = side_by_side([pair(FILTERS[name], delay) for name, delay, _ in ONSETS])
    # An onset a step away is as large as the first effect; what cancels leaves rounding only.
    for (*case, expected), v in zip(ONSETS, psp(network, 12, parameters=parameters).T, strict=True):
        assert np.argmax(np.abs(v) > 1e-8) == expected, case
        assert np.abs(v[:expected]).max() < 1e-12, case


NETWORKS = {
    "one-to-one": (kim_network, 12),
    "two channels": (two_channel_network, 150),
    "two populations": (two_population_network, 100),
}


def possible(network):
    """The network without noise, direct spikes, and delays shorter than NEST's."""
    kept = [
        replace(part, delay_steps=max(1, part.delay_steps))
        if isinstance(part.filter, Exponential) and part.source != INPUT
        else part
        for part in network.projections
        if part.source == INPUT or not isinstance(part.filter, Direct)
    ]
    return silenced(replace(network, projections=kept))


def test_each_presynaptic_neuron_has_its_own_delay_in_nest_too():
    network = possible(two_population_network())
    rng = np.random.default_rng(2)
    late = [
        replace(part, delay_steps=rng.integers(1, 40, part.shape[1]), scaled=number % 2 == 0)
        if part.source != INPUT
        else part
        for number, part in enumerate(network.projections)
    ]
    network = replace(network, projections=late)
    drive = drive_for(network, 80, trials=2, recurrent_gain=[1.0, 0.5])
    expected = simulate(network, drive, voltages=True)
    found = in_nest(network, drive, voltages=True)
    assert expected.spikes.count > 50
    np.testing.assert_array_equal(found.spikes.codes(), expected.spikes.codes())
    # Rounding of some 1e-14 mV a step, carried on by filters of up to 100 ms.
    np.testing.assert_allclose(found.voltages_mv, expected.voltages_mv, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NETWORKS)
def test_without_noise_whole_networks_fire_the_spikes_of_the_reference(name):
    make, samples = NETWORKS[name]
    network = possible(make())
    drive = drive_for(network, samples, trials=3, recurrent_gain=[1.0, 0.7, 1.3])
    expected = simulate(network, drive, voltages=True)
    got = in_nest(network, drive, voltages=True)
    assert expected.spikes.count > 50
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    # Rounding of some 1e-14 mV a step, carried on by filters of up to 100 ms.
    np.testing.assert_allclose(got.voltages_mv, expected.voltages_mv, rtol=0, atol=1e-10)
    for readout, outputs in expected.readouts.items():
        # Decoded in parts, sums over neurons round otherwise.
        np.testing.assert_allclose(got.readouts[readout], outputs, rtol=0, atol=1e-11)
    other = in_nest(network, drive, parameters="plain", voltages=True)
    # Euler steps differ from exact ones by about dt/tau of a voltage.
    assert np.abs(other.voltages_mv - expected.voltages_mv).max() > 1e-4


def test_weights_act_from_pre_to_post():
    # Only neuron 0 fires, and only neurons 1 and 2 hear it.
    weights = np.zeros((3, 3))
    weights[:, 0] = [0.0, 0.5, -0.25]
    network = replace(alone(3), projections=[
        Projection(
            name="one_way", source="alone", target="alone", weights=weights,
            filter=FILTERS["jump"],
        )
    ])  # fmt: skip
    drive = replace(undriven(3), v_initial_mv=[[-40.0, REST, REST]])
    got = in_nest(network, drive, voltages=True)
    assert got.spikes.neuron.tolist() == [0]
    # dt/tau of the weight, in the step after the spike arrived; 60 mV are rounded to 7e-15.
    expected = REST + 0.01 * weights[:, 0]
    np.testing.assert_allclose(got.voltages_mv[2, 0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dt_ms", [0.05, 0.1, 1 / 3, 1.0])
def test_a_neuron_skips_exactly_its_refractory_steps(dt_ms):
    # Driven so hard that it fires at every step it may move in.
    for steps, first in ((0, 0), (1, 5), (40, 40)):
        fields = {"refractory_steps": steps, "initial_refractory_steps": first}
        network = alone(dt_ms=dt_ms, bias_mv=1e5, **fields)
        spikes = in_nest(network, undriven(200)).spikes
        assert spikes.step.tolist() == list(range(first, 200, steps + 1))


@pytest.mark.parametrize("step", ["euler", "exact"])
def test_spikes_under_a_constant_current_are_those_of_the_reference(step):
    bias = np.linspace(9.5, 60.0, 40)
    network = alone(40, bias_mv=bias, membrane_step=step, refractory_steps=20)
    got, expected = (run(network, undriven(5000)).spikes for run in (in_nest, in_reference))
    counts = np.bincount(expected.neuron, minlength=40)
    assert counts[0] == 0
    assert counts[-1] > 100
    np.testing.assert_array_equal(got.codes(), expected.codes())


@pytest.mark.parametrize("first", [0, 1, 3])
def test_an_input_acts_in_its_own_step(first):
    # Channel 0 is on in one step, channel 1 from then on; v moves by dt/tau of 5 mV.
    inputs = np.zeros((8, 1, 2))
    inputs[first, 0, 0], inputs[first:, 0, 1] = 5.0, 5.0
    drive = Drive(inputs=inputs, noise=SharedNoise(seed=0))
    v = in_nest(alone(3, 2), drive, voltages=True).voltages_mv[:, 0] - REST
    after = np.arange(8) - first
    pulse = np.where(after >= 0, 0.05 * 0.99 ** np.maximum(after, 0), 0.0)
    held = np.where(after >= 0, 5.0 * (1 - 0.99 ** (after + 1.0)), 0.0)
    # 60 mV are rounded to 7e-15.
    np.testing.assert_allclose(v, np.stack([pulse, held, 0 * held], axis=1), rtol=0, atol=1e-12)


def test_input_through_a_filter_of_the_presynaptic_side_acts_as_in_the_reference():
    network = quadratic_network()
    held = network.projections[-1]
    filter_ = Exponential(tau_ms=[3.0, 6.0], normalisation="jump", side="pre")
    network = replace(
        network,
        populations=[population("leaky", held.shape[0])],
        projections=[replace(held, filter=filter_)],
        readouts=(),
    )
    drive = drive_for(network, 20)
    got, expected = (
        run(network, drive, voltages=True).voltages_mv for run in (in_nest, in_reference)
    )
    assert np.ptp(expected) > 0.01
    # Rounding, as above.
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("parameters", ["euler", "plain"])
def test_noise_has_its_variance_and_is_independent(parameters):
    # Under noise of s.d. s each step: s^2 (1 - q^2n) / (1 - q^2) after n steps, q left in a step.
    kept = 1 - 0.1 / 2.0 if parameters == "euler" else np.exp(-0.1 / 2.0)
    sd = np.repeat([0.2, 0.5], 200)
    network = replace(alone(400, noise_mv=sd, tau_mem_ms=2.0, v_threshold_mv=0.0), sample_steps=100)
    options = {"voltages": True, "parameters": parameters}
    v = in_nest(network, undriven(6, trials=2, seed=1), **options).voltages_mv[1:] - REST
    z = v / (sd / np.sqrt(1 - kept**2))
    # 2000 nearly independent numbers in each half: s.e. of the variance is 3.2 %.
    assert z[..., :200].var() == pytest.approx(1.0, abs=0.13)
    assert z[..., 200:].var() == pytest.approx(1.0, abs=0.13)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    # 10 means of 400 independent numbers: their mean square is 1 / 400, s.e. 45 %.
    assert (z.mean(axis=2) ** 2).mean() * 400 < 3
    # The two trials: a correlation of 2000 pairs has an s.e. of 0.022.
    assert abs(np.corrcoef(z[:, 0].ravel(), z[:, 1].ravel())[0, 1]) < 0.09


def test_noise_acts_from_the_first_step_on_but_not_on_refractory_neurons():
    drive = undriven(3, seed=4)
    free, still = (
        in_nest(
            alone(500, noise_mv=0.5, initial_refractory_steps=steps), drive, voltages=True
        ).voltages_mv[:, 0] - REST
        for steps in (0, 2)
    )  # fmt: skip
    # 500 numbers: s.e. of their s.d. is 3.2 %.
    assert free[0].std() == pytest.approx(0.5, rel=0.13)
    assert free[1].std() == pytest.approx(0.5 * np.sqrt(1 + 0.99**2), rel=0.13)
    # 60 mV are rounded to 7e-15.
    assert np.abs(still[:2]).max() < 1e-12
    assert still[2].std() == pytest.approx(0.5, rel=0.13)


def test_a_trial_is_the_same_whatever_runs_beside_it():
    network = kim_network()
    drive = replace(drive_for(network, 10, trials=5), noise=OwnNoise(seed=3))
    whole, two, part, again = (
        simulate(network, given, backend="nest", workers=workers, voltages=True)
        for given, workers in ((drive, 1), (drive, 2), (drive.trials(2, 4), 1), (drive, 5))
    )
    assert len(set(np.bincount(whole.spikes.trial, minlength=5))) > 1
    for other in (two, again):
        np.testing.assert_array_equal(whole.spikes.codes(), other.spikes.codes())
        np.testing.assert_array_equal(whole.voltages_mv, other.voltages_mv)
    np.testing.assert_array_equal(whole.voltages_mv[:, 2:4], part.voltages_mv)
    seeded = simulate(network, replace(drive, noise=OwnNoise(seed=4)), backend="nest")
    assert not np.array_equal(whole.spikes.codes(), seeded.spikes.codes())


def test_population_rates_agree_with_the_reference():
    network = go_nogo_network()
    drive = replace(drive_for(network, 40, trials=24), noise=OwnNoise(seed=6))
    nests, references = (
        np.bincount(simulate(network, drive, backend=backend).spikes.trial, minlength=24)
        for backend in ("nest", "reference")
    )
    # Trials have the same input and start, so their differences tell the error.
    apart = nests - references
    assert np.abs(apart).max() > 0
    assert abs(apart.mean()) < 4 * apart.std(ddof=1) / np.sqrt(24)
    # What that test can see: an error of 3 % in the rate.
    assert 4 * apart.std(ddof=1) / np.sqrt(24) < 0.03 * references.mean()


@pytest.mark.parametrize(("form", "agrees"), [("nest", True), ("nest:plain", False)])
def test_the_gate_passes_what_takes_the_reference_s_steps(form, agrees):
    network = go_nogo_network()
    drive = drive_for(network, 20, trials=14)

    def compared(_part, _report):
        # Where NEST runs is asked elsewhere: here it runs all networks of a comparison in one.
        found = bridge.compare(network, backends=["reference", form], drive=drive)
        (whole,) = found.statistical
        parts = [(report.label, report.agreed) for report in found.probes]
        return parts, (whole.trials, whole.agreed), found.agreed

    ((probes, (trials, whole), agreed),) = in_processes(compared, 1)
    assert probes == [("reference", True), (form, agrees)]
    assert trials == 14
    assert whole or not agrees
    assert agreed is agrees


def test_a_run_says_nothing_and_leaves_this_process_as_it_was(capfd):
    def state():
        return (
            sys.excepthook, signal.getsignal(signal.SIGINT), np.geterr(), dict(os.environ),
            sys.getdlopenflags(), "nest" in sys.modules,
        )  # fmt: skip

    before = state()
    simulate(kim_network(), replace(drive_for(kim_network(), 2), noise=OwnNoise(seed=1)),
             backend="nest")  # fmt: skip
    assert state() == before
    assert capfd.readouterr() == ("", "")


def test_a_process_that_may_have_no_children_runs_nest_itself():
    network = kim_network()
    drive = replace(drive_for(network, 4), noise=OwnNoise(seed=3))

    def nested(_part, _report):
        return simulate(network, drive, backend="nest", workers=2)

    (inside,) = in_processes(nested, 1)
    outside = simulate(network, drive, backend="nest")
    np.testing.assert_array_equal(inside.spikes.codes(), outside.spikes.codes())


def test_progress_is_told_after_each_trial():
    seen = []
    simulate(alone(), undriven(5, trials=4), backend="nest", workers=1, on_progress=seen.append)
    assert seen[:5] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_recording_says_how_it_was_made():
    recording = simulate(alone(), undriven(5), backend="nest", parameters="plain")
    assert recording.provenance["package"].startswith("nest-simulator 3.")
    assert recording.provenance["parameters"] == "plain"
    assert recording.margins_mv is None


def factored(network):
    (one_way,) = network.projections
    weights = Factored(left=np.ones((1, 1)), right=np.ones((1, 1)))
    return replace(network, projections=[replace(one_way, weights=weights)])


def started(network):
    (one_way,) = network.projections
    return replace(network, projections=[replace(one_way, initial_states={"x": 1.0})])


PUSH = Stimulation(start_step=0, stop_step=2, neurons=[0])
REFUSED = {
    "unknown parameters 'best'; known are euler, plain": lambda: (
        alone(), undriven(3), {"parameters": "best"}
    ),
    "it has no margins": lambda: (alone(), undriven(3), {"margins": True}),
    "NEST has no QIF neuron": lambda: (
        silenced(quadratic_network()), drive_for(quadratic_network(), 3), {}
    ),
    "one_way: NEST filters with the time constants of the postsynaptic": lambda: (
        pair(Exponential(tau_ms=5, normalisation="jump", side="pre")), undriven(3), {}
    ),
    "one_way: NEST has no factored weights": lambda: (
        factored(pair(Exponential(tau_ms=5, normalisation="jump"))), undriven(3), {}
    ),
    "one_way: NEST's currents start at 0": lambda: (
        started(pair(Exponential(tau_ms=5, normalisation="jump"))), undriven(3), {}
    ),
    "one_way: NEST's neuron takes spikes through a filter only": lambda: (
        pair(Direct()), undriven(3), {}
    ),
    "cannot give this stimulation": lambda: (
        alone(), replace(undriven(3), stimulation=(PUSH,)), {}
    ),
    "NEST draws its own noise: use OwnNoise": lambda: (
        kim_network(), drive_for(kim_network(), 3), {}
    ),
    "no dt_ms of 0.1234567": lambda: (alone(dt_ms=0.1234567), undriven(3), {}),
    "use parameters='plain'": lambda: (alone(tau_mem_ms=0.1), undriven(3), {}),
    "workers: expected a whole number": lambda: (alone(), undriven(3), {"workers": 0}),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_what_nest_cannot_do_is_refused(message):
    network, drive, options = REFUSED[message]()
    with pytest.raises(SpecError, match=message):
        simulate(network, drive, backend="nest", **options)


def test_frozen_noise_is_taken_where_it_is_none():
    def drive(noise_mv):
        noise = FrozenNoise(values_mv=np.full((3, 1, 1), noise_mv))
        return replace(undriven(3), noise=noise, v_initial_mv=[[REST]])

    assert simulate(alone(), drive(0.0), backend="nest").spikes.count == 0
    with pytest.raises(SpecError, match="NEST draws its own noise: use OwnNoise"):
        simulate(alone(), drive(0.1), backend="nest")


def test_a_missing_package_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(nest, "find_spec", lambda _name: None)
    with pytest.raises(BackendError, match=r"NEST needs: pip install 'spikebridge\[nest\]'"):
        simulate(alone(), undriven(3), backend="nest")


def test_a_broken_package_that_nest_imports_is_left_to_nest_s_own_import(monkeypatch, tmp_path):
    said = "numpy.dtype size changed, may indicate binary incompatibility"
    (tmp_path / "pandas.py").write_text(f"raise ValueError({said!r})")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    with pytest.raises(ValueError, match=said):
        import_module("pandas")
    load_its_packages()
    assert "matplotlib.patches" in sys.modules
